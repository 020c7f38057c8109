//! The recorded inputs and outputs of the PHP SDK's pure functions, for unit tests (`cargo test conformance`).
//!
//! They are read from the folder that `WECHATPAY_CONFORMANCE` names. Without it, a test reports that it is skipped.

use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;

pub(crate) struct Vectors {
    folder: PathBuf,
    lines: Vec<Value>,
}

impl Vectors {
    /// The vectors of one function in `unit.jsonl`; `None`, with a message, without the folder.
    pub(crate) fn of(function: &str) -> Option<Vectors> {
        let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE").map(PathBuf::from) else {
            skip(function, "WECHATPAY_CONFORMANCE is not set");
            return None;
        };
        let text = std::fs::read_to_string(folder.join("unit.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<_> = lines.filter(|v| v["fn"] == function).collect();
        if lines.is_empty() {
            skip(function, "the folder has no vectors of it");
            return None;
        }
        Some(Vectors { folder, lines })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter()
    }

    /// The text of a key file that a vector names.
    pub(crate) fn key(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

/// Reports a skipped comparison. Not with `println!`, which libtest hides for a passing test.
fn skip(function: &str, reason: &str) {
    let line = format!("skipped: conformance of {function}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// The bytes of a text, or of the marker that stands for text that is not UTF-8.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    use base64::Engine as _;
    match value {
        Value::String(text) => text.clone().into_bytes(),
        marker => {
            base64::engine::general_purpose::STANDARD.decode(marker["base64"].as_str().unwrap()).unwrap()
        }
    }
}

/// A vector's input as texts; `None` if PHP was given anything else (bytes, a wrong type).
pub(crate) fn texts(vector: &Value) -> Option<Vec<&str>> {
    vector["output"].as_str()?;
    vector["input"].as_array()?.iter().map(Value::as_str).collect()
}
