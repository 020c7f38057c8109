//! The other side of the wire: an offline platform that checks and signs like the real one.
//!
//! [`Sandbox::start`] opens an HTTP server on 127.0.0.1 with keys of its own. It refuses a request for the
//! same reasons as the platform does (signature, clock, nonce, serial, body), keeps orders, refunds, payscore,
//! transfers, profit sharing and files as the platform does, and answers anything else as scripted with
//! [`Sandbox::on`] or [`SandboxBuilder::script`], or with an empty object. The payer's part is [`Sandbox::pay`] and its
//! sisters. [`Sandbox::inject`] and [`Sandbox::inject_rule`] make answers go wrong, and notifications are really sent.
//! A browser shows all of it at the base URL. `docs/sandbox.md` tells how to point other programs at it.
//!
//! It is written from the protocol alone and shares no code with the client, so that the two cannot agree on a
//! mistake. It listens on this machine only, and its error messages show what should have been signed: nothing
//! here is meant for the open network.
//!
//! ```
//! use serde_json::json;
//! use wechatpay_chain::sandbox::Sandbox;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start()?;
//! sandbox.on("GET", "v3/marketing/favor/stocks/{stock_id}", 200, json!({ "stock_id": "98065001" }))?;
//! let stock = sandbox.client()?.chain("v3/marketing/favor/stocks/98065001").get_sync()?;
//! assert_eq!(stock.data()["stock_id"], "98065001");
//! # Ok(())
//! # }
//! ```

#[path = "http/response.rs"]
mod answer;
#[path = "auth/authorization.rs"]
mod authorization;
#[path = "model/bills/mod.rs"]
mod bills;
#[path = "api/builder.rs"]
mod builder;
#[path = "model/products/mod.rs"]
mod catalogue;
#[path = "auth/verify.rs"]
mod check;
#[path = "http/clock.rs"]
mod clock;
#[path = "admin/control.rs"]
mod control;
#[path = "notify/outbox.rs"]
mod delivery;
#[path = "auth/diagnosis/mod.rs"]
mod diagnosis;
#[path = "http/sandbox_error.rs"]
mod error;
#[path = "api/exports.rs"]
mod exports;
#[path = "faults/fault.rs"]
mod faults;
#[path = "model/engine/mod.rs"]
mod flow;
#[path = "keys/folder.rs"]
mod folder;
#[path = "model/products/handlers.rs"]
mod handlers;
#[path = "keys/keyring.rs"]
mod keyring;
#[path = "keys/identity.rs"]
mod keys;
#[path = "http/multipart.rs"]
mod multipart;
#[path = "auth/nonces.rs"]
mod nonces;
#[path = "notify/envelope.rs"]
mod notification;
#[path = "admin/page/mod.rs"]
mod page;
#[path = "model/payer.rs"]
mod payer;
#[path = "http/body.rs"]
mod payload;
#[path = "model/scripts/placeholder.rs"]
mod placeholder;
#[path = "server/platform.rs"]
mod platform;
#[path = "notify/client.rs"]
mod postman;
#[path = "keys/random.rs"]
mod random;
#[path = "http/error_response.rs"]
mod refusal;
#[path = "server/router.rs"]
mod routes;
#[path = "faults/rule.rs"]
mod rules;
#[path = "model/scripts/mod.rs"]
mod scripts;
#[path = "auth/sign.rs"]
mod seal;
#[path = "store/request_log.rs"]
mod seen;
#[path = "store/notification_log.rs"]
mod sent;
#[path = "server/listener.rs"]
mod server;
#[path = "store/database.rs"]
mod store;
#[path = "http/path_template.rs"]
mod template;
#[path = "auth/unsigned.rs"]
mod unsigned;

use std::fmt;

use serde_json::Value;

pub use answer::Answer;
pub use builder::SandboxBuilder;
pub use error::SandboxError;
pub use faults::Fault;
pub use keyring::Rotation;
pub use rules::FaultRule;
pub use seen::{SeenRequest, Verdict};
pub use sent::{Attempt, Delivery, SentNotification};

use keys::Identity;
use routes::{Script, Scripted, verb};
use server::Server;
use template::Template;

/// A running offline platform. Dropping it ends the server and frees its port.
pub struct Sandbox {
    server: Server,
}

impl Sandbox {
    /// Starts with fresh keys on a free port: [`builder`](Sandbox::builder) with nothing set.
    ///
    /// # Errors
    /// Keys that cannot be made, or a server that cannot start.
    pub fn start() -> Result<Sandbox, SandboxError> {
        Sandbox::builder().start()
    }

