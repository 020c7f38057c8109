//! **WeChat Pay (微信支付) APIv3 for every endpoint**: the PHP SDK's dynamic chain in Rust, signed, verified, async and
//! blocking.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "sandbox")] {
//! use serde_json::json;
//! use wechatpay_chain::chain;
//!
//! let sandbox = wechatpay_chain::sandbox::Sandbox::start()?; // the offline platform; a real client: `WeChatPay::builder()`
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
//! Start with [`WeChatPay`]: it opens a [`Chain`], a verb makes a [`Request`] of it, `.await` or
//! [`wait`](Request::wait) an answer: a [`Response`], which exists only once its signature is verified, or an
//! [`Error`], grouped by what to do next. PROTOCOL, in these pages, is `docs/protocol.md`.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `bill` | yes | the `bill` module and `WeChatPay::bill`: bills, their digest, gunzip and rows |
//! | `p12` | yes | `.p12` files, and private keys with a passphrase |
//! | `bundled-roots` | | Mozilla's root certificates, compiled in, for machines without any |
//! | `sandbox` | | the `sandbox` module: an offline WeChat Pay platform for tests and trials |
//! | `cli` | | the program `wxpay`, with the sandbox in it: `docs/cli.md` |

// docs.rs shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Nothing from the network, a file or a caller may panic, and nothing but `bin/` prints.
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

// What the documents say is run: their code blocks are doctests.
#[cfg(all(doctest, feature = "p12", feature = "sandbox"))]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/README.zh-CN.md")]
    struct ReadmeChinese;
    #[doc = include_str!("../docs/files.md")]
    struct Files;
    #[doc = include_str!("../docs/files.zh-CN.md")]
    struct FilesChinese;
    #[doc = include_str!("../docs/porting-from-php.md")]
    struct FromPhp;
    #[doc = include_str!("../docs/porting-from-php.zh-CN.md")]
    struct FromPhpChinese;
    #[doc = include_str!("../docs/porting-from-node.md")]
    struct FromNode;
    #[doc = include_str!("../docs/porting-from-node.zh-CN.md")]
    struct FromNodeChinese;
    #[doc = include_str!("../docs/reliability.md")]
    struct Reliability;
    #[doc = include_str!("../docs/reliability.zh-CN.md")]
    struct ReliabilityChinese;
    #[doc = include_str!("../docs/keys.md")]
    struct Keys;
    #[doc = include_str!("../docs/keys.zh-CN.md")]
    struct KeysChinese;
    #[doc = include_str!("../docs/notifications.md")]
    struct Notifications;
    #[doc = include_str!("../docs/notifications.zh-CN.md")]
    struct NotificationsChinese;
    #[doc = include_str!("../docs/sandbox.md")]
    struct Sandbox;
    #[doc = include_str!("../docs/sandbox.zh-CN.md")]
    struct SandboxChinese;
    #[doc = include_str!("../docs/sensitive-fields.md")]
    struct SensitiveFields;
    #[doc = include_str!("../docs/sensitive-fields.zh-CN.md")]
    struct SensitiveFieldsChinese;
    #[doc = include_str!("../docs/pay-sign.md")]
    struct PaySign;
    #[doc = include_str!("../docs/pay-sign.zh-CN.md")]
    struct PaySignChinese;
}

#[cfg(feature = "bill")]
pub mod bill;
mod blocking;
mod certificates;
mod chain;
mod client;
mod clock;
mod config;
mod crypto;
mod deferred;
mod download;
mod error;
mod exchange;
mod media;
mod nodes;
mod notify;
mod options;
mod path;
mod paysign;
mod platform;
mod prepared;
mod request;
mod response;
mod retry;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod sensitive;
mod sign;
mod signer;
#[cfg(test)]
mod vectors;
mod verify;
mod wire;

#[cfg(feature = "bill")]
pub use bill::Bill;
pub use certificates::PlatformCertificate;
pub use chain::Chain;
pub use client::WeChatPay;
pub use clock::{Clock, SystemClock};
pub use config::Builder;
pub use deferred::Deferred;
pub use download::{Download, Saved};
pub use error::{
    ApiError, ConfigError, DecodeError, Error, KeyError, PathError, TransportError, VerifyError, VerifyReason,
};
pub use media::Media;
pub use notify::{Notification, Reply};
pub use prepared::Prepared;
pub use request::Request;
pub use response::Response;
pub use signer::{Signature, Signer, SignerError};
#[doc(no_inline)]
pub use {bytes, http};
