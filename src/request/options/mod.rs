//! PHP's `$options` array and Node's axios config, applied to a draft.

pub(crate) mod foreign;
mod near;

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::draft::{Body, Draft};
use crate::error::{Error, PathError, kind_of};
use crate::path;
use crate::transport::Hosts;
pub(crate) use near::near;

/// The options, in PHP's and in Node's spelling.
const NAMES: &[&str] = &[
    "json",
    "query",
    "headers",
    "body",
    "base_uri",
    "timeout",
    "security",
    "nonceless",
    "sink",
    "xml",
    "data",
    "params",
    "baseURL",
    "responseType",
    "transformResponse",
];

/// Applies every entry. An unknown key or a value of the wrong type becomes the draft's error.
pub(super) fn apply(draft: &mut Draft, hosts: &Hosts, options: Map<String, Value>) {
    // In Guzzle `json` overrides `body`, in any order.
    let has_json = options.get("json").is_some_and(|json| !json.is_null());
    let template = Arc::clone(&draft.template);
    let variables = Variables { template: &template, names: OnceCell::new() };
    for (key, value) in options {
        // The first error is the one that is returned.
        if draft.error.is_some() {
            return;
        }
        if !(has_json && key == "body") {
            let result = apply_one(draft, hosts, &variables, key, value);
            draft.keep(result);
        }
    }
}

fn apply_one(
    draft: &mut Draft,
    hosts: &Hosts,
    variables: &Variables<'_>,
    key: String,
    value: Value,
) -> Result<(), Error> {
    let field = format!("options.{key}");
    let wrong = |expected: &str, value: &Value| {
        Err(Error::config(field.clone(), format!("must be {expected}; it is {}", kind_of(value))))
    };
    match (key.as_str(), value) {
        // An option that PHP leaves unset is null.
        (name, Value::Null) if NAMES.contains(&name) => Ok(()),
        // axios sends a text as it is; the SDK's default type for it is JSON.
        ("data", Value::String(text)) => {
            draft.body = Body::Raw(None, text.into());
            Ok(())
        }
        ("json" | "data", value) => draft.json(value),
        // An empty PHP array is a list.
        ("headers" | "query" | "params", Value::Array(list)) if list.is_empty() => Ok(()),
        ("query" | "params", value) => draft.query(&field, &value),
        ("headers", Value::Object(headers)) => {
            for (name, value) in headers {
                // Guzzle takes a list of values, too; of several, all but one would be lost here.
                let value = match value {
                    Value::Array(mut list) if list.len() == 1 => list.remove(0),
                    other => other,
                };
                let result = match value {
                    Value::Null => Ok(()),
                    Value::String(text) => draft.header(&name, &text),
                    Value::Number(number) => draft.header(&name, &number.to_string()),
                    other => wrong("an object of strings", &other),
                };
                draft.keep(result);
            }
            Ok(())
        }
        ("body", Value::String(text)) => {
            draft.body = Body::Raw(None, text.into());
            Ok(())
        }
        ("base_uri" | "baseURL", Value::String(url)) => draft.base_url(&field, &url, hosts),
        ("timeout", value) => draft.timeout(foreign::timeout(&field, &value)?),
        #[cfg(feature = "v2")]
        ("xml", value) if draft.is_v2() => draft.json(empty_list_is_a_map(value)),
        #[cfg(feature = "v2")]
        ("security", Value::Bool(security)) => {
            draft.with_certificate = security;
            Ok(())
        }
        #[cfg(feature = "v2")]
        ("nonceless", Value::Bool(nonceless)) => {
            draft.nonceless = nonceless;
            Ok(())
        }
        // Both belong to APIv2; PHP's SDK accepts them in an APIv3 call without effect.
        #[cfg(not(feature = "v2"))]
        ("security" | "nonceless", Value::Bool(_)) => Ok(()),
        // Without effect: the response always has its bytes.
        ("responseType" | "transformResponse", _) => Ok(()),
        ("headers", value) => wrong("an object", &value),
        ("body" | "base_uri" | "baseURL", value) => wrong("a string", &value),
        ("security" | "nonceless", value) => wrong("a boolean", &value),
        ("xml", _) => Err(Error::config(field, "belongs to APIv2, whose paths begin with `v2`")),
        ("sink", Value::String(path)) => {
            draft.sink = Some(path.into());
            Ok(())
        }
        ("sink", value) => wrong("a path (or use `Request::save_to_writer`)", &value),
        (_, value) => variable(draft, variables, key, value),
    }
}

/// Any other key must be a variable of the template: a mistyped one must not send a wrong URL.
fn variable(draft: &mut Draft, variables: &Variables<'_>, key: String, value: Value) -> Result<(), Error> {
    if variables.contains(&key) {
        draft.var(key, value);
        return Ok(());
    }
    // axios' own config repeats the verb.
    if key == "method" && value.as_str().is_some_and(|verb| verb.eq_ignore_ascii_case(draft.method.as_str()))
    {
        return Ok(());
    }
    match foreign::check(&key, &value) {
        Some(Ok(())) => return Ok(()),
        Some(Err(reason)) => return Err(Error::config(format!("options.{key}"), reason)),
        None => {}
    }
    // A `date` is a variable that the template lacks, not a slip for `data`.
    let names = NAMES.iter().copied().filter(|name| *name != "data").chain(foreign::names());
    if let Some(meant) = near(&key, names) {
        let reason = format!("is not an option: did you mean `{meant}`?");
        return Err(Error::config(format!("options.{key}"), reason));
    }
    Err(PathError::UnknownVariable { name: key, template: draft.template.to_string() }.into())
}

/// An empty PHP array is a list.
#[cfg(feature = "v2")]
fn empty_list_is_a_map(value: Value) -> Value {
    match value {
        Value::Array(list) if list.is_empty() => Value::Object(Map::new()),
        other => other,
    }
}

/// The names of the template's variables, read once at most.
struct Variables<'a> {
    template: &'a str,
    names: OnceCell<HashSet<&'a str>>,
}

impl Variables<'_> {
    fn contains(&self, name: &str) -> bool {
        self.names.get_or_init(|| path::variable_names(self.template).collect()).contains(name)
    }
}

/// Whether a JSON body is PHP's `$options` array, given to a verb as in PHP: `json`, alone or with other options and
/// variables. No documented body has a field of this name.
pub(super) fn is_options_array(template: &str, body: &Value) -> bool {
    let Value::Object(map) = body else { return false };
    matches!(map.get("json"), Some(Value::Object(_) | Value::Array(_)))
        && (map.len() == 1 || {
            let variables: HashSet<_> = path::variable_names(template).collect();
            map.keys().all(|key| NAMES.contains(&key.as_str()) || variables.contains(key.as_str()))
        })
}
