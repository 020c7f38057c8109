//! `Signer`: the merchant's private key, here or somewhere else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::rsa::PrivateKey;
use crate::error::{Error, KeyError};

/// The future that [`Signer::sign`] returns: the raw signature, as long as the key's modulus.
pub type SignFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'static>>;

/// The error of a [`Signer`], which becomes the `source` of an [`Error::Key`]. Its text must not contain a secret.
pub type SignerError = Box<dyn std::error::Error + Send + Sync>;

/// Signs with a private key that is somewhere else: in an HSM, a KMS or a signing service. Every signature of the
/// client is made by it: of requests, and of the parameters that open the cashier.
///
/// Set it with [`WeChatPayBuilder::signer`](crate::WeChatPayBuilder::signer), instead of
/// [`private_key`](crate::WeChatPayBuilder::private_key). `examples/remote_signer.rs` calls a signing service over HTTP.
///
/// ```
/// use wechatpay_chain::WeChatPay;
/// use wechatpay_chain::signer::{SignFuture, Signer};
///
/// struct Hsm;
///
/// impl Signer for Hsm {
///     fn sign(&self, message: Vec<u8>) -> SignFuture {
///         Box::pin(async move { Err(format!("no HSM to sign {} bytes", message.len()).into()) })
///     }
/// }
/// let builder = WeChatPay::builder().signer(Hsm);
/// ```
pub trait Signer: Send + Sync + 'static {
    /// Signs `message` with RSASSA-PKCS1-v1_5 and SHA-256
    /// ([PROTOCOL, Request](crate::guide::protocol#request)). Returns the raw signature, not its base64.
    ///
    /// The future runs under tokio, within the call's timeout (the client's, for a pay-sign): on the caller's runtime,
    /// or, for a blocking call and a download of certificates, on a thread of its own in the background runtime. A pooled
    /// connection belongs to the runtime that opened it, so a signer that uses HTTP and serves both kinds of calls must
    /// not share connections between them. On the caller's runtime the future must not block its thread.
    fn sign(&self, message: Vec<u8>) -> SignFuture;
}

/// The merchant's private key, or the signer that has it.
#[derive(Clone)]
pub(crate) enum MerchantKey {
    Local(Arc<PrivateKey>),
    Remote(Arc<dyn Signer>),
    /// The client has no credentials of APIv3.
    #[cfg(feature = "v2")]
    Missing,
}

impl MerchantKey {
    /// The local key, for operations that a signer cannot do.
    pub(crate) fn local(&self) -> Result<&PrivateKey, Error> {
        match self {
            MerchantKey::Local(key) => Ok(key),
            MerchantKey::Remote(_) => Err(signing_error("a signer, which cannot decrypt", false, None)),
            #[cfg(feature = "v2")]
            MerchantKey::Missing => Err(missing()),
        }
    }
}

/// The error of whatever needs the credentials of APIv3, if the client has none.
#[cfg(feature = "v2")]
pub(crate) fn missing() -> Error {
    let advice = "give `serial`, `private_key` and `platform_key`, too";
    Error::config_with("private_key", "is missing: this client has the credentials of APIv2 only", advice)
}

pub(crate) fn sign_locally(key: &PrivateKey, message: &[u8]) -> Result<String, Error> {
    key.sign_base64(message).map_err(|_| signing_error("a key that AWS-LC cannot sign with", false, None))
}

pub(crate) async fn sign_remotely(signer: Arc<dyn Signer>, message: Vec<u8>) -> Result<String, Error> {
    let signature = signer.sign(message).await;
    let signature = signature.map_err(|e| signing_error("a signer that failed", true, Some(e)))?;
    // RSA of 2048 to 8192 bits. Base64 and hex are text, which raw bytes never are.
    let is_text = signature.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if !(256..=1024).contains(&signature.len()) || is_text {
        let kind = if is_text { " of text, not the raw ones" } else { "" };
        let found = format!("a signature of {} bytes{kind}", signature.len());
        return Err(signing_error(&found, true, None));
    }
    Ok(STANDARD.encode(signature))
}

/// `signer`: a signer was asked, and failed.
fn signing_error(found: &str, signer: bool, source: Option<SignerError>) -> Error {
    Error::from(KeyError {
        name: "private_key".to_owned(),
        expected: "a key that can sign and decrypt",
        found: found.to_owned(),
        signer,
        source,
    })
}
