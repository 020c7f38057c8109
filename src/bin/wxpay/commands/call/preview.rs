//! A request that is shown, not sent.

use serde_json::{Map, Value, json};
use wechatpay_chain::Prepared;

use crate::exit::{Failure, usage};
use crate::output::{self, Output};

/// The request, and the message that would be signed. Nothing is signed, so that nothing can be sent with it.
pub(crate) fn dry_run(prepared: &Prepared, output: &Output) -> Result<(), Failure> {
    let headers: Map<String, Value> = prepared
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    output.json(&json!({
        "method": prepared.method().as_str(),
        "url": prepared.url(),
        "headers": headers,
        "body": String::from_utf8_lossy(prepared.body()),
        "message": prepared.message(),
    }))
}

/// A line for a shell that sends this very request, until its timestamp is too old. `curl` does not verify the answer.
pub(crate) fn curl(prepared: &Prepared) -> Result<(), Failure> {
    let authorization = prepared.authorization().wait()?;
    let mut words: Vec<String> =
        ["curl", "-sS", "--globoff", "-X", prepared.method().as_str()].map(str::to_owned).to_vec();
    let text = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| usage("--curl: the request holds bytes that are no text"))?;
        Ok::<_, Failure>(text.to_owned())
    };
    let mut header = |name: &str, value: &[u8]| {
        words.extend(["-H".to_owned(), format!("{name}: {}", text(value)?)]);
        Ok::<_, Failure>(())
    };
    for (name, value) in prepared.headers() {
        header(name.as_str(), value.as_bytes())?;
    }
    if let Some(authorization) = authorization {
        header("authorization", authorization.as_bytes())?;
    }
    if !prepared.body().is_empty() {
        words.extend(["--data-binary".to_owned(), text(prepared.body())?]);
    }
    words.push(prepared.url().to_owned());
    let line = shlex::try_join(words.iter().map(String::as_str))
        .map_err(|_| usage("--curl: the request holds a character that no shell takes"))?;
    output::line(&line)
}
