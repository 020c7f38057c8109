//! **WeChat Pay (微信支付) APIv3 for every endpoint**: the PHP SDK's dynamic chain in Rust, signed, verified, async and
//! blocking.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "sandbox")] {
//! use serde_json::json;
//! use wechatpay_chain::chain;
//!
//! let sandbox = wechatpay_chain::sandbox::Sandbox::start()?; // an offline platform; to go live: `WeChatPay::builder()`
//! let wx = sandbox.client()?;
//!
//! let body = json!({"service_id": "500001", "appid": "wxd678efh567hg6787", "sub_mchid": "1230000109", "reason": "reason"});
//! let response = wx["v3/payscore/partner/permissions/terminate"].post_sync(body.clone())?;
//! assert_eq!(response.status(), 204);
//!
//! // PHP's line, pasted: the same request.
//! let response = chain!(wx->v3->payscore->partner->permissions->terminate).post_sync(body)?;
//! assert_eq!(response.status(), 204);
//! # }
//! # Ok(()) }
//! ```
//!
//! Start with [`WeChatPay`]. It starts a [`Chain`]; a verb turns the chain into a [`Request`]; `.await` or
//! [`wait`](Request::wait) returns a [`Response`], which exists only once its signature is verified, or an [`Error`],
//! grouped by what to do next. The guides, which doc comments cite as "PROTOCOL" and the like, are in
#![cfg_attr(doc, doc = "[`guide`].")]
#![cfg_attr(not(doc), doc = "`guide`.")]
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `bill` | yes | the module `bill`: bills, downloaded, verified and read row by row |
//! | `p12` | yes | `.p12` files, and private keys with a passphrase |
//! | `catalogue` | | the documented endpoints as data: search, "did you mean", hints |
//! | `bundled-roots` | | Mozilla's root certificates, compiled in, for machines without any |
//! | `sandbox` | | the module `sandbox`: an offline platform for tests and trials |
//! | `cli` | | the program `wxpay`, which includes the sandbox |

#![cfg_attr(docsrs, feature(doc_cfg))]
// Nothing from the network, a file or a caller may panic, and only `bin/` prints.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::exit,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

#[cfg(feature = "catalogue")]
pub mod catalogue;
mod chain;
mod client;
pub mod clock;
#[cfg(test)]
mod conformance;
mod context;
mod crypto;
pub mod error;
mod files;
// The doctests of the guides need the sandbox.
#[cfg(all(doc, any(not(doctest), all(feature = "p12", feature = "sandbox"))))]
pub mod guide;
mod json;
mod path;
mod request;
mod response;
mod runtime;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod sensitive;
pub mod signer;
mod transport;
#[cfg(feature = "v2")]
mod v2;
mod v3;

pub use chain::Chain;
pub use client::WeChatPay;
pub use client::builder::WeChatPayBuilder;
#[doc(inline)]
pub use error::Error;
pub use request::Request;
pub use request::download::Download;
pub use request::media::Media;
pub use request::prepared::Prepared;
pub use response::{Response, Saved};
pub use runtime::Deferred;
#[doc(no_inline)]
pub use {bytes, http};

/// APIv2 (XML): calls whose paths begin with `v2/`, [`WeChatPay::notification_v2`], [`WeChatPay::v2_jsapi_params`].
#[cfg(feature = "v2")]
#[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
pub mod apiv2 {
    pub use crate::v2::sign::SignType;
}

/// Bills: [`WeChatPay::bill`] downloads and verifies one, [`rows`](bill::rows) reads it row by row.
#[cfg(feature = "bill")]
pub mod bill {
    pub use crate::request::bill::{Bill, Record, Rows, rows};
}

/// Certificates: those that a client holds, [`WeChatPay::merchant_certificate`] and
/// [`WeChatPay::known_certificates`]; and the platform's, downloaded: [`WeChatPay::platform_certificates`].
pub mod certificate {
    pub use crate::client::certificates::CertificateInfo;
    pub use crate::client::platform_keys::PlatformCertificate;
}

/// Notifications (回调通知): [`WeChatPay::notification`] verifies and decrypts one.
pub mod notification {
    pub use crate::client::notification::{Notification, Reply};
}

/// Pay-sign (调起支付签名): [`WeChatPay::jsapi_params`] and [`WeChatPay::app_params`].
pub mod pay_sign {
    pub use crate::client::pay_sign::PrepayId;
}

// Short paths for what the modules above hold.
#[doc(hidden)]
pub use certificate::{CertificateInfo, PlatformCertificate};
#[doc(hidden)]
pub use clock::{Clock, SystemClock};
#[doc(hidden)]
pub use error::{
    ApiError, ConfigError, DecodeError, FileError, KeyError, NotReadyError, PathError, PlatformKeysError,
    ResponseTooLargeError, TransportError, VerifyError, VerifyReason, VerifySubject,
};
#[doc(hidden)]
pub use notification::{Notification, Reply};
#[doc(hidden)]
pub use signer::{SignFuture, Signer, SignerError};

/// The former name of [`WeChatPayBuilder`].
#[doc(hidden)]
#[deprecated(note = "renamed to `WeChatPayBuilder`")]
pub type Builder = WeChatPayBuilder;
