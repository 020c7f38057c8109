use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    Sandbox, SandboxError, clock::Clock, folder, keys::Identity, platform::Platform, server::Server,
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
            state: None,
            hold_refunds: false,
        }
    }

    /// Keeps keys, merchant id and APIv3 key in this folder. It is made and filled when none of the files is
    /// there, and read when all are.
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

    /// Starts the server on a free port of 127.0.0.1. It listens when this returns.
    ///
    /// # Errors
    /// A setting out of its range or other than what the keys folder holds, a keys folder that is incomplete
    /// or does not parse (the file is named), or a server that cannot start.
    pub fn start(self) -> Result<Sandbox, SandboxError> {
        let clock = Clock { skew: self.clock_skew };
        let (sign_errors, hold_refunds) = (self.sign_errors, self.hold_refunds);
        let store = match &self.state {
            Some(file) => Store::open(file)?,
            None => Store::in_memory()?,
        };
        let platform = Platform::new(self.identity()?, clock, sign_errors, store, hold_refunds)?;
        Ok(Sandbox::new(Server::start(platform)?))
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
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn setting(name: &'static str, problem: String) -> SandboxError {
    SandboxError::Setting { name, problem }
}
