//! `wxpay verify`, `decrypt` and `sign`: messages that were saved, or come from stdin.

use serde_json::{Map, Value, json};
use wechatpay_chain::http::{HeaderMap, HeaderName, HeaderValue};
use wechatpay_chain::{Clock, Error, SystemClock, VerifyReason, WeChatPay};

use crate::cli::{Decrypt, Global, Saved};
use crate::commands::call::body;
use crate::config::{self, Source};
use crate::exit::{self, Failure, describe, usage};
use crate::output::{self, Output};

const TIMESTAMP: &str = "Wechatpay-Timestamp";

pub(crate) fn verify(global: &Global, saved: &Saved) -> Result<(), Failure> {
    let message = Message::read(saved)?;
    let wx = message.verifier(global, saved)?;
    wx.verify(&message.headers, &message.body)
        .map_err(|error| message.explain(&wx, error, global.json_errors))?;
    let header = |name| message.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let timestamp: Option<u64> = header(TIMESTAMP).and_then(|text| text.parse().ok());
    let age = timestamp
        .and_then(|then| i64::try_from(i128::from(SystemClock.unix_seconds()) - i128::from(then)).ok());
    Output::new(global.color).json(&json!({
        "verified": true,
        "serial": header("Wechatpay-Serial"),
        "timestamp": timestamp,
        "age_seconds": age,
    }))
}

pub(crate) fn decrypt(global: &Global, decrypt: &Decrypt) -> Result<(), Failure> {
    let output = Output::new(global.color).with_filter(decrypt.jq.as_deref(), decrypt.raw)?;
    let message = Message::read(&decrypt.saved)?;
    let wx = message.verifier(global, &decrypt.saved)?;
    let notification = wx
        .notification(&message.headers, message.body.clone())
        .wait()
        .map_err(|error| message.explain(&wx, error, global.json_errors))?;
    output.json(&json!({
        "id": notification.id,
        "event_type": notification.event_type,
        "create_time": notification.create_time,
        "resource_type": notification.resource_type,
        "summary": notification.summary,
        "original_type": notification.original_type,
        "resource": notification.resource,
    }))
}

pub(crate) fn sign(global: &Global) -> Result<(), Failure> {
    let message = body::stdin("sign")?;
    let session = config::open(global)?;
    output::line(&session.wx.sign(message).wait()?)
}

/// A message as it was saved.
struct Message {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Message {
    fn read(saved: &Saved) -> Result<Message, Failure> {
        let shown = saved.headers.display();
        let text = std::fs::read_to_string(&saved.headers)
            .map_err(|e| usage(format!("--headers: `{shown}` cannot be read: {e}")))?;
        let headers = headers(&text).map_err(|why| usage(format!("--headers: `{shown}`: {why}")))?;
        let body = match saved.body.to_str() {
            Some("-") => body::stdin("the body")?,
            _ => std::fs::read(&saved.body)
                .map_err(|e| usage(format!("the body `{}` cannot be read: {e}", saved.body.display())))?,
        };
        Ok(Message { headers, body })
    }

    /// A client that knows every key, and whose clock stands where the message was made if how old it is does not
    /// matter. It asks the platform nothing: what it signs would be as old.
    fn verifier(&self, global: &Global, saved: &Saved) -> Result<WeChatPay, Failure> {
        let mut source = Source::find(global)?;
        let wx = source.client(global, |builder| builder)?;
        let known = wx.platform_serials();
        let automatic = source.forget("WECHATPAY_AUTOMATIC_CERTIFICATES");
        let fetched = match automatic.as_deref() {
            Some("1" | "true") => match wx.platform_certificates().wait() {
                Err(error) if known.is_empty() => return Err(error.into()),
                // The key that is missing is told of, if it is one of these.
                fetched => fetched.unwrap_or_default(),
            },
            _ => Vec::new(),
        };
        let made = self.headers.get(TIMESTAMP).and_then(|value| value.to_str().ok()?.parse().ok());
        source.client(global, |builder| {
            let new = fetched.iter().filter(|certificate| !known.contains(&certificate.serial));
            let builder = new.fold(builder, |builder, one| builder.platform_key(&one.serial, &one.pem));
            match made.filter(|_| saved.any_time) {
                Some(made) => builder.clock(Stopped(made)),
                None => builder,
            }
        })
    }

