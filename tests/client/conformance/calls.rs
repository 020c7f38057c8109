use serde_json::{Value, json};
use wechatpay_chain::{Chain, Error, PathError, Request};

use super::{Mistakes, Tally, options, recorded_calls, redirect, spellings};
use crate::support::{self, Recorded, Recorder};

/// With JSON, or without a body.
fn plain(call: &&Value) -> bool {
    call["kind"] == "json" || call["kind"].is_null()
}

/// The call without its options. PHP's have the body in them.
fn request(call: &Value, chain: &Chain) -> Request {
    let body = call.get("data").cloned().unwrap_or_default();
    match call["verb"].as_str().unwrap() {
        "GET" => chain.get().json(body),
        "DELETE" => chain.delete().json(body),
        "POST" => chain.post(body),
        "PUT" => chain.put(body),
        "PATCH" => chain.patch(body),
        other => panic!("{}: {other}", call["id"]),
    }
}

fn has_boolean(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Array(list) => list.iter().any(has_boolean),
        Value::Object(map) => map.values().any(has_boolean),
        _ => false,
    }
}

/// Each difference from the recording: those on purpose, by their reason, and all others.
fn compare(call: &Value, chain: &Chain, seen: &Recorded) -> (Vec<&'static str>, Vec<String>) {
    let (expect, options) = (&call["expect"], options(call));
    let php = call["sdk"] == "php";
    let (mut on_purpose, mut wrong) = (Vec::new(), Vec::new());
    let mut compare = |what: &str, expected: &Value, actual: Value| {
        if *expected != actual {
            wrong.push(format!("{what}: expected {expected}, was {actual}"));
        }
    };
    compare("template", &call["template"], json!(chain.path()));
    compare("method", &expect["method"], json!(seen.method));
    // PHP writes a boolean of the query as 1 or 0; the platform's documents, and Node, say true and false.
    if php && options.get("query").is_some_and(has_boolean) {
        on_purpose.push("boolean in the query");
        let target = seen.target.replace("=true", "=1").replace("=false", "=0");
        compare("target", &expect["target"], json!(target));
    } else {
        compare("target", &expect["target"], json!(seen.target));
    }
    // Node's `delete` drops its body. Here it is sent, as the sample means it.
    if !php && call["verb"] == "DELETE" && options.contains_key("data") {
        on_purpose.push("body on DELETE");
        compare("has_body", &expect["has_body"], json!(false));
        compare("body", &options["data"], serde_json::from_slice(&seen.body).unwrap_or_default());
    } else {
        let body = match seen.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&seen.body).unwrap(),
        };
        compare("body", &expect["json"], body);
        compare("has_body", &expect["has_body"], json!(!seen.body.is_empty()));
    }
    let given = expect["headers"].as_object().or(options.get("headers").and_then(Value::as_object));
    for (name, value) in given.into_iter().flatten() {
        compare(name, value, json!(seen.header(name)));
    }
    (on_purpose, wrong)
}

#[test]
fn every_recorded_call_through_every_spelling() {
    let Some(calls) = recorded_calls() else { return };
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let (mut tally, mut sunk) = (Tally::default(), 0);
    for call in calls.iter().filter(plain).filter(|call| Mistakes::of(call).is_empty()) {
        let id = &call["id"];
        let mut options = options(call);
        redirect(&mut options, &recorder);
        // PHP writes into the folder in which it runs.
        if let Some(sink) = options.get_mut("sink") {
            *sink = json!(folder.path().join(sink.as_str().unwrap()));
        }
        for (spelling, chain) in spellings(&wx, &call["chain"]) {
            tally.compared += 1;
            let response = match request(call, &chain).options(Value::Object(options.clone())).wait() {
                Ok(response) => response,
                Err(error) => {
                    tally.wrong.push(format!("{id} {spelling}: {error}"));
                    continue;
                }
            };
            let saved = response.saved();
            assert_eq!(saved.is_some(), options.contains_key("sink"), "{id}");
            if let Some(saved) = saved {
                assert!(saved.path.as_ref().is_some_and(|path| path.is_file()) && saved.bytes == 0, "{id}");
                sunk += 1;
            }
            match compare(call, &chain, &recorder.take()) {
                (reasons, wrong) if !wrong.is_empty() => {
                    tally.wrong.push(format!("{id} {spelling}: {wrong:?} (besides {reasons:?})"));
                }
                (reasons, _) if reasons.is_empty() => tally.equal += 1,
                (reasons, _) => tally.different.push(format!("{id} {spelling}: {}", reasons.join(", "))),
            }
        }
    }
    println!("calls.jsonl: {sunk} with PHP's `sink`");
    tally.report("calls.jsonl");
}

/// Where PHP leaves a segment empty and Node sends what it can, such a sample is refused, and the error names what is
/// wrong with it.
#[test]
fn a_sample_that_forgets_a_variable_or_gives_an_unknown_one_is_refused_by_name() {
    let Some(calls) = recorded_calls() else { return };
    let wx = support::client("http://127.0.0.1:9/");
    let (mut missing, mut unknown, mut transport) = (0, 0, 0);
    for call in calls.iter().filter(|call| call["kind"] != "other") {
        let mistakes = Mistakes::of(call);
        let recorded = call["expect"]["names"].as_array().cloned().unwrap_or_default();
        assert!(
            recorded.iter().all(|name| mistakes.missing.iter().any(|missing| name == missing)),
            "{}: recorded as missing: {recorded:?}, found: {mistakes:?}",
            call["id"]
        );
        if mistakes.is_empty() {
            continue;
        }
        for (spelling, chain) in spellings(&wx, &call["chain"]) {
            let sample = || format!("{} {spelling} {mistakes:?}", call["id"]);
            let mut options = options(call);
            // A file is not an option here.
            options.retain(|name, _| call["kind"] != "upload" || (name != "body" && name != "meta"));
            let error = match request(call, &chain).options(Value::Object(options)).prepare() {
                Ok(request) => panic!("{}: {}", sample(), request.url()),
                Err(error) => error,
            };
            match &error {
                Error::Path(error) => match &**error {
                    PathError::MissingVariable { name, .. } if mistakes.missing.contains(name) => {
                        missing += 1
                    }
                    PathError::UnknownVariable { name, .. } if mistakes.unknown.contains(name) => {
                        unknown += 1
                    }
                    other => panic!("{}: {other}", sample()),
                },
                // Guzzle's and axios' own: their error names the Rust way.
                Error::Config(error)
                    if mistakes.unknown.iter().any(|name| error.field() == format!("options.{name}")) =>
                {
                    transport += 1;
                }
                other => panic!("{}: {other}", sample()),
            }
        }
    }
    println!(
        "calls.jsonl: {} refused: {missing} lack a variable, {unknown} have an unknown key, {transport} a transport option",
        missing + unknown + transport
    );
}
