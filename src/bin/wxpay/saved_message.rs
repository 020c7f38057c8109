//! A notification or response that was saved to files, for `wxpay verify` and `wxpay decrypt`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};
use wechatpay_chain::http::{HeaderMap, HeaderName, HeaderValue};
use wechatpay_chain::{Clock, Error, VerifyReason, WeChatPay};

use crate::config::{SettingsSource, variables};
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::text::{Excerpt, json_reason};

pub(crate) const TIMESTAMP: &str = "Wechatpay-Timestamp";

#[derive(Args)]
pub(crate) struct SavedMessageArgs {
    /// The file with the body, byte for byte as received; - for stdin
    #[arg(value_name = "BODY")]
    body: PathBuf,
    /// The file with the headers: lines such as `Wechatpay-Serial: …`, or a JSON object
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// Accept a message of any age; everything else is still verified
    #[arg(long)]
    any_time: bool,
}

pub(crate) struct SavedMessage {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl SavedMessage {
    pub(crate) fn read(args: &SavedMessageArgs) -> Result<SavedMessage, Failure> {
        let path = args.headers.display();
        let text = input::text_file("--headers", &args.headers)?;
        let headers =
            parse_headers(&text).map_err(|reason| usage_error(format!("--headers: `{path}`: {reason}")))?;
        let body = match args.body.to_str() {
            Some("-") => input::stdin("BODY")?,
            _ => input::file("BODY", &args.body)?,
        };
        Ok(SavedMessage { headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A client with all platform keys. With `--any-time`, its clock shows the time of the message. It sends nothing:
    /// with that clock, the timestamp of a request would be refused.
    pub(crate) fn verifying_client(
        &self,
        global: &GlobalArgs,
        args: &SavedMessageArgs,
    ) -> Result<WeChatPay, Failure> {
        let mut source = SettingsSource::find(global)?;
        let wx = source.client(global, |builder| builder)?;
        let configured = wx.platform_serials();
        let automatic = source.remove(variables::AUTOMATIC_CERTIFICATES);
        let downloaded = match automatic.as_deref() {
            Some("1" | "true") => match wx.platform_certificates().wait() {
                Err(error) if configured.is_empty() => return Err(error.into()),
                // If the download failed, verification still reports a key that is missing.
                result => result.unwrap_or_default(),
            },
            _ => Vec::new(),
        };
        let timestamp = self.header(TIMESTAMP).and_then(|value| value.parse().ok());
        source.client(global, |builder| {
            let new = downloaded.iter().filter(|certificate| !configured.contains(&certificate.serial));
            let builder = new.fold(builder, |builder, new| builder.platform_key(&new.serial, &new.pem));
            match timestamp.filter(|_| args.any_time) {
                Some(timestamp) => builder.clock(FixedClock(timestamp)),
                None => builder,
            }
        })
    }

    /// Adds to a failed verification how to fix it.
    pub(crate) fn add_hint(&self, wx: &WeChatPay, error: Error) -> Failure {
        let Error::Verify(failed) = &error else { return error.into() };
        let hint = match &failed.reason {
            VerifyReason::ClockSkew { .. } => "use --any-time to accept a message of any age".to_owned(),
            VerifyReason::UnknownSerial { .. } => format!(
                "configure the platform key with this serial, or set {}=1",
                variables::AUTOMATIC_CERTIFICATES
            ),
            VerifyReason::BadSignature { .. } => match self.added_line_ending(wx) {
                Some(ending) => {
                    format!(
                        "remove the {ending} that was added to the end of the body; without it, the signature is valid"
                    )
                }
                None => "check that the body is byte for byte as received, and that these are its headers"
                    .to_owned(),
            },
            _ => return error.into(),
        };
        Failure::Library { error, hint: Some(hint) }
    }

    /// The line ending that an editor or a shell added to the body, if only that makes the signature invalid.
    fn added_line_ending(&self, wx: &WeChatPay) -> Option<&'static str> {
        [("line feed", &b"\n"[..]), ("line break", b"\r\n")].into_iter().find_map(|(name, ending)| {
            let body = self.body.strip_suffix(ending)?;
            wx.verify(&self.headers, body).is_ok().then_some(name)
        })
    }
}

/// A clock that does not advance.
struct FixedClock(u64);

impl Clock for FixedClock {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}

/// Parses lines of `Name: value`, as HTTP and curl write them, or a JSON object.
fn parse_headers(text: &str) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let shown = Excerpt(name);
        let header =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("invalid header name {shown}"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("invalid value of header {shown}"))?;
        // A map has a limit, and `append` panics above it.
        map.try_append(header, value).map_err(|_| "too many headers".to_owned())?;
        Ok::<_, String>(())
    };
    if text.trim_start().starts_with('{') {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|e| format!("invalid JSON object: {}", json_reason(&e)))?;
        for (name, value) in &object {
            match value {
                Value::String(text) => add(name, text)?,
                Value::Number(number) => add(name, &number.to_string())?,
                // Node and PHP keep the values of a header in a list.
                Value::Array(list) => list.iter().try_for_each(|item| match item {
                    Value::String(text) => add(name, text),
                    _ => Err(format!("{}: expected a list of strings", Excerpt(name))),
                })?,
                _ => return Err(format!("{}: expected a string", Excerpt(name))),
            }
        }
        return Ok(map);
    }
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        // The status or request line, and the empty line at the end.
        if line.is_empty() || (index == 0 && line.contains("HTTP/")) {
            continue;
        }
        let number = index + 1;
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("line {number}: expected `Name: value`"))?;
        add(name.trim(), value.trim()).map_err(|reason| format!("line {number}: {reason}"))?;
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines_or_json() {
        let lines =
            parse_headers("POST /notify HTTP/1.1\r\nWechatpay-Nonce: a:b\r\nX: 1\r\nx: 2\r\n\r\n").unwrap();
        assert_eq!(lines["wechatpay-nonce"], "a:b");
        assert_eq!(lines.get_all("x").iter().count(), 2);
        let json = parse_headers(r#"{"Wechatpay-Timestamp": 1, "wechatpay-nonce": ["n"]}"#).unwrap();
        assert_eq!(
            (&json["wechatpay-timestamp"], &json["wechatpay-nonce"]),
            (&"1".parse().unwrap(), &"n".parse().unwrap())
        );
        for (text, part) in [
            ("a: 1\nb", "line 2: expected"),
            ("a b: 1", "invalid header name"),
            ("{\"a\": {}}", "expected a string"),
            ("{", "invalid JSON object"),
            ("{\"a\": \"\\n\"}", "invalid value of header"),
        ] {
            let error = parse_headers(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
