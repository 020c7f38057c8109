//! Who calls: the environment, a profile of `config.toml`, or the sandbox's merchant. All three are a set of
//! `WECHATPAY_*` values, so that the library's own door takes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) mod sandbox;

use etcetera::BaseStrategy as _;
use wechatpay_chain::{Builder, Error, WeChatPay, sandbox::Sandbox};

use crate::cli::Global;
use crate::exit::{Failure, describe, usage};
use crate::file_mode;

/// The variables that say who calls. In a profile, a key is the name without its prefix, in lower case.
pub(crate) const VARIABLES: [&str; 14] = [
    "WECHATPAY_MCHID",
    "WECHATPAY_SERIAL",
    "WECHATPAY_CERTIFICATE",
    "WECHATPAY_PRIVATE_KEY",
    "WECHATPAY_PASSPHRASE",
    "WECHATPAY_P12",
    "WECHATPAY_PUBLIC_KEY_ID",
    "WECHATPAY_PUBLIC_KEY",
    "WECHATPAY_PLATFORM_SERIAL",
    "WECHATPAY_PLATFORM_CERTIFICATE",
    "WECHATPAY_AUTOMATIC_CERTIFICATES",
    "WECHATPAY_APIV3_KEY",
    "WECHATPAY_BASE_URL",
    "WECHATPAY_TIMEOUT",
];

const PREFIX: &str = "WECHATPAY_";

/// A client, and what it needs to stay.
pub(crate) struct Session {
    pub(crate) wx: WeChatPay,
    _source: Source,
}

/// A client that sends something.
pub(crate) fn open(global: &Global) -> Result<Session, Failure> {
    check_host(global)?;
    open_with(global, |builder| builder)
}

/// The sandbox's merchant is nobody anywhere else.
pub(crate) fn check_host(global: &Global) -> Result<(), Failure> {
    match global.sandbox && global.base_url.is_some() {
        true => Err(usage(
            "--sandbox is the platform itself: --base-url goes with it only for --dry-run and --curl",
        )),
        false => Ok(()),
    }
}

/// A client with more said about it.
pub(crate) fn open_with(global: &Global, more: impl FnOnce(Builder) -> Builder) -> Result<Session, Failure> {
    let source = Source::find(global)?;
    let wx = source.client(global, more)?;
    Ok(Session { wx, _source: source })
}

/// Where the values come from.
pub(crate) struct Source {
    /// For messages.
    pub(crate) name: String,
    values: BTreeMap<&'static str, String>,
    profile: bool,
    /// Runs as long as this.
    _sandbox: Option<Sandbox>,
}

impl Source {
    pub(crate) fn find(global: &Global) -> Result<Source, Failure> {
        if global.sandbox {
            let sandbox = sandbox::start()?;
            let values = sandbox::variables(&sandbox).into_iter().collect();
            return Ok(Source {
                name: "the sandbox".to_owned(),
                values,
                profile: false,
                _sandbox: Some(sandbox),
            });
        }
        let usual = usual_file();
        let named = global.config.is_some() || global.profile.is_some();
        let environment = environment()?;
        let file = match (&global.config, usual) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(file)) if named || file.exists() => Some(file),
            (None, _) => None,
        };
        let source = match file {
            Some(file) if named || !environment.contains_key("WECHATPAY_MCHID") => {
                profile(&file, global.profile.as_deref().unwrap_or("default"))?
            }
            None if environment.is_empty() => return Err(nobody()),
            _ => Source {
                name: "the environment".to_owned(),
                values: environment,
                profile: false,
                _sandbox: None,
            },
        };
        let key = source.get("WECHATPAY_PRIVATE_KEY").and_then(|value| value.strip_prefix("file://"));
        let p12 = source.get("WECHATPAY_P12").map(|value| value.strip_prefix("file://").unwrap_or(value));
        for path in [key, p12].into_iter().flatten() {
            file_mode::check("the key file", Path::new(path));
        }
        Ok(source)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Takes a value away.
    pub(crate) fn forget(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    pub(crate) fn client(
        &self,
        global: &Global,
        more: impl FnOnce(Builder) -> Builder,
    ) -> Result<WeChatPay, Failure> {
        let wrong = |error: Error| {
            let text = describe(&error);
            // What an option says is no mistake of the configuration's.
            let option = match &error {
                Error::Config(e) if e.field() == "WECHATPAY_BASE_URL" && global.base_url.is_some() => {
                    "--base-url"
                }
                Error::Config(e) if e.field() == "timeout" && global.timeout.is_some() => "--timeout",
                _ if self.profile => return usage(format!("{}: {}", self.name, by_key(&text))),
                _ => return usage(format!("{}: {text}", self.name)),
            };
            let (_, rest) = text.split_once("` ").unwrap_or(("", &text));
            usage(format!("{option} {rest}"))
        };
        let mut builder = Builder::from_variables(|name| self.get(name).map(str::to_owned)).map_err(wrong)?;
        if let Some(url) = &global.base_url {
            builder = builder.base_url(url);
        }
        if let Some(seconds) = global.timeout {
            let timeout = Duration::try_from_secs_f64(seconds)
                .map_err(|_| usage(format!("--timeout: expected seconds, found {seconds}")))?;
            builder = builder.timeout(timeout);
        }
        more(builder).build().map_err(wrong)
    }
}

