//! [`SandboxBuilder`]: the settings of a sandbox before it starts.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

#[cfg(doc)]
use super::sandbox::Sandbox;
use crate::error::Excerpt;
use crate::sandbox::{
    keys::{key_pair::Serials, mode::SigningMode},
    model::engine::holds::Hold,
    store::watcher::{Seen, Watcher},
};

/// Configures a [`Sandbox`] before it starts.
#[derive(Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct SandboxBuilder {
    pub(super) keys: Option<PathBuf>,
    pub(super) keep_rotation: bool,
    pub(super) sign_with: Option<SigningMode>,
    pub(super) serials: Serials,
    pub(super) mchid: Option<String>,
    pub(super) apiv3_key: Option<String>,
    pub(super) clock_skew: i64,
    pub(super) sign_errors: bool,
    pub(super) host: IpAddr,
    pub(super) port: u16,
    pub(super) or_free_port: bool,
    pub(super) allow_hosts: Vec<String>,
    pub(super) scripts: Vec<PathBuf>,
    pub(super) strict: bool,
    pub(super) notify_hosts: Vec<String>,
    pub(super) time_scale: f64,
    pub(super) seed: Option<u64>,
    pub(super) state: Option<PathBuf>,
    pub(super) holds: Vec<Hold>,
    pub(super) watcher: Watcher,
}

impl SandboxBuilder {
    pub(crate) fn new() -> SandboxBuilder {
        SandboxBuilder {
            keys: None,
            keep_rotation: true,
            sign_with: None,
            serials: Serials::default(),
            mchid: None,
            apiv3_key: None,
            clock_skew: 0,
            sign_errors: true,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            or_free_port: false,
            allow_hosts: Vec::new(),
            scripts: Vec::new(),
            strict: false,
            notify_hosts: Vec::new(),
            time_scale: 1.0,
            seed: None,
            state: None,
            holds: Vec::new(),
            watcher: Watcher::default(),
        }
    }

