//! The recorded vectors of the PHP SDK's pure functions, for the unit tests that have one to compare with.
//!
//! They are read from the folder that `WECHATPAY_CONFORMANCE` names; without it a test says so and passes.

use std::path::PathBuf;

use serde_json::Value;

pub(crate) struct Vectors {
    folder: PathBuf,
    lines: Vec<Value>,
}

impl Vectors {
    /// Those of one function of `unit.jsonl`; `None`, with a message, when there is no folder.
    pub(crate) fn of(function: &str) -> Option<Vectors> {
        let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE").map(PathBuf::from) else {
            println!("skipped: WECHATPAY_CONFORMANCE is not set");
            return None;
        };
        let text = std::fs::read_to_string(folder.join("unit.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<_> = lines.filter(|v| v["fn"] == function).collect();
        assert!(!lines.is_empty(), "no vectors of {function}");
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

/// A text, or the marker of one that is not UTF-8, as bytes.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    use base64::Engine as _;
    match value {
        Value::String(text) => text.clone().into_bytes(),
        marker => {
            base64::engine::general_purpose::STANDARD.decode(marker["base64"].as_str().unwrap()).unwrap()
        }
    }
}

/// A vector's input, all of it texts; `None` where PHP was given something else (bytes, a wrong type).
pub(crate) fn texts(vector: &Value) -> Option<Vec<&str>> {
    vector["output"].as_str()?;
    vector["input"].as_array()?.iter().map(Value::as_str).collect()
}