/// What the environment says. An empty variable is an unset one: that is how shells and containers unset them.
fn environment() -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut values = BTreeMap::new();
    for name in VARIABLES {
        match std::env::var(name) {
            Ok(value) if !value.is_empty() => drop(values.insert(name, value)),
            Err(std::env::VarError::NotUnicode(_)) => return Err(usage(format!("`{name}` is not UTF-8"))),
            _ => {}
        }
    }
    Ok(values)
}

/// `config.toml` in the platform's usual folder.
fn usual_file() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("wxpay").join("config.toml"))
}

fn nobody() -> Failure {
    let file = usual_file().map_or_else(|| "config.toml".to_owned(), |file| file.display().to_string());
    usage(format!(
        "nothing says who calls: set WECHATPAY_MCHID and its sisters, or write `{file}`, \
         or try --sandbox, which needs no account"
    ))
}

fn profile(file: &Path, name: &str) -> Result<Source, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|e| usage(format!("`{shown}` cannot be read: {e}")))?;
    file_mode::check("the configuration", file);
    // The parser's own message would show the line, which may hold a key.
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.matches('\n').count() + 1);
        usage(format!("`{shown}`, line {line}: {}", e.message()))
    })?;
    let Some(profile) = table.get(name).and_then(toml::Value::as_table) else {
        let known: Vec<_> =
            table.iter().filter(|(_, value)| value.is_table()).map(|(name, _)| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(usage(format!("`{shown}` has no profile `{name}`; it has: {known}")));
    };
    let from = format!("`{shown}`, profile `{name}`");
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut values = BTreeMap::new();
    for (key, value) in profile {
        let variable = VARIABLES.into_iter().find(|variable| key_of(variable) == *key).ok_or_else(|| {
            let known: Vec<_> = VARIABLES.into_iter().map(key_of).collect();
            usage(format!("{from}: `{key}` is no key; known are: {}", known.join(" ")))
        })?;
        let value = match value {
            // A path in itself.
            toml::Value::String(text) if key == "p12" && !text.starts_with("file://") => {
                beside(folder, &format!("file://{text}"))
            }
            toml::Value::String(text) => beside(folder, text),
            toml::Value::Boolean(on) => i32::from(*on).to_string(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            other => return Err(usage(format!("{from}: `{key}` is {}", other.type_str()))),
        };
        values.insert(variable, value);
    }
    Ok(Source { name: from, values, profile: true, _sandbox: None })
}

/// A `file://` path that is not absolute begins where the configuration lies.
fn beside(folder: &Path, text: &str) -> String {
    match text.strip_prefix("file://").map(Path::new) {
        Some(path) if path.is_relative() => match std::path::absolute(folder.join(path)) {
            Ok(path) => format!("file://{}", path.display()),
            Err(_) => text.to_owned(),
        },
        _ => text.to_owned(),
    }
}

fn key_of(variable: &str) -> String {
    variable.strip_prefix(PREFIX).unwrap_or(variable).to_ascii_lowercase()
}

/// A message that names variables, by a profile's keys.
fn by_key(text: &str) -> String {
    // The longest first: `WECHATPAY_PUBLIC_KEY_ID` begins with `WECHATPAY_PUBLIC_KEY`.
    let mut names = VARIABLES;
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.iter().fold(text.to_owned(), |text, name| text.replace(name, &key_of(name)))
}
