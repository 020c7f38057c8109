//! [`Sandbox`]: starting, scripting, observing, faults and clock. Its other methods are in the files next to this one.

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use super::builder::SandboxBuilder;
use crate::sandbox::{
    admin::client,
    faults::{fault::Fault, rule::FaultRule},
    http::{response::SandboxResponse, sandbox_error::SandboxError},
    keys::identity::Identity,
    model::{engine::holds::Hold, passing_time, scripts::Script},
    server::{listener::Server, platform::Platform},
    store::seen_request::SeenRequest,
};

/// A running offline platform. Dropping it stops the server and frees the port.
pub struct Sandbox {
    server: Server,
}

impl Sandbox {
    /// Starts with new keys on a free port: the [`builder`](Sandbox::builder) with its defaults.
    ///
    /// # Errors
    /// The keys cannot be generated, or the server cannot start.
    pub fn start() -> Result<Sandbox, SandboxError> {
        Sandbox::builder().start()
    }

    /// Configures a sandbox before it starts.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    pub(crate) fn new(server: Server) -> Sandbox {
        Sandbox { server }
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.server.platform
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.server.platform.identity
    }

    /// `http://127.0.0.1:PORT/`, with a trailing slash: for clients on this machine. In a browser it shows a page with the state of the sandbox.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }

    /// The address that it listens on: its port is never 0.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Whether the base URL is one of this machine's loopback addresses.
    pub(crate) fn is_local(&self) -> bool {
        self.address().ip().is_loopback() || self.address().ip().is_unspecified()
    }

    /// The merchant number.
    pub fn mchid(&self) -> &str {
        &self.identity().mchid
    }

    /// The serial of the merchant's certificate, in upper-case hex with leading zeros.
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

    /// The platform's first certificate, as a PEM. It is in service in the modes
    /// [`Certificate`](crate::sandbox::SigningMode::Certificate) and
    /// [`Migration`](crate::sandbox::SigningMode::Migration), until it is [retired](Sandbox::retire).
    pub fn platform_certificate_pem(&self) -> &str {
        &self.identity().platform_certificate.pem
    }

    /// The serial of the platform's first certificate, in upper-case hex with leading zeros.
    pub fn platform_certificate_serial(&self) -> &str {
        &self.identity().platform_certificate.serial
    }

    /// The platform's first public key, as an SPKI PEM. It is not the key of the certificate. It is in service in the modes
    /// [`PublicKey`](crate::sandbox::SigningMode::PublicKey) and [`Migration`](crate::sandbox::SigningMode::Migration),
    /// until it is [retired](Sandbox::retire).
    pub fn platform_public_key_pem(&self) -> &str {
        &self.identity().platform_public_key.pem
    }

    /// The `PUB_KEY_ID_…` of the platform's first public key.
    pub fn platform_public_key_id(&self) -> &str {
        &self.identity().platform_public_key.id
    }

    /// A client for the merchant of this sandbox. It trusts the platform's keys that are in service now.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the HTTP client cannot be set up.
    pub fn client(&self) -> Result<crate::WeChatPay, crate::Error> {
        self.client_builder().build()
    }

    /// As [`client`](Sandbox::client), to be configured further.
    pub fn client_builder(&self) -> crate::WeChatPayBuilder {
        client::builder(self.platform(), self.base_url(), self.is_local())
    }

    /// Scripts a signed JSON response for a route; `Null` gives an empty body. Scripts take precedence over the modelled
    /// endpoints, and later scripts over earlier ones.
    ///
    /// The template is a path: `{name}` matches one segment, `{+name}` at the end matches the rest. Requests are
    /// verified as usual before a script responds.
    ///
    /// # Errors
    /// An invalid method, template or status; more than 10,000 scripts, or 64 MiB of them.
    pub fn on(&self, method: &str, template: &str, status: u16, body: Value) -> Result<(), SandboxError> {
        self.on_with(method, template, SandboxResponse::new(status).json(body))
    }

    /// As [`on`](Sandbox::on), with any [`SandboxResponse`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::sandbox::SandboxResponse;
    /// let image = SandboxResponse::new(200).body("image/png", &b"\x89PNG"[..]);
    /// sandbox.on_with("GET", "v3/merchant-service/images/{media_id}", image)?;
    /// let request = wx.chain("v3/merchant-service/images/{media_id}").get().var("media_id", "a/b");
    /// assert_eq!(request.wait()?.bytes(), &b"\x89PNG"[..]);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`on`](Sandbox::on), and an invalid header.
    pub fn on_with(
        &self,
        method: &str,
        template: &str,
        response: SandboxResponse,
    ) -> Result<(), SandboxError> {
        let script = Script::fixed(method, template, &response);
        let added = script.and_then(|script| self.platform().router.add_script(script));
        added.map_err(|problem| SandboxError::Script { route: format!("{method} {template}"), problem })
    }

    /// The received requests with their responses, newest last: the last 10,000, or fewer if they are larger than
    /// 128 MiB in total. With a [state file](SandboxBuilder::state), also those of earlier runs.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::sandbox::Verdict;
    /// wx["v3/security/echo"].post_sync(serde_json::json!({ "echo_message": "hello" }))?;
    /// let seen = &sandbox.requests()[0];
    /// assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v3/security/echo"));
    /// assert_eq!((seen.verdict.clone(), seen.response.status), (Verdict::Accepted, 200));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.platform().requests.list()
    }

    /// Clears the list of requests, in the state file as well. Their nonces remain used.
    pub fn clear_requests(&self) {
        self.platform().requests.clear();
    }

    /// Queues a fault. Each following request takes one from the queue. At most 1,000 wait: further ones are not queued,
    /// which the log, [`unmet`](Sandbox::unmet) and the control endpoint report.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::{Error, sandbox::Fault};
    /// sandbox.inject(Fault::BadSignature);
    /// let echo = || wx["v3/security/echo"].post_sync(serde_json::json!({ "echo_message": "hello" }));
    /// assert!(matches!(echo(), Err(Error::Verify(_))));
    /// assert!(echo().is_ok()); // only one request had the fault
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.platform().faults.lock().push(fault);
    }

    /// Applies a fault to all following requests, in addition to other faults.
    pub fn inject_always(&self, fault: Fault) {
        if let Err(e) = self.inject_rule(FaultRule::new(fault)) {
            tracing::warn!(error = %e, "the fault was not added");
        }
    }

    /// Adds a rule: its fault applies to the matching requests or notifications, in addition to other faults.
    ///
    /// # Errors
    /// An invalid rule (a number of 0, a share out of range, an invalid template), or too many rules (limit 1,000).
    pub fn inject_rule(&self, rule: FaultRule) -> Result<(), SandboxError> {
        self.platform().faults.lock().add(rule)
    }

    /// Removes all rules and queued faults. Rules that are added later behave as after a start with the same seed.
    pub fn clear_faults(&self) {
        self.platform().faults.lock().clear();
    }

    /// The random seed of rules with a share. Set it in the builder to repeat a failing run.
    pub fn seed(&self) -> u64 {
        self.platform().faults.lock().seed()
    }

    /// Sets the clock of signatures this many seconds ahead of the machine's clock (negative: behind). The time of
    /// business is that of [`advance`](Sandbox::advance).
    pub fn set_clock_skew(&self, seconds: i64) {
        self.platform().clock.set_skew(seconds);
    }
}

