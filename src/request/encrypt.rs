//! The sensitive fields of a request: in the JSON body, or in the query.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use url::Url;

use super::draft::{Body, Draft};
use super::target::check_length;
use crate::crypto::rsa::PublicKey;
use crate::error::Error;
use crate::path;
use crate::sensitive::{self, Padding};
use crate::v3::Context;
use crate::v3::platform::PlatformKeys;
use crate::v3::verify::SERIAL;

impl Draft {
    /// Encrypts the fields, and returns the serial of the key.
    pub(super) fn encrypt_fields(
        &mut self,
        context: &Context,
        keys: &Arc<PlatformKeys>,
        headers: &HeaderMap,
        url: &mut Url,
        authorize: bool,
    ) -> Result<HeaderValue, Error> {
        if !authorize {
            return Err(Error::config(
                "encrypt",
                "does not apply to a host that may not receive a signature",
            ));
        }
        let header = headers.get(SERIAL).map(|serial| serial.to_str().unwrap_or_default());
        let key = keys
            .encryption_key(header, context.clock.unix_seconds())
            .map_err(|error| context.defaults.names.rename(error))?;
        for (pointer, padding) in &self.encrypt {
            if !pointer.starts_with(['/', '?']) {
                let reason = "is neither a JSON pointer, which begins with `/` (RFC 6901), nor a query parameter, `?name`";
                return Err(Error::config(pointer, reason));
            }
            match (pointer.strip_prefix('?'), &mut self.body) {
                (Some(name), _) => {
                    let changed = encrypt_query(url, &key.key, pointer, *padding, |found| found == name)?;
                    if !self.query.left_out().any(|left_out| left_out == name) {
                        found(changed, pointer, "matches no parameter of the query")?;
                    }
                }
                (None, Body::Json(body)) => {
                    let changed = sensitive::encrypt_field(&key.key, body, pointer, *padding)?;
                    if changed == 0 {
                        let advice = "`?name` is a query parameter";
                        return Err(Error::config_with(pointer, "matches nothing in the body", advice));
                    }
                }
                // Without a body, a pointer can only mean the query.
                (None, Body::None) if url.query().is_some() || self.query.left_out().next().is_some() => {
                    let tokens = sensitive::tokens(pointer)?;
                    let changed =
                        encrypt_query(url, &key.key, pointer, *padding, |name| selects(&tokens, name))?;
                    if !self.query.left_out().any(|name| is_within(&tokens, &name)) {
                        found(changed, pointer, "matches nothing in the query, and the request has no body")?;
                    }
                }
                (None, _) => {
                    return Err(Error::config(
                        "encrypt",
                        "needs a JSON body, or a query: the pointer matches nothing",
                    ));
                }
            }
        }
        check_length(url, &self.template)?;
        HeaderValue::try_from(&key.serial)
            .map_err(|_| Error::config("platform_key", "has a serial that is not allowed in an HTTP header"))
    }
}

/// A pointer that selects nothing is an error: a mistyped name would send the text in clear.
fn found(changed: usize, pointer: &str, otherwise: &str) -> Result<(), Error> {
    match changed {
        0 => Err(Error::config(pointer, otherwise)),
        _ => Ok(()),
    }
}

/// Encrypts the selected values of the query; the others stay byte for byte. Returns the number of values.
fn encrypt_query(
    url: &mut Url,
    key: &PublicKey,
    pointer: &str,
    padding: Padding,
    selected: impl Fn(&str) -> bool,
) -> Result<usize, Error> {
    let mut changed = 0;
    let query = path::map_query(url.query().unwrap_or_default(), |name, value| {
        if !selected(name) {
            return Ok(None);
        }
        let value = value.ok_or_else(|| Error::config(pointer, "has a value that is not UTF-8"))?;
        changed += 1;
        sensitive::encrypt(key, pointer, value, padding).map(Some)
    })?;
    if changed > 0 {
        url.set_query(Some(&query));
    }
    Ok(changed)
}

/// Whether the tokens of a pointer select the parameter: `/ids/0` is `ids[0]`, as `query` writes it.
fn selects(tokens: &[String], name: &str) -> bool {
    parts(name).count() == tokens.len() && is_within(tokens, name)
}

/// Whether what the tokens select is the parameter or a part of it. Of one that was left out, no part is sent.
fn is_within(tokens: &[String], name: &str) -> bool {
    let index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut tokens = tokens.iter();
    parts(name).all(|part| tokens.next().is_some_and(|token| token == part || (token == "*" && index(part))))
}

/// The parts of a parameter's name: of `ids[0]`, `ids` and `0`.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let (head, brackets) = match name.split_once('[').zip(name.strip_suffix(']')) {
        Some(((head, _), closed)) => (head, closed.get(head.len() + 1..)),
        None => (name, None),
    };
    [head].into_iter().chain(brackets.into_iter().flat_map(|inner| inner.split("][")))
}
