//! `Signer`: where the merchant's private key does its work, here or elsewhere.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::crypto::rsa::PrivateKey;
use crate::error::{Error, KeyError};

/// What a [`Signer`] gives: the raw signature, as long as the key's modulus.
pub type Signature = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'static>>;

/// Why a [`Signer`] could not sign. Its text must hold no secret: it becomes the `source` of an [`Error::Key`].
pub type SignerError = Box<dyn std::error::Error + Send + Sync>;

/// Signs with the merchant's private key somewhere else: an HSM, a KMS, a signing service. All that this client signs
/// goes through it: requests and the parameters of the cashier.
///
/// The default is the local key of [`Builder::private_key`](crate::Builder::private_key); give another with
/// [`Builder::signer`](crate::Builder::signer). `examples/remote_signer.rs` has one behind an HTTP service.
///
/// ```
/// use wechatpay_chain::{Signature, Signer, WeChatPay};
///
/// struct Hsm;
///
/// impl Signer for Hsm {
///     fn sign(&self, message: Vec<u8>) -> Signature {
///         Box::pin(async move { Err(format!("no HSM here to sign {} bytes", message.len()).into()) })
///     }
/// }
/// let builder = WeChatPay::builder().signer(Hsm);
/// ```
pub trait Signer: Send + Sync + 'static {
    /// The RSASSA-PKCS1-v1_5 signature with SHA-256 (PROTOCOL, Request) of `message`; not its base64.
    ///
    /// The future runs under tokio, the caller's runtime or, for a blocking call, the background one, within the
    /// call's timeout. A pooled connection belongs to the runtime that opened it: a signer that speaks HTTP and serves
    /// both kinds of call must not reuse one across them.
    fn sign(&self, message: Vec<u8>) -> Signature;
}

/// The merchant's key, wherever it is.
#[derive(Clone)]
pub(crate) enum MerchantKey {
    Local(Arc<PrivateKey>),
    Remote(Arc<dyn Signer>),
}

impl MerchantKey {
    /// The key itself, for what only a local one can do.
    pub(crate) fn local(&self) -> Result<&PrivateKey, Error> {
        match self {
            MerchantKey::Local(key) => Ok(key),
            MerchantKey::Remote(_) => Err(failed("a signer, which does not decrypt", None)),
        }
    }
}

pub(crate) fn sign_locally(key: &PrivateKey, message: &[u8]) -> Result<String, Error> {
    key.sign_base64(message).map_err(|_| failed("one that AWS-LC refuses to sign with", None))
}

pub(crate) fn failed(found: &str, source: Option<SignerError>) -> Error {
    let name = "privateKey".to_owned();
    Error::from(KeyError { name, expected: "a key that does what is asked", found: found.to_owned(), source })
}