impl Sandbox {
    /// Advances the business time, rounded up to seconds: orders expire, transfers that no user accepted fail, notifications are repeated, bills of past
    /// days are there. The clock of signatures stays, so that clients go on. It cannot go back; a
    /// [state file](SandboxBuilder::state) keeps it.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use std::time::Duration;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start()?;
    /// let wx = sandbox.client()?;
    /// # wx["v3/pay/transactions/native"].post_sync(json!({
    /// #     "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "d", "out_trade_no": "P202611210001",
    /// #     "notify_url": "https://www.example.com/notify", "amount": {"total": 100},
    /// # }))?;
    /// let paid = sandbox.pay("P202611210001")?;
    /// let day = paid["success_time"].as_str().and_then(|time| time.get(..10)).unwrap_or("?");
    /// let bill = || wx.chain("v3/bill/tradebill").get().query(json!({"bill_date": day})).wait();
    /// assert!(bill().is_err()); // today's bill is not there: STATEMENT_CREATING
    /// sandbox.advance(Duration::from_secs(2 * 24 * 3600))?;
    /// assert!(bill().is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// It would be more than ten years ahead, or the state file cannot be written.
    pub fn advance(&self, time: Duration) -> Result<(), SandboxError> {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let advanced = self.platform().perform(|engine| passing_time::advance(engine, seconds));
        advanced.map_err(|error| SandboxError::state("the business time", error))
    }

    /// The business time: the machine's, plus what it was [advanced](Sandbox::advance) by.
    pub fn business_time(&self) -> SystemTime {
        let seconds = u64::try_from(self.platform().business_clock.now()).unwrap_or(0);
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
    }

    /// Changes [`SandboxBuilder::hold_refunds`] for the refunds that come from now on.
    pub fn hold_refunds(&self, hold: bool) {
        self.platform().engine.holds.set(Hold::Refunds, hold);
    }

    /// Changes [`SandboxBuilder::hold_code_payments`] for the payments that come from now on.
    pub fn hold_code_payments(&self, hold: bool) {
        self.platform().engine.holds.set(Hold::CodePayments, hold);
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
