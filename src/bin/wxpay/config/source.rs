//! Where the configuration comes from: the environment, a profile of `config.toml`, or the sandbox. Each is a set of
//! `WECHATPAY_*` values, from which the library builds a client.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::Path;
use std::time::Duration;

use wechatpay_chain::{Error, WeChatPay, WeChatPayBuilder, sandbox::Sandbox};

use super::profile::{self, Profile};
use super::stray::{self, Chosen};
use super::{public_key_id, sandbox, unsigned, variables};
use crate::failure::{Failure, describe, hint, usage_error};
use crate::global::GlobalArgs;
use crate::{file_mode, files, verbose};

/// A client that cannot be built: the setting, and the message that names it as its source does.
pub(crate) struct InvalidSetting {
    pub(crate) error: Option<Error>,
    pub(crate) failure: Failure,
}

impl InvalidSetting {
    /// The variable or setter; empty for an invalid option.
    pub(crate) fn field(&self) -> &str {
        match &self.error {
            Some(Error::Config(e)) => e.field(),
            Some(Error::Key(e)) => &e.name,
            _ => "",
        }
    }
}

pub(crate) struct SettingsSource {
    /// For messages.
    pub(crate) name: String,
    kind: SourceKind,
    values: BTreeMap<&'static str, String>,
}

enum SourceKind {
    Environment,
    Profile,
    /// Runs until it is dropped.
    Sandbox {
        _running: Box<Sandbox>,
    },
}

impl SettingsSource {
    /// The first of: `--sandbox`, `--profile` or `--config`, the environment, the default profile. A variable that is set,
    /// but does not count, is refused or reported.
    pub(crate) fn find(global: &GlobalArgs) -> Result<SettingsSource, Failure> {
        SettingsSource::find_any(global)?.ok_or_else(no_credentials)
    }

