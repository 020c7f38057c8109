//! Recorded PHP and Node calls, compared with what is sent here: over real HTTP, to a plain listener.
//!
//! The recordings are read from the folder that `WECHATPAY_CONFORMANCE` names. It may hold any part of them.

// Calls with JSON or without a body.
mod calls;
// Uploads of files.
mod uploads;

use std::path::Path;

use serde_json::{Map, Value, json};
use wechatpay_chain::{Chain, WeChatPay};

use crate::support::{Recorder, skipped};

/// The recorded calls of APIv3.
fn recorded_calls() -> Option<Vec<Value>> {
    recorded("v3")
}

/// The recorded calls of a protocol. Without a folder of recordings the running test is skipped.
pub(crate) fn recorded(api: &str) -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE") else {
        skipped("WECHATPAY_CONFORMANCE is not set");
        return None;
    };
    let text = std::fs::read_to_string(Path::new(&folder).join("calls.jsonl")).expect("the recordings");
    let calls = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
    Some(calls.filter(|call| call["api"] == api).collect())
}

/// The target that the SDK was given, spelled in each way that was recorded; a pure chain by `seg` and by index.
pub(crate) fn spellings(wx: &WeChatPay, chain: &Value) -> Vec<(&'static str, Chain)> {
    let mut all = Vec::new();
    if let Some(path) = chain["index"].as_str() {
        all.push(("index", wx[path].clone()));
    }
    if let Some(path) = chain["chain"].as_str() {
        all.push(("chain", wx.chain(path)));
    }
    if let Some(segments) = chain["pure"].as_array() {
        let mut segments = segments.iter().map(|s| s.as_str().unwrap());
        let first = segments.next().unwrap();
        let rest: Vec<_> = segments.collect();
        all.push(("pure", rest.iter().fold(wx.seg(first), |node, segment| node.seg(segment))));
        all.push((
            "pure by index",
            rest.iter().fold(wx[first].clone(), |node, segment| node[*segment].clone()),
        ));
    }
    assert!(!all.is_empty(), "no spelling in {chain}");
    all
}

/// PHP's `$options`, or Node's config.
pub(crate) fn options(call: &Value) -> Map<String, Value> {
    let options = if call["sdk"] == "php" { &call["options"] } else { &call["config"] };
    options.as_object().cloned().unwrap_or_default()
}

/// Sends the call to the recorder instead; a path of the base URL stays, as a prefix of the target.
fn redirect(options: &mut Map<String, Value>, recorder: &Recorder) {
    for name in ["base_uri", "baseURL"] {
        if let Some(base) = options.get_mut(name) {
            let path = base.as_str().unwrap().splitn(4, '/').nth(3).unwrap_or_default();
            *base = json!(format!("{}{path}", recorder.base));
        }
    }
}

/// Mistakes of a recorded sample, for which both SDKs send something else than its author meant.
#[derive(Debug, Default)]
struct Mistakes {
    /// Variables of the template that it does not give.
    missing: Vec<String>,
    /// Keys that it gives, and that are neither options nor in the template.
    unknown: Vec<String>,
}

impl Mistakes {
    fn of(call: &Value) -> Mistakes {
        const OPTIONS: &[&str] = &[
            "base_uri",
            "baseURL",
            "body",
            "data",
            "headers",
            "json",
            "meta",
            "nonceless",
            "params",
            "query",
            "responseType",
            "security",
            "sink",
            "timeout",
            "transformResponse",
            "xml",
        ];
        let options = options(call);
        let variables = variables(call["template"].as_str().unwrap());
        let unknown = options.keys().filter(|key| !OPTIONS.contains(&&***key) && !variables.contains(*key));
        let unknown = unknown.cloned().collect();
        let missing = variables.into_iter().filter(|name| options.get(name).is_none_or(Value::is_null));
        Mistakes { missing: missing.collect(), unknown }
    }

    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unknown.is_empty()
    }
}

/// The names in a URI template (RFC 6570), without operators and modifiers.
fn variables(template: &str) -> Vec<String> {
    let expressions = template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
    let names = expressions
        .flat_map(|expression| expression.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']).split(','));
    names.map(|name| name.split([':', '*']).next().unwrap().to_owned()).collect()
}

/// The findings of a test, for its report.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) compared: usize,
    pub(crate) equal: usize,
    /// On purpose, each with its reason.
    pub(crate) different: Vec<String>,
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    /// Prints the counts. Fails if there is a difference without a reason, or nothing to compare.
    #[track_caller]
    pub(crate) fn report(self, what: &str) {
        let Tally { compared, equal, different, wrong } = self;
        println!("{what}: {compared} compared, {equal} equal, {} different on purpose", different.len());
        different.iter().for_each(|line| println!("  {line}"));
        assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
        assert!(compared > 0, "{what}: nothing to compare");
        assert_eq!(compared, equal + different.len());
    }
}
