use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    Sandbox, SandboxError,
    delivery::Deliveries,
    folder,
    keys::Identity,
    platform::{Platform, Settings},
    random, scripts,
    server::Server,
    store::Store,
};

/// The merchant id of the platform's own examples.
const MCHID: &str = "1900000109";

/// Settings of a [`Sandbox`] before it starts.
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
    hold_refunds: bool,
}

impl SandboxBuilder {
    pub(super) fn new() -> SandboxBuilder {
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
            hold_refunds: false,
        }
    }

    /// Keeps keys, merchant id and APIv3 key in this folder. It is made and filled when none of the files is
    /// there, and read when all are.
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

    /// The merchant id, digits only. Unless set: the keys folder's, else `1900000109`.
    pub fn mchid(mut self, mchid: impl Into<String>) -> SandboxBuilder {
        self.mchid = Some(mchid.into());
        self
    }

    /// The APIv3 key, exactly 32 bytes. Unless set: the keys folder's, else a random one.
    pub fn apiv3_key(mut self, key: impl Into<String>) -> SandboxBuilder {
        self.apiv3_key = Some(key.into());
        self
    }

    /// Sets the sandbox's clock this many seconds ahead of the machine's (behind, when negative).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// // Beyond five minutes the two no longer believe each other.
    /// let sandbox = Sandbox::builder().clock_skew(-301).start()?;
    /// assert!(sandbox.client()?["v3/certificates"].get_sync().is_err());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn clock_skew(mut self, seconds: i64) -> SandboxBuilder {
        self.clock_skew = seconds;
        self
    }

    /// Whether error answers carry a signature; they do unless this says `false`. No document says what the
    /// real platform does, so a client should be tried with both.
    pub fn sign_errors(mut self, sign: bool) -> SandboxBuilder {
        self.sign_errors = sign;
        self
    }

    /// Keeps orders, refunds, files and all other state in this file over restarts: an SQLite database, made if it
    /// is not there. What was answered survives a kill at any moment. One sandbox at a time can use it.
    ///
    /// Unless set, the state is in memory, where the newest 50,000 resources and 1,000 files (128 MiB) are kept.
    pub fn state(mut self, file: impl AsRef<Path>) -> SandboxBuilder {
        self.state = Some(file.as_ref().into());
        self
    }

    /// Whether refunds stay `PROCESSING` until [`Sandbox::settle_refund`]. Otherwise a refund is answered as
    /// `PROCESSING` and is done right after, notification included.
    pub fn hold_refunds(mut self, hold: bool) -> SandboxBuilder {
        self.hold_refunds = hold;
        self
    }

    /// The port to listen on. Unless set, or when 0: any free one.
    pub fn port(mut self, port: u16) -> SandboxBuilder {
        self.port = port;
        self
    }

    /// Adds the scripted answers of a file: one JSON object a line, with `method`, `template` (as for
    /// [`Sandbox::on`]), and, where wanted, `status` (200), `headers` and `body`.
    ///
    /// A text in headers or body may hold `{{var.NAME}}` (of the template), `{{query.NAME}}` and
    /// `{{body./JSON/POINTER}}`; one that is only a placeholder takes the value with its type. What is not there is
    /// `null`, and nothing within a longer text.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("answers.jsonl");
    /// let line = r#"{"method":"POST","template":"v3/lottery/{id}","body":{"id":"{{var.id}}","cents":"{{body./cents}}"}}"#;
    /// std::fs::write(&file, line)?;
    /// let sandbox = Sandbox::builder().script(&file).start()?;
    /// let drawn = sandbox.client()?.chain("v3/lottery/7").post_sync(json!({ "cents": 100 }))?;
    /// assert_eq!(drawn.data(), json!({ "id": "7", "cents": 100 }));
    /// # Ok(()) }
    /// ```
    pub fn script(mut self, file: impl AsRef<Path>) -> SandboxBuilder {
        self.scripts.push(file.as_ref().into());
        self
    }

    /// Whether a path that nothing models is 404. Unless set it is answered with 200, `{}` and a header
    /// `Sandbox-Not-Modelled: 1`.
    pub fn strict(mut self, strict: bool) -> SandboxBuilder {
        self.strict = strict;
        self
    }

    /// Allows notifications to this host (a name or an address, without a port), too. Unless allowed, they go to
    /// this machine only.
    pub fn notify_host(mut self, host: impl Into<String>) -> SandboxBuilder {
        self.notify_hosts.push(host.into());
        self
    }

    /// How many times faster than the platform's the schedule of notifications runs; 1 unless set. The 5 s for the
    /// receiver's answer shrink with it, but not below 1 s, and never grow.
    pub fn time_scale(mut self, scale: f64) -> SandboxBuilder {
        self.time_scale = scale;
        self
    }

    /// The seed of the faults that hit a share of the requests. Unless set it is a random one, which
    /// [`Sandbox::seed`] tells.
    pub fn seed(mut self, seed: u64) -> SandboxBuilder {
        self.seed = Some(seed);
        self
    }

    /// Starts the server on 127.0.0.1. It listens when this returns.
    ///
    /// # Errors
    /// A setting out of its range or other than what the keys folder holds, a keys folder that is incomplete
    /// or does not parse (the file is named), a script that cannot be used (file and line are named), a port that
    /// is taken, or a server that cannot start.
    pub fn start(self) -> Result<Sandbox, SandboxError> {
        let (deliveries, jobs) = Deliveries::new(&self.notify_hosts, self.time_scale)?;
        let seed = self.seed.map_or_else(random::number, Ok);
        let settings = Settings {
            clock_skew: self.clock_skew,
            sign_errors: self.sign_errors,
            strict: self.strict,
            seed: seed.map_err(|_| SandboxError::Generate { what: "seed" })?,
            scripts: scripts::load(&self.scripts)?,
            deliveries,
            store: match &self.state {
                Some(file) => Store::open(file)?,
                None => Store::in_memory()?,
            },
            holds_refunds: self.hold_refunds,
        };
        let port = self.port;
        Ok(Sandbox::new(Server::start(Platform::new(self.identity()?, settings)?, jobs, port)?))
    }

    fn identity(self) -> Result<Identity, SandboxError> {
        if let Some(mchid) = &self.mchid {
            folder::check_mchid(mchid).map_err(|problem| setting("mchid", problem))?;
        }
        if let Some(key) = &self.apiv3_key {
            folder::check_apiv3_key(key).map_err(|problem| setting("apiv3_key", problem))?;
        }
        let fresh =
            |mchid: Option<String>, key| Identity::generate(mchid.unwrap_or_else(|| MCHID.to_string()), key);
        let Some(keys) = self.keys else { return fresh(self.mchid, self.apiv3_key) };
        if !folder::is_filled(&keys)? {
            let identity = fresh(self.mchid, self.apiv3_key)?;
            folder::store(&keys, &identity)?;
            return Ok(identity);
        }
        let identity = folder::load(&keys)?;
        // A setting that silently loses against a file, or a file against a setting, would be found out late.
        if self.mchid.is_some_and(|mchid| mchid != identity.mchid) {
            return Err(setting("mchid", format!("the keys folder belongs to {}", identity.mchid)));
        }
        if self.apiv3_key.is_some_and(|key| key != identity.apiv3_key) {
            return Err(setting("apiv3_key", "the keys folder holds another one".into()));
        }
        Ok(identity)
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("keys", &self.keys)
            .field("mchid", &self.mchid)
            .field("clock_skew", &self.clock_skew)
            .field("sign_errors", &self.sign_errors)
            .field("port", &self.port)
            .field("scripts", &self.scripts)
            .field("strict", &self.strict)
            .field("notify_hosts", &self.notify_hosts)
            .field("time_scale", &self.time_scale)
            .field("seed", &self.seed)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn setting(name: &'static str, problem: String) -> SandboxError {
    SandboxError::Setting { name, problem }
}
