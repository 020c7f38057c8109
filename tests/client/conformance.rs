//! Every recorded PHP and Node call (APIv3, JSON) through every spelling, over real HTTP to a plain listener.
//!
//! The recordings are read from the folder that `WECHATPAY_CONFORMANCE` names; without it the test says so and passes.

use crate::support::{self, Recorder};
use serde_json::{Map, Value, json};
use wechatpay_chain::{Chain, Error, PathError, WeChatPay};

fn recordings(file: &str) -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE") else {
        println!("skipped: WECHATPAY_CONFORMANCE is not set");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).expect("the recordings");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect())
}

/// Every spelling that the recording has, and `seg` where it has a pure chain.
fn spellings(wx: &WeChatPay, chain: &Value) -> Vec<(&'static str, Chain)> {
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
    all
}

/// The host becomes the recorder's; a base's path stays, as a prefix of every target.
fn to_recorder(base: &Value, recorder: &Recorder) -> String {
    let path = base.as_str().unwrap().splitn(4, '/').nth(3).unwrap_or_default().to_owned();
    format!("{}{path}", recorder.base)
}

#[test]
fn every_recorded_call_through_every_spelling() {
    let Some(calls) = recordings("calls.jsonl") else { return };
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let (mut compared, mut equal, mut sunk) = (0, 0, 0);
    let mut on_purpose = Vec::new();
    let mut wrong = Vec::new();
    for call in calls.iter().filter(|c| c["api"] == "v3" && c["kind"] == "json") {
        let (id, expect) = (call["id"].as_str().unwrap(), &call["expect"]);
        let php = call["sdk"] == "php";
        let mut options: Map<String, Value> =
            call[if php { "options" } else { "config" }].as_object().cloned().unwrap_or_default();
        for base in ["base_uri", "baseURL"] {
            if let Some(value) = options.get_mut(base) {
                *value = json!(to_recorder(value, &recorder));
            }
        }
        // PHP writes into the folder it runs in.
        if let Some(sink) = options.get_mut("sink") {
            *sink = json!(folder.path().join(sink.as_str().unwrap()));
        }
        let verb = call["verb"].as_str().unwrap();
        let spellings = spellings(&wx, &call["chain"]);
        assert!(!spellings.is_empty(), "{id}");
        for (spelling, chain) in spellings {
            compared += 1;
            let body = if php { Value::Null } else { call["data"].clone() };
            let request = match verb {
                "GET" => chain.get().json(body),
                "DELETE" => chain.delete().json(body),
                "POST" => chain.post(body),
                "PUT" => chain.put(body),
                "PATCH" => chain.patch(body),
                other => panic!("{id}: {other}"),
            };
            match request.options(Value::Object(options.clone())).wait() {
                Ok(response) if options.contains_key("sink") => {
                    let saved = response.saved().expect("what PHP's sink saved");
                    assert!(
                        saved.path.as_ref().is_some_and(|path| path.is_file()) && saved.bytes == 0,
                        "{id}"
                    );
                    sunk += 1;
                }
                Ok(response) => assert!(response.saved().is_none()),
                Err(e) => {
                    wrong.push(format!("{id} {spelling}: {e}"));
                    continue;
                }
            }
            let seen = recorder.take();
            let mut differences = Vec::new();
            let mut compare = |what: &str, expected: &Value, actual: Value| {
                if *expected != actual {
                    differences.push(format!("{what}: expected {expected}, was {actual}"));
                }
            };
            compare("template", &call["template"], json!(chain.path()));
            compare("method", &expect["method"], json!(seen.method));
            // PHP writes a boolean of the query as 1 or 0; the platform's documents, and Node, say true and false.
            let booleans = php
                && options
                    .get("query")
                    .is_some_and(|q| q.as_object().is_some_and(|q| q.values().any(Value::is_boolean)));
            if booleans {
                assert_eq!(
                    expect["target"],
                    seen.target.replace("=true", "=1").replace("=false", "=0"),
                    "{id}"
                );
                on_purpose.push(format!("{id} {spelling}: boolean in the query"));
            } else {
                compare("target", &expect["target"], json!(seen.target));
            }
            // Node's `delete` drops its body, which two documented samples give: sent here, as they mean it.
            let node_drops_body = !php && verb == "DELETE" && options.contains_key("data");
            if node_drops_body {
                assert!(!seen.body.is_empty() && expect["has_body"] == false, "{id}");
                on_purpose.push(format!("{id} {spelling}: body on DELETE"));
            } else {
                let body = if seen.body.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_slice(&seen.body).unwrap()
                };
                compare("body", &expect["json"], body);
                compare("has_body", &expect["has_body"], json!(!seen.body.is_empty()));
            }
            let given = expect["headers"].as_object().or(options.get("headers").and_then(Value::as_object));
            for (name, value) in given.into_iter().flatten() {
                compare(name, value, json!(seen.header(name)));
            }
            match differences.is_empty() {
                true if !node_drops_body && !booleans => equal += 1,
                true => {}
                false => wrong.push(format!("{id} {spelling}: {differences:?}")),
            }
        }
    }
    assert!(sunk >= 4, "only {sunk} with `sink`");
    println!("calls.jsonl: {sunk} into a `sink`");
    println!("calls.jsonl: {compared} compared, {equal} equal, {} different on purpose", on_purpose.len());
    for line in &on_purpose {
        println!("  {line}");
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 2_000, "only {compared} compared");
}

#[test]
fn a_sample_that_forgets_a_variable_is_refused_by_name() {
    let Some(calls) = recordings("calls.jsonl") else { return };
    let wx = support::client("http://127.0.0.1:9/");
    let mut refused = 0;
    for call in calls.iter().filter(|c| c["expect"]["error"] == "missing variable") {
        for (spelling, chain) in spellings(&wx, &call["chain"]) {
            let error = chain.post(Value::Null).options(call["options"].clone()).prepare().unwrap_err();
            let Error::Path(error) = error else { panic!("{}: {error}", call["id"]) };
            let missing = call["expect"]["names"].as_array().unwrap();
            match *error {
                PathError::MissingVariable { ref name, .. } => {
                    assert!(missing.contains(&json!(name)), "{spelling}")
                }
                // The sample misspells it: `use_id` for `user_id`.
                PathError::UnknownVariable { ref name, .. } => assert_eq!(name, "use_id"),
                ref other => panic!("{}: {other}", call["id"]),
            }
            refused += 1;
        }
    }
    assert!(refused >= 16, "only {refused}");
}
