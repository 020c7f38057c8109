//! [`SandboxBuilder`]: the settings of a sandbox before it starts.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::sandbox::Sandbox;
use crate::error::Excerpt;
use crate::sandbox::{
    admin,
    http::sandbox_error::SandboxError,
    keys::{folder, identity::Identity, random},
    model::{
        engine::holds::{Hold, Holds},
        scripts,
    },
    notify::outbox::DeliverySettings,
    server::{
        listener::Server,
        platform::{Platform, Settings},
    },
    store::database::Database,
};

/// The merchant number of the platform's examples.
const DEFAULT_MCHID: &str = "1900000109";

/// Configures a [`Sandbox`] before it starts.
#[derive(Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct SandboxBuilder {
    keys: Option<PathBuf>,
    mchid: Option<String>,
    apiv3_key: Option<String>,
    clock_skew: i64,
    sign_errors: bool,
    port: u16,
    scripts: Vec<PathBuf>,
    strict: bool,
    notify_hosts: Vec<String>,
    time_scale: f64,
    seed: Option<u64>,
    state: Option<PathBuf>,
    holds: Vec<Hold>,
}

impl SandboxBuilder {
    pub(crate) fn new() -> SandboxBuilder {
        SandboxBuilder {
            keys: None,
            mchid: None,
            apiv3_key: None,
            clock_skew: 0,
            sign_errors: true,
            port: 0,
            scripts: Vec::new(),
            strict: false,
            notify_hosts: Vec::new(),
            time_scale: 1.0,
            seed: None,
            state: None,
            holds: Vec::new(),
        }
    }

    /// Keeps keys, merchant number and APIv3 key in this folder. The folder is created and filled if it has none of the files,
    /// and read if it has all of them.
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
    /// assert!(sandbox.client()?["v3/certificates"].get_sync().is_err());
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
    /// By default the state is in memory, limited to the newest 50,000 resources and 1,000 files (128 MiB).
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

    /// The port to listen on. Default, and with 0: a free port.
    pub fn port(mut self, port: u16) -> SandboxBuilder {
        self.port = port;
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

    /// Whether a path that is neither scripted nor modelled gives 404. By default it gives 200 with `{}` and the header
    /// `Sandbox-Not-Modelled: 1`.
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

    /// The random seed of fault rules with a share. Default: random; [`Sandbox::seed`] returns it.
    pub fn seed(mut self, seed: u64) -> SandboxBuilder {
        self.seed = Some(seed);
        self
    }

    /// Starts the server on 127.0.0.1. It is listening when this returns.
    ///
    /// # Errors
    /// A setting is out of range or contradicts the keys folder; the keys folder is incomplete or invalid (the error
    /// names the file); a script is invalid (the error names file and line); the port is in use; the server cannot
    /// start.
    pub fn start(self) -> Result<Sandbox, SandboxError> {
        let delivery = DeliverySettings::new(&self.notify_hosts, self.time_scale)?;
        let seed = self.seed.map_or_else(random::seed, Ok);
        let settings = Settings {
            clock_skew: self.clock_skew,
            sign_errors: self.sign_errors,
            strict: self.strict,
            seed: seed.map_err(|_| SandboxError::Generate { what: "seed" })?,
            scripts: scripts::load(&self.scripts)?,
            delivery,
            database: match &self.state {
                Some(file) => Database::open(file)?,
                None => Database::in_memory()?,
            },
            holds: Holds::new(&self.holds),
        };
        let port = self.port;
        let (platform, jobs) = Platform::new(self.identity()?, settings)?;
        Ok(Sandbox::new(Server::start(platform, jobs, port, admin::hook())?))
    }

    fn identity(self) -> Result<Identity, SandboxError> {
        if let Some(mchid) = &self.mchid {
            folder::check_mchid(mchid).map_err(|problem| setting("mchid", problem))?;
        }
        if let Some(key) = &self.apiv3_key {
            folder::check_apiv3_key(key).map_err(|problem| setting("apiv3_key", problem))?;
        }
        let generate = |mchid: Option<String>, key| {
            Identity::generate(mchid.unwrap_or_else(|| DEFAULT_MCHID.to_string()), key)
        };
        let Some(keys) = self.keys else { return generate(self.mchid, self.apiv3_key) };
        if !folder::is_filled(&keys)? {
            let identity = generate(self.mchid, self.apiv3_key)?;
            folder::save(&keys, &identity)?;
            return Ok(identity);
        }
        let identity = folder::load(&keys)?;
        // If the setting or the file silently won, the contradiction would be noticed late.
        if self.mchid.is_some_and(|mchid| mchid != identity.mchid) {
            return Err(setting("mchid", format!("the keys folder belongs to {}", identity.mchid)));
        }
        if self.apiv3_key.is_some_and(|key| key != identity.apiv3_key) {
            return Err(setting("apiv3_key", "the keys folder has another APIv3 key".into()));
        }
        Ok(identity)
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("keys", &self.keys.as_deref().map(shown))
            .field("mchid", &self.mchid.as_deref().map(Excerpt))
            .field("clock_skew", &self.clock_skew)
            .field("sign_errors", &self.sign_errors)
            .field("port", &self.port)
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

fn setting(name: &'static str, problem: String) -> SandboxError {
    SandboxError::Setting { name, problem }
}