    /// Opens the settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    fn new(server: Server) -> Sandbox {
        Sandbox { server }
    }

    fn identity(&self) -> &Identity {
        &self.server.platform.identity
    }

    /// `http://127.0.0.1:PORT/`, with the slash at the end. In a browser it is a page to look at what happens.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }

    /// The merchant id.
    pub fn mchid(&self) -> &str {
        &self.identity().mchid
    }

    /// The serial of the merchant's certificate, in upper-case hex, leading zeros kept.
    pub fn serial(&self) -> &str {
        &self.identity().merchant.serial
    }

    /// The APIv3 key, 32 bytes.
    pub fn apiv3_key(&self) -> &str {
        &self.identity().apiv3_key
    }

    /// The merchant's private key, as a PKCS#8 PEM.
    pub fn merchant_key_pem(&self) -> &str {
        &self.identity().merchant.key.pem
    }

    /// The merchant's certificate, as a PEM.
    pub fn merchant_certificate_pem(&self) -> &str {
        &self.identity().merchant.pem
    }

    /// The platform's first certificate, as a PEM. Answers are signed with its key unless the request's
    /// `Wechatpay-Serial` names another one, or another was chosen by [`sign_with`](Sandbox::sign_with).
    pub fn platform_certificate_pem(&self) -> &str {
        &self.identity().platform.pem
    }

    /// The serial of the platform's first certificate, in upper-case hex, leading zeros kept.
    pub fn platform_certificate_serial(&self) -> &str {
        &self.identity().platform.serial
    }

    /// The platform's first public key, as an SPKI PEM; another key pair than the certificate's.
    pub fn platform_public_key_pem(&self) -> &str {
        &self.identity().public.pem
    }

    /// The `PUB_KEY_ID_…` of the platform's first public key.
    pub fn platform_public_key_id(&self) -> &str {
        &self.identity().public.id
    }

    /// A client of this sandbox's merchant, which trusts its first certificate and its first public key.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) when the HTTP client cannot be set up.
    pub fn client(&self) -> Result<crate::WeChatPay, crate::Error> {
        self.client_builder().build()
    }

    /// The same, to be configured further.
    pub fn client_builder(&self) -> crate::Builder {
        crate::WeChatPay::builder()
            .mchid(self.mchid())
            .serial(self.serial())
            .private_key(self.merchant_key_pem())
            .platform_key(self.platform_certificate_serial(), self.platform_certificate_pem())
            .platform_key(self.platform_public_key_id(), self.platform_public_key_pem())
            .apiv3_key(self.apiv3_key())
            .base_url(self.base_url())
    }

    /// Scripts a signed JSON answer (`Null`: an empty one) for a route, before the built-in ones. A later
    /// script for a path goes before an earlier one.
    ///
    /// The template is a path: `{name}` takes one segment, `{+name}` at the end takes all that is left. The
    /// request is checked as ever before it is answered.
    ///
    /// # Errors
    /// A verb, a template or a status that no request or answer can have.
    pub fn on(&self, method: &str, template: &str, status: u16, body: Value) -> Result<(), SandboxError> {
        self.on_with(method, template, Answer::new(status).json(body))
    }

    /// Scripts any [`Answer`], otherwise like [`on`](Sandbox::on).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::sandbox::Answer;
    /// let image = Answer::new(200).body("image/png", &b"\x89PNG"[..]);
    /// sandbox.on_with("GET", "v3/merchant-service/images/{media_id}", image)?;
    /// let request = wx.chain("v3/merchant-service/images/{media_id}").get().var("media_id", "a/b");
    /// assert_eq!(request.wait()?.bytes(), &b"\x89PNG"[..]);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`on`](Sandbox::on), and a header that HTTP cannot carry.
    pub fn on_with(&self, method: &str, template: &str, answer: Answer) -> Result<(), SandboxError> {
        let bad = |problem| SandboxError::Script { route: format!("{method} {template}"), problem };
        let script = Script {
            method: verb(method).map_err(bad)?,
            template: Template::parse(template).map_err(bad)?,
            answer: Scripted::Fixed(answer.ready().map_err(bad)?),
        };
        self.server.platform.script(script);
        Ok(())
    }

    /// The requests so far, newest last: the last 10,000, or fewer when they are large (128 MiB together).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// wx["v3/certificates"].get_sync()?;
    /// let seen = &sandbox.requests()[0];
    /// assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/v3/certificates"));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.server.platform.seen().list()
    }

    /// Forgets the requests so far. Their nonces stay used.
    pub fn clear_requests(&self) {
        self.server.platform.seen().clear();
    }

    /// Queues a fault: each request to come meets one.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::{Error, sandbox::Fault};
    /// sandbox.inject(Fault::BadSignature);
    /// assert!(matches!(wx["v3/certificates"].get_sync(), Err(Error::Verify(_))));
    /// assert!(wx["v3/certificates"].get_sync().is_ok()); // it met one request
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.server.platform.faults().push(fault);
    }

    /// Lets every request to come meet this fault, beside the others.
    pub fn inject_always(&self, fault: Fault) {
        if let Err(e) = self.inject_rule(FaultRule::new(fault)) {
            tracing::warn!(error = %e, "a fault for every request was not added");
        }
    }

    /// Lets the requests or notifications that the rule hits meet its fault, beside the others.
    ///
    /// # Errors
    /// A rule that can hit nothing (a number of 0, a share out of its range, a broken template), or too many
    /// rules (1,000).
    pub fn inject_rule(&self, rule: FaultRule) -> Result<(), SandboxError> {
        self.server.platform.faults().add(rule)
    }

    /// Ends all faults, the queued ones too. Rules added from here on draw as after a start with the same seed.
    pub fn clear_faults(&self) {
        self.server.platform.faults().clear();
    }

    /// The seed of the rules that hit a share; with it a failing run can be repeated.
    pub fn seed(&self) -> u64 {
        self.server.platform.faults().seed()
    }

    /// Sets the sandbox's clock this many seconds ahead of the machine's (behind, when negative), from now on.
    pub fn set_clock_skew(&self, seconds: i64) {
        self.server.platform.clock.set_skew(seconds);
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("base_url", &self.base_url())
            .field("mchid", &self.mchid())
            .field("serial", &self.serial())
            .field("platform_certificate_serial", &self.platform_certificate_serial())
            .field("platform_public_key_id", &self.platform_public_key_id())
            .finish_non_exhaustive()
    }
}
