//! [`SandboxBuilder::start`]: the settings are checked, then the parts are put together.

use super::{builder::SandboxBuilder, sandbox::Sandbox};
use crate::error::Excerpt;
use crate::sandbox::{
    admin,
    http::sandbox_error::SandboxError,
    keys::{folder, identity::Identity, key_pair::Serials, keyring::Keyring, random, saved_keys::SavedKeys},
    model::{engine::holds::Holds, scripts},
    notify::outbox::DeliverySettings,
    server::{
        listener::{Server, Socket},
        platform::{Platform, Settings},
    },
    store::database::Database,
};

/// The merchant number of the platform's examples.
const DEFAULT_MCHID: &str = "1900000109";

impl SandboxBuilder {
    /// Starts the server. It is listening when this returns.
    ///
    /// # Errors
    /// A setting is out of range or contradicts the keys folder; the keys folder is incomplete or invalid (the error
    /// names the file); a script is invalid (the error names file and line); the port is in use; the server cannot
    /// start.
    pub fn start(self) -> Result<Sandbox, SandboxError> {
        self.check_merchant()?;
        let delivery = DeliverySettings::new(&self.notify_hosts, self.time_scale)?;
        let seed = self.seed.map_or_else(random::seed, Ok);
        let seed = seed.map_err(|_| SandboxError::Generate { what: "seed" })?;
        let scripts = scripts::load(&self.scripts)?;
        let allow_hosts = host_names(&self.allow_hosts)?;
        // Before anything is written: a start on a taken port leaves nothing behind.
        let socket = Socket::bind(self.host, self.port, self.or_free_port)?;
        let settings = Settings {
            allow_hosts,
            clock_skew: self.clock_skew,
            sign_errors: self.sign_errors,
            strict: self.strict,
            seed,
            scripts,
            delivery,
            database: match &self.state {
                Some(file) => Database::open(file)?,
                None => Database::in_memory()?,
            },
            holds: Holds::new(&self.holds),
            keys_folder: self.keys.clone(),
            watcher: self.watcher.clone(),
        };
        let identity = self.identity()?;
        let saved = self.keys.as_deref().filter(|_| self.keep_rotation).map(SavedKeys::new);
        let keyring = Keyring::new(&identity, self.sign_with, saved, self.serials)?;
        let (platform, jobs) = Platform::new(identity, keyring, settings)?;
        Ok(Sandbox::new(Server::start(platform, jobs, socket, admin::hook())?))
    }

    fn check_merchant(&self) -> Result<(), SandboxError> {
        if let Some(mchid) = &self.mchid {
            folder::check_mchid(mchid).map_err(|problem| setting("mchid", problem))?;
        }
        if let Some(key) = &self.apiv3_key {
            folder::check_apiv3_key(key).map_err(|problem| setting("apiv3_key", problem))?;
        }
        Ok(())
    }

    fn identity(&self) -> Result<Identity, SandboxError> {
        let generate = || {
            let mchid = self.mchid.clone().unwrap_or_else(|| DEFAULT_MCHID.to_string());
            Identity::generate(mchid, self.apiv3_key.clone(), self.serials)
        };
        let Some(keys) = &self.keys else { return generate() };
        let identity = folder::load_or_generate(keys, generate)?;
        // If the setting or the file silently won, the contradiction would be noticed late.
        if self.mchid.as_ref().is_some_and(|mchid| *mchid != identity.mchid) {
            return Err(setting("mchid", format!("the keys folder belongs to {}", identity.mchid)));
        }
        if self.apiv3_key.as_ref().is_some_and(|key| *key != identity.apiv3_key) {
            return Err(setting("apiv3_key", "the keys folder has another APIv3 key".into()));
        }
        if self.serials == Serials::WithZero && !identity.merchant.serial.starts_with('0') {
            let problem =
                "the keys folder has certificates without it: name another folder, or empty this one";
            return Err(setting("serial_zero", problem.into()));
        }
        Ok(identity)
    }
}

/// In lower case. A name with a port, a scheme or a path could never match.
fn host_names(names: &[String]) -> Result<Vec<String>, SandboxError> {
    let parsed = names.iter().map(|name| match url::Host::parse(name) {
        Ok(host) if !name.is_empty() => Ok(host.to_string()),
        _ => {
            let problem = format!("expected a host name without a port, found {}", Excerpt(name));
            Err(setting("allow_host", problem))
        }
    });
    parsed.collect()
}

fn setting(name: &'static str, problem: String) -> SandboxError {
    SandboxError::Setting { name, problem }
}
