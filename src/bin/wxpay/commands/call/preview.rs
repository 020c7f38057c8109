//! `--dry-run`, `--curl` and `--check`: shows or checks a request instead of sending it.

use serde_json::{Map, Value, json};
use wechatpay_chain::Prepared;

use crate::exit;
use crate::failure::{Failure, usage_error};
use crate::hints;
use crate::output::{self, Output};
use crate::words::Place;

/// Prints the request and the message to be signed. A request of APIv3 is not signed, so the output cannot be replayed; the
/// body of APIv2 has its signature.
pub(super) fn dry_run(prepared: &Prepared, is_apiv2: bool, output: &Output) -> Result<(), Failure> {
    let headers: Map<String, Value> = prepared
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let message = match prepared.message() {
        // The key is a part of what is signed.
        message if is_apiv2 && !message.is_empty() => format!("{message}&key=…"),
        message => message.into_owned(),
    };
    output.json(&json!({
        "method": prepared.method().as_str(),
        "url": prepared.url(),
        "headers": headers,
        "body": String::from_utf8_lossy(prepared.body()),
        "message": message,
    }))
}

/// Prints what the documents say about the request.
pub(super) fn check(prepared: &Prepared, json: bool, output: &Output) -> Result<(), Failure> {
    let hints = prepared.hints();
    match json {
        true => output.json(&hints.iter().map(|hint| hints::json(hint, Place::Shell)).collect())?,
        false => {
            let lines = hints.iter().map(|hint| format!("{}\n", hints::text(hint, Place::Shell)));
            output.bytes(lines.collect::<String>().as_bytes())?;
        }
    }
    match hints.is_empty() {
        true => Ok(()),
        false => Err(Failure::Reported(exit::HINTS)),
    }
}

/// Prints a curl command that sends this request. It is valid until the timestamp expires; curl does not verify the
/// response.
pub(super) fn curl(prepared: &Prepared) -> Result<(), Failure> {
    let authorization = prepared.authorization().wait()?;
    let mut words: Vec<String> =
        ["curl", "-sS", "--globoff", "-X", prepared.method().as_str()].map(str::to_owned).to_vec();
    let text = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| usage_error("--curl: the request contains bytes that are not UTF-8"))?;
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
        .map_err(|_| usage_error("--curl: the request contains a NUL, which a shell cannot pass"))?;
    output::line(&line)
}
