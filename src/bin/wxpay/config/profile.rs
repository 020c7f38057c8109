//! Profiles of `config.toml`: a table for each, with the keys of [`variables`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use toml::Value;

use super::variables;
use crate::failure::{Failure, usage_error};
use crate::text::{Excerpt, ShownPath};
use crate::{file_mode, files, input};

pub(crate) const DEFAULT: &str = "default";

/// A profile's values by the names of their variables.
pub(crate) struct Profile {
    /// For messages.
    pub(super) name: String,
    pub(super) values: BTreeMap<&'static str, String>,
}

/// `config.toml` in the configuration folder of the operating system.
pub(crate) fn default_file() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("wxpay").join("config.toml"))
}

/// The profiles of a file: its tables, and what else it has.
pub(crate) fn load(file: &Path) -> Result<toml::Table, Failure> {
    let text = input::configuration(file)?;
    file_mode::warn_if_readable_by_others("the configuration", file);
    parse(file, &text)
}

/// The names of the profiles, without a message about a file that cannot be read.
pub(crate) fn names(file: &Path) -> Vec<String> {
    let profiles = input::configuration(file).and_then(|text| parse(file, &text)).unwrap_or_default();
    profiles.into_iter().filter(|(_, value)| value.is_table()).map(|(name, _)| name).collect()
}

/// The profiles in the text of a file.
pub(crate) fn parse(file: &Path, text: &str) -> Result<toml::Table, Failure> {
    // The parser's full message quotes the line, which may hold a key.
    text.parse().map_err(|e: toml::de::Error| {
        let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        usage_error(format!("{}, line {line}, column {column}: not TOML", ShownPath(file)))
            .with_hint("write `key = \"value\"`, with the value in quotes")
    })
}

impl Profile {
    /// A profile among those of the file.
    pub(crate) fn of(file: &Path, profiles: &toml::Table, profile: &str) -> Result<Profile, Failure> {
        let path = ShownPath(file);
        let Some(table) = profiles.get(profile).and_then(Value::as_table) else {
            let names = profiles.iter().filter(|(_, value)| value.is_table()).map(|(name, _)| name);
            let names: Vec<_> = names.map(|name| Excerpt(name).to_string()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(usage_error(format!("{path} has no profile {}", Excerpt(profile)))
                .with_hint(format!("available profiles: {names}")));
        };
        let name = format!("{path}, profile {}", Excerpt(profile));
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let Some(variable) = variables::names().find(|name| variables::key_of(name) == *key) else {
                let known: Vec<_> = variables::names().map(variables::key_of).collect();
                return Err(usage_error(format!("{name}: unknown key {}", Excerpt(key)))
                    .with_hint(format!("known keys: {}", known.join(", "))));
            };
            let value = match value {
                Value::String(text) if variable == variables::P12 && files::path_of(text).is_none() => {
                    resolve_path(folder, &format!("file://{text}"))
                }
                Value::String(text) => resolve_path(folder, text),
                Value::Boolean(on) => i32::from(*on).to_string(),
                Value::Integer(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                other => {
                    let found = other.type_str();
                    return Err(usage_error(format!("{name}: `{key}`: expected a string, found {found}")));
                }
            };
            values.insert(variable, value);
        }
        Ok(Profile { name, values })
    }
}

/// Resolves a relative `file://` path against the folder of the configuration; other values stay as they are.
fn resolve_path(folder: &Path, value: &str) -> String {
    match files::path_of(value).map(Path::new) {
        // A path of Windows is no relative one elsewhere, and its error says so.
        Some(path) if path.is_relative() && !path.to_str().is_some_and(files::has_drive) => {
            match std::path::absolute(folder.join(path)) {
                Ok(path) => format!("file://{}", path.display()),
                Err(_) => value.to_owned(),
            }
        }
        _ => value.to_owned(),
    }
}