    /// Adds what to do about it.
    fn explain(&self, wx: &WeChatPay, error: Error, as_json: bool) -> Failure {
        let Error::Verify(failed) = &error else { return error.into() };
        let hint = match &failed.reason {
            VerifyReason::ClockSkew { .. } => "--any-time leaves out how old it is".to_owned(),
            VerifyReason::UnknownSerial { .. } => {
                "the platform key with that serial has to be configured, or automatic certificates".to_owned()
            }
            VerifyReason::BadSignature { .. } => match self.ending(wx) {
                Some(ending) => format!(
                    "it holds without the {ending} at the end of the body, which was added when it was saved"
                ),
                None => "the body has to be byte for byte what came, and the headers those that came with it"
                    .to_owned(),
            },
            _ => return error.into(),
        };
        if !as_json {
            output::hint(&describe(&error), &hint);
            return Failure::Told(exit::code(&error));
        }
        error.into()
    }

    /// What an editor or a shell added to the end of the body, if that is all that is wrong.
    fn ending(&self, wx: &WeChatPay) -> Option<&'static str> {
        [("line feed", &b"\n"[..]), ("line break", b"\r\n")].into_iter().find_map(|(name, ending)| {
            let body = self.body.strip_suffix(ending)?;
            wx.verify(&self.headers, body).is_ok().then_some(name)
        })
    }
}

/// A clock that stands.
struct Stopped(u64);

impl Clock for Stopped {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}

/// Lines of `Name: value`, as HTTP and curl write them, or a JSON object of texts.
fn headers(text: &str) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let wrong = |what: &str| format!("`{}` {what}", name.escape_debug());
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("is no header's name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| wrong("has a value that no header may hold"))?;
        map.append(header, value);
        Ok::<_, String>(())
    };
    if text.trim_start().starts_with('{') {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|e| format!("is no JSON object: {e}"))?;
        for (name, value) in &object {
            match value {
                Value::String(text) => add(name, text)?,
                Value::Number(number) => add(name, &number.to_string())?,
                // As Node and PHP keep them.
                Value::Array(list) => list.iter().try_for_each(|one| match one {
                    Value::String(text) => add(name, text),
                    _ => Err(format!("`{name}` is a list of other things than texts")),
                })?,
                _ => return Err(format!("`{name}` is no text")),
            }
        }
        return Ok(map);
    }
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        // The status or request line, and the end.
        if line.is_empty() || (at == 0 && line.contains("HTTP/")) {
            continue;
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("line {}: expected `Name: value`", at + 1))?;
        add(name.trim(), value.trim()).map_err(|why| format!("line {}: {why}", at + 1))?;
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines_or_json() {
        let lines = headers("POST /notify HTTP/1.1\r\nWechatpay-Nonce: a:b\r\nX: 1\r\nx: 2\r\n\r\n").unwrap();
        assert_eq!(lines["wechatpay-nonce"], "a:b");
        assert_eq!(lines.get_all("x").iter().count(), 2);
        let json = headers(r#"{"Wechatpay-Timestamp": 1, "wechatpay-nonce": ["n"]}"#).unwrap();
        assert_eq!(
            (&json["wechatpay-timestamp"], &json["wechatpay-nonce"]),
            (&"1".parse().unwrap(), &"n".parse().unwrap())
        );
        for (text, part) in [
            ("a: 1\nb", "line 2: expected"),
            ("a b: 1", "no header's name"),
            ("{\"a\": {}}", "is no text"),
            ("{", "no JSON object"),
            ("{\"a\": \"\\n\"}", "no header may hold"),
        ] {
            let error = headers(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