    fn find_any(global: &GlobalArgs) -> Result<Option<SettingsSource>, Failure> {
        if global.sandbox {
            let running = Box::new(sandbox::start()?);
            let values = running.variables().into_iter().collect();
            stray::check(Chosen::Sandbox, "the sandbox", &values, global)?;
            return Ok(Some(SettingsSource {
                name: "the sandbox".to_owned(),
                kind: SourceKind::Sandbox { _running: running },
                values,
            }));
        }
        let requested = global.config.is_some() || global.profile.is_some();
        let environment = environment()?;
        let file = match (&global.config, profile::default_file()) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(file)) if requested || file.exists() => Some(file),
            (None, _) => None,
        };
        let source = match file {
            Some(file) if requested || !environment.contains_key(variables::MCHID) => {
                let profile = global.profile.as_deref().unwrap_or(profile::DEFAULT);
                let profile = Profile::of(&file, &profile::load(&file)?, profile)?;
                let chosen = if requested { Chosen::Requested } else { Chosen::Default };
                return SettingsSource::of_profile(profile, chosen, global).map(Some);
            }
            _ => {
                stray::check(Chosen::Environment, "", &environment, global)?;
                if environment.is_empty() {
                    return Ok(None);
                }
                SettingsSource {
                    name: "the environment".to_owned(),
                    kind: SourceKind::Environment,
                    values: environment,
                }
            }
        };
        source.check_file_modes();
        Ok(Some(source))
    }

    /// For a client that only prepares requests: of all settings, the base URL. No credentials are read or needed.
    pub(crate) fn without_credentials(global: &GlobalArgs) -> Result<SettingsSource, Failure> {
        let found = match global.sandbox {
            true => None,
            false => SettingsSource::find_any(global)?,
        };
        let mut source = found.unwrap_or_else(|| SettingsSource {
            name: "the environment".to_owned(),
            kind: SourceKind::Environment,
            values: BTreeMap::new(),
        });
        source.values.retain(|name, _| [variables::BASE_URL, variables::ALLOW_HTTP].contains(name));
        for (name, value) in unsigned::SETTINGS {
            source.set(name, value.to_owned());
        }
        Ok(source)
    }

    /// [`find`](Self::find), for a command that uses the settings: they are checked as far as the library cannot.
    pub(crate) fn find_valid(global: &GlobalArgs) -> Result<SettingsSource, Failure> {
        let source = SettingsSource::find(global)?;
        public_key_id::check(&source)?;
        Ok(source)
    }

    /// The settings of a profile that may not be in its file yet.
    pub(crate) fn of_new_profile(profile: Profile, global: &GlobalArgs) -> Result<SettingsSource, Failure> {
        SettingsSource::of_profile(profile, Chosen::Requested, global)
    }

    fn of_profile(profile: Profile, chosen: Chosen, global: &GlobalArgs) -> Result<SettingsSource, Failure> {
        let Profile { name, values } = profile;
        stray::check(chosen, &name, &values, global)?;
        let source = SettingsSource { name, kind: SourceKind::Profile, values };
        source.check_file_modes();
        Ok(source)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.values.insert(name, value);
    }

    /// A message that names variables, with the profile's keys instead if it is a profile.
    pub(crate) fn in_its_names(&self, message: &str) -> String {
        match self.kind {
            SourceKind::Profile => variables::with_keys(message),
            _ => message.to_owned(),
        }
    }

    /// Builds a client from the values and the global options; `configure` may set more.
    pub(crate) fn client(
        &self,
        global: &GlobalArgs,
        configure: impl FnOnce(WeChatPayBuilder) -> WeChatPayBuilder,
    ) -> Result<WeChatPay, Failure> {
        self.try_client(global, configure).map_err(|invalid| invalid.failure)
    }

    /// As [`client`](Self::client); the error says which setting is invalid.
    pub(crate) fn try_client(
        &self,
        global: &GlobalArgs,
        configure: impl FnOnce(WeChatPayBuilder) -> WeChatPayBuilder,
    ) -> Result<WeChatPay, InvalidSetting> {
        let invalid = |error: Error, failure: Failure| InvalidSetting { error: Some(error), failure };
        let mut builder = WeChatPayBuilder::from_variables(|name| self.get(name).map(str::to_owned))
            .map_err(|error| {
                let failure = self.invalid_value(&error);
                invalid(error, failure)
            })?;
        if verbose::is_on() {
            let secrets = variables::settings().filter(|variable| variable.is_secret());
            secrets.filter_map(|variable| self.get(variable.name)).for_each(verbose::hide);
            builder = builder.trace_messages();
        }
        if let Some(url) = &global.base_url {
            builder = builder.base_url(url);
        }
        if let Some(seconds) = global.timeout {
            let timeout = Duration::try_from_secs_f64(seconds).map_err(|_| {
                let failure = usage_error(format!("--timeout: expected seconds, found {seconds}"));
                InvalidSetting { error: None, failure }
            })?;
            builder = builder.timeout(timeout);
        }
        configure(builder).build().map_err(|error| {
            let failure = self.failure(global, &error);
            invalid(error, failure)
        })
    }

    /// Names the option, or else the profile's key or the variable, that has the invalid value.
    fn failure(&self, global: &GlobalArgs, error: &Error) -> Failure {
        let failure = match error {
            Error::Config(e) if e.field() == variables::BASE_URL && global.base_url.is_some() => {
                usage_error(format!("--base-url {}", e.reason()))
            }
            Error::Config(e) if e.field() == variables::TIMEOUT && global.timeout.is_some() => {
                usage_error(format!("--timeout {}", e.reason()))
            }
            _ => return self.invalid_value(error),
        };
        self.with_fix(failure, error)
    }

    /// Names the profile's key or the variable that has the invalid value.
    fn invalid_value(&self, error: &Error) -> Failure {
        let failure = usage_error(format!("{}: {}", self.name, self.in_its_names(&describe(error))));
        self.with_fix(failure, error)
    }

    fn with_fix(&self, failure: Failure, error: &Error) -> Failure {
        match hint(error) {
            Some(fix) => failure.with_hint(self.in_its_names(&fix)),
            None => failure,
        }
    }

    fn check_file_modes(&self) {
        let key = self.get(variables::PRIVATE_KEY).and_then(files::path_of);
        let p12 = self.get(variables::P12).map(|value| files::path_of(value).unwrap_or(value));
        for path in [key, p12].into_iter().flatten() {
            file_mode::warn_if_readable_by_others("the key file", Path::new(path));
        }
    }
}

/// The variables that are set. Shells and containers unset a variable by emptying it, so an empty one does not count.
fn environment() -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut values = BTreeMap::new();
    for name in variables::names() {
        match std::env::var(name) {
            Ok(value) if !value.is_empty() => drop(values.insert(name, value)),
            Err(VarError::NotUnicode(_)) => return Err(usage_error(format!("`{name}` is not UTF-8"))),
            _ => {}
        }
    }
    Ok(values)
}

fn no_credentials() -> Failure {
    let file = profile::default_file().map_or_else(|| "config.toml".to_owned(), |f| f.display().to_string());
    usage_error("no credentials found").with_hint(format!(
        "`wxpay config init` writes `{file}`; or set {} and the related variables (`wxpay help environment`); or use \
         --sandbox, which needs no account",
        variables::MCHID
    ))
}