    /// Keeps keys, merchant number and APIv3 key in this folder. The folder is created and filled if it has none of the files,
    /// and read if it has all of them. It also keeps the mode and the keys that are added and retired later:
    /// see [`keep_rotation`](SandboxBuilder::keep_rotation).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # let folder = tempfile::tempdir()?;
    /// let serial = Sandbox::builder().keys(folder.path()).start()?.serial().to_owned();
    /// assert_eq!(Sandbox::builder().keys(folder.path()).start()?.serial(), serial);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn keys(mut self, folder: impl AsRef<Path>) -> SandboxBuilder {
        self.keys = Some(folder.as_ref().into());
        self
    }

    /// Whether the keys folder keeps changes of the platform's keys: the next start then has the mode, the keys and the
    /// signing key of the last one. Default: yes. Several sandboxes that run at the same time with one folder, such as those
    /// of tests, should not keep them.
    pub fn keep_rotation(mut self, keep: bool) -> SandboxBuilder {
        self.keep_rotation = keep;
        self
    }

    /// Which keys sign responses and notifications: a public key, certificates, or both in the migration from certificates
    /// to the public key. Default: the keys folder's, or what the client has: the public key, until a client
    /// downloads the certificates without naming a key.
    /// [`Sandbox::set_mode`] changes it later.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// use wechatpay_chain::sandbox::{Sandbox, SigningMode};
    /// let sandbox = Sandbox::builder().sign_with(SigningMode::Certificate).start()?;
    /// let list = sandbox.client()?["v3/certificates"].get_sync()?;
    /// assert_eq!(list.data()["data"][0]["serial_no"], sandbox.platform_certificate_serial());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn sign_with(mut self, mode: SigningMode) -> SandboxBuilder {
        self.sign_with = Some(mode);
        self
    }

    /// Whether the serials of new certificates, the merchant's and the platform's, begin with a zero. Default: no. A test
    /// for clients that drop leading zeros, or that compare serials as text.
    pub fn serial_zero(mut self, zero: bool) -> SandboxBuilder {
        self.serials = if zero { Serials::WithZero } else { Serials::WithoutZero };
        self
    }

    /// The merchant number, digits only. Default: the keys folder's, or `1900000109`.
    pub fn mchid(mut self, mchid: impl Into<String>) -> SandboxBuilder {
        self.mchid = Some(mchid.into());
        self
    }

    /// The APIv3 key, exactly 32 bytes. Default: the keys folder's, or a random one.
    pub fn apiv3_key(mut self, key: impl Into<String>) -> SandboxBuilder {
        self.apiv3_key = Some(key.into());
        self
    }

    /// Sets the clock of signatures this many seconds ahead of the machine's clock (negative: behind).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// // With more than five minutes, both sides reject each other's messages.
    /// let sandbox = Sandbox::builder().clock_skew(-301).start()?;
    /// let echo = serde_json::json!({ "echo_message": "hello" });
    /// assert!(sandbox.client()?["v3/security/echo"].post_sync(echo).is_err());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn clock_skew(mut self, seconds: i64) -> SandboxBuilder {
        self.clock_skew = seconds;
        self
    }

    /// Whether error responses are signed. Default: yes. The real platform's behaviour is undocumented, so test a client
    /// with both settings.
    pub fn sign_errors(mut self, sign: bool) -> SandboxBuilder {
        self.sign_errors = sign;
        self
    }

    /// Keeps orders, refunds, files and all other state in this file across restarts. It is an SQLite database, and is
    /// created if it does not exist. All changes that a client got a response for survive a kill at any moment. Only one
    /// sandbox at a time can use the file.
    ///
    /// The file also has the lists of [`requests`](Sandbox::requests) and [`notifications`](Sandbox::notifications):
    /// written twice a second and when the sandbox is dropped, without `Authorization` and cookies, and with at most
    /// 64 KiB of each body. A kill can lose the records of the last half second.
    ///
    /// By default the state is in memory, limited to 256 MiB: beyond it, nothing new is stored (507 `SANDBOX_FULL`).
    pub fn state(mut self, file: impl AsRef<Path>) -> SandboxBuilder {
        self.state = Some(file.as_ref().into());
        self
    }

    /// Whether refunds stay `PROCESSING` until [`Sandbox::settle_refund`]. By default the response to a refund says
    /// `PROCESSING`, and the refund succeeds right afterwards, with its notification.
    pub fn hold_refunds(self, hold: bool) -> SandboxBuilder {
        self.hold(Hold::Refunds, hold)
    }

    /// Whether code payments (付款码支付) stay `USERPAYING`, as if the user had to enter a password, until
    /// [`Sandbox::pay`] or [`Sandbox::fail_payment`]. By default they succeed at once.
    pub fn hold_code_payments(self, hold: bool) -> SandboxBuilder {
        self.hold(Hold::CodePayments, hold)
    }

    fn hold(mut self, hold: Hold, active: bool) -> SandboxBuilder {
        self.holds.retain(|known| *known != hold);
        self.holds.extend(active.then_some(hold));
        self
    }

    /// Calls this function for each request, right before its response is sent, and after each attempt to send a
    /// notification. It replaces an earlier one. It runs on the thread of the sandbox's connections: while it blocks, all
    /// responses wait. So it must not wait for the sandbox itself, by a request or by dropping it: that would never end. To
    /// do more than print or count, send a copy to a thread of your own.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// use wechatpay_chain::sandbox::{Sandbox, Seen};
    ///
    /// let sandbox = Sandbox::builder()
    ///     .watch(|seen| match seen {
    ///         Seen::Request(request) => eprintln!("{request}"), // #1 POST /v3/security/echo 200 accepted, 2 ms
    ///         Seen::Notification(notification) => eprintln!("{notification}"),
    ///         _ => {}
    ///     })
    ///     .start()?;
    /// sandbox.client()?["v3/security/echo"].post_sync(serde_json::json!({ "echo_message": "hello" }))?;
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn watch(mut self, watch: impl Fn(Seen<'_>) + Send + Sync + 'static) -> SandboxBuilder {
        self.watcher = Watcher::new(watch);
        self
    }

    /// The port to listen on. Default, and with 0: a free port.
    pub fn port(mut self, port: u16) -> SandboxBuilder {
        (self.port, self.or_free_port) = (port, false);
        self
    }

    /// The port to listen on if it is free. Otherwise, a free port.
    pub fn prefer_port(mut self, port: u16) -> SandboxBuilder {
        (self.port, self.or_free_port) = (port, true);
        self
    }

    /// The address to listen on. Default: `127.0.0.1`.
    ///
    /// Any other than a loopback address opens the sandbox to the network: everyone who can reach it can use the web page
    /// and the [control endpoint](crate::guide::sandbox), which need no signature, read the requests and their bodies,
    /// and make the sandbox send notifications. It never shows a private key or the APIv3 key there.
    pub fn host(mut self, address: IpAddr) -> SandboxBuilder {
        self.host = address;
        self
    }

    /// Accepts this host name at the web page and the control endpoint, with any port: a service's name in a compose file,
    /// or `localhost` for a forwarded port. By default only the address that a connection arrived at, and `localhost`,
    /// with the sandbox's own port.
    pub fn allow_host(mut self, name: impl Into<String>) -> SandboxBuilder {
        self.allow_hosts.push(name.into());
        self
    }

    /// Adds the scripted responses of a file. Each line is a JSON object with `method`, `template` (as for
    /// [`Sandbox::on`]) and optionally `status` (default 200), `headers` and `body`.
    ///
    /// Strings in headers and body can contain the placeholders `{{var.NAME}}` (a variable of the template),
    /// `{{query.NAME}}` and `{{body./JSON/POINTER}}`. A string that is only a placeholder keeps the type of the value. A
    /// missing value is `null`, or empty within a longer string.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("script.jsonl");
    /// let line = r#"{"method":"POST","template":"v3/lottery/{id}","body":{"id":"{{var.id}}","cents":"{{body./cents}}"}}"#;
    /// std::fs::write(&file, line)?;
    /// let sandbox = Sandbox::builder().script(&file).start()?;
    /// let drawn = sandbox.client()?.chain("v3/lottery/7").post_sync(json!({ "cents": 100 }))?;
    /// assert_eq!(*drawn.data(), json!({ "id": "7", "cents": 100 }));
    /// # Ok(()) }
    /// ```
    pub fn script(mut self, file: impl AsRef<Path>) -> SandboxBuilder {
        self.scripts.push(file.as_ref().into());
        self
    }

    /// Whether everything that differs from the documents is refused ([`SeenRequest::hints`](crate::sandbox::SeenRequest::hints)),
    /// and a path that is neither scripted nor documented gives 404. By default, only what the platform is sure to refuse is;
    /// and the path gives 200 with `{}` and the header `Sandbox-Not-Modelled: 1`.
    pub fn strict(mut self, strict: bool) -> SandboxBuilder {
        self.strict = strict;
        self
    }

    /// Allows notifications to this host (a name or an address, without a port). By default only this machine can receive
    /// them.
    pub fn notify_host(mut self, host: impl Into<String>) -> SandboxBuilder {
        self.notify_hosts.push(host.into());
        self
    }

    /// Speeds up the schedule of notifications by this factor. Default: 1. The timeout of 5 s for the receiver's response
    /// shrinks with it, but not below 1 s, and never grows.
    pub fn time_scale(mut self, scale: f64) -> SandboxBuilder {
        self.time_scale = scale;
        self
    }

    /// The random seed of fault rules with a share, and of values in responses that have a documented shape. Default: random; [`Sandbox::seed`] returns it.
    pub fn seed(mut self, seed: u64) -> SandboxBuilder {
        self.seed = Some(seed);
        self
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("keys", &self.keys.as_deref().map(shown))
            .field("sign_with", &self.sign_with)
            .field("mchid", &self.mchid.as_deref().map(Excerpt))
            .field("clock_skew", &self.clock_skew)
            .field("sign_errors", &self.sign_errors)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("allow_hosts", &self.allow_hosts.iter().map(|host| Excerpt(host)).collect::<Vec<_>>())
            .field("scripts", &self.scripts.iter().map(|file| shown(file)).collect::<Vec<_>>())
            .field("strict", &self.strict)
            .field("notify_hosts", &self.notify_hosts.iter().map(|host| Excerpt(host)).collect::<Vec<_>>())
            .field("time_scale", &self.time_scale)
            .field("seed", &self.seed)
            .field("state", &self.state.as_deref().map(shown))
            .finish_non_exhaustive()
    }
}

/// A path in a `Debug`: a caller's text like any other.
fn shown(path: &Path) -> String {
    Excerpt(&path.to_string_lossy()).to_string()
}
