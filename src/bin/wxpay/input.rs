//! Input from an argument, a file or stdin.

use std::io::Read as _;

use serde_json::Value;

use crate::failure::{Failure, usage_error};
use crate::text::json_reason;

/// Reads an option's value: the text itself, `@FILE`, or `-` for stdin.
pub(crate) fn read(option: &str, value: &str) -> Result<Vec<u8>, Failure> {
    match (value, value.strip_prefix('@')) {
        ("-", _) => stdin(option),
        (_, Some("")) => Err(usage_error(format!("{option}: expected a file name after `@`"))),
        (_, Some(file)) => {
            std::fs::read(file).map_err(|e| usage_error(format!("{option}: cannot read `{file}`: {e}")))
        }
        (text, None) => Ok(text.as_bytes().to_vec()),
    }
}

/// Reads all of stdin; `name` says in an error what it was read for.
pub(crate) fn stdin(name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match std::io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(e) => Err(usage_error(format!("{name}: cannot read stdin: {e}"))),
    }
}

pub(crate) fn parse_json(name: &str, text: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(text)
        .map_err(|e| usage_error(format!("{name}: expected JSON: {}", json_reason(&e))))
}
