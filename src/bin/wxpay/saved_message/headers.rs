//! Saved headers, in the forms in which programs print them.

use serde_json::Value;
use wechatpay_chain::http::{HeaderMap, HeaderName, HeaderValue};

use crate::text::{Excerpt, json_reason};

/// The headers of the signature, by their letters and digits, which all programs keep.
const OF_SIGNATURE: [(&str, HeaderName); 5] = [
    ("wechatpaynonce", HeaderName::from_static("wechatpay-nonce")),
    ("wechatpayserial", HeaderName::from_static("wechatpay-serial")),
    ("wechatpaysignature", HeaderName::from_static("wechatpay-signature")),
    ("wechatpaysignaturetype", HeaderName::from_static("wechatpay-signature-type")),
    ("wechatpaytimestamp", HeaderName::from_static("wechatpay-timestamp")),
];

/// What CGI, Apache and the variables of nginx have in front of a header's name.
const PREFIXES: [&str; 4] = ["", "http", "redirecthttp", "senthttp"];

/// Objects within each other, in which the headers are searched.
const MAX_DEPTH: usize = 4;

/// The first line of an HTTP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartLine {
    Request,
    /// With the status.
    Response(Option<u16>),
}

/// Headers, and which kind of message they are from, if that was saved, too.
#[derive(Debug, Default)]
pub(super) struct SavedHeaders {
    pub(super) map: HeaderMap,
    pub(super) start: Option<StartLine>,
    /// The start line above the headers that are read now.
    current: Option<StartLine>,
    /// Headers of the signature under names that only resemble theirs. They count if no other one is there.
    similar: Vec<(HeaderName, HeaderValue)>,
}

/// Parses lines of `Name: value`, as HTTP, curl, CGI and PHP write them, or JSON.
pub(super) fn parse_headers(text: &str) -> Result<SavedHeaders, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut headers = SavedHeaders::default();
    match text.trim_start().starts_with(['{', '[']).then(|| json(text)) {
        Some(Ok(value)) => headers.add_json(&value, 0)?,
        // `[NAME] => value`, as PHP prints an array.
        Some(Err(reason)) if !text.contains("=>") => return Err(reason),
        _ => headers.add_lines(text)?,
    }
    for (name, value) in std::mem::take(&mut headers.similar) {
        if !headers.map.contains_key(&name) {
            // A map has a limit, and `append` panics above it.
            headers.map.try_append(name, value).map_err(|_| "too many headers".to_owned())?;
        }
    }
    Ok(headers)
}

/// JSON, or a dictionary as Python prints it.
fn json(text: &str) -> Result<Value, String> {
    let python = || {
        let text = text.replace("b'", "'").replace('\'', "\"").replace('(', "[").replace(')', "]");
        serde_json::from_str(&text).ok()
    };
    serde_json::from_str(text).or_else(|e| match python() {
        Some(value) if text.contains('\'') => Ok(value),
        _ => Err(format!("invalid JSON: {}", json_reason(&e))),
    })
}

impl SavedHeaders {
    fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let shown = Excerpt(name);
        let (header, exact) = match of_signature(name) {
            Some(found) => found,
            None => (
                HeaderName::from_bytes(http_name(name).as_bytes())
                    .map_err(|_| format!("invalid header name {shown}"))?,
                true,
            ),
        };
        let value = HeaderValue::from_str(value).map_err(|_| format!("invalid value of header {shown}"))?;
        if header.as_str().starts_with("wechatpay-") && self.start.is_none() {
            // Only a server that was asked has these names.
            let cgi = name.trim_start_matches('$').to_ascii_lowercase().starts_with("http");
            self.start = self.current.or(cgi.then_some(StartLine::Request));
        }
        if !exact {
            self.similar.push((header, value));
            return Ok(());
        }
        // A map has a limit, and `append` panics above it.
        self.map.try_append(header, value).map_err(|_| "too many headers".to_owned())?;
        Ok(())
    }

    fn add_lines(&mut self, text: &str) -> Result<(), String> {
        let mut name_alone: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            // `curl -v` marks what it sent and what it received.
            let line = line.trim();
            let line = line.strip_prefix("> ").or_else(|| line.strip_prefix("< ")).unwrap_or(line).trim();
            if let Some(start) = start_line(line) {
                self.current = Some(start);
                continue;
            }
            if is_frame(line) || matches!(line, ">" | "<") || line.starts_with("* ") {
                continue;
            }
            let number = index + 1;
            // `export NAME=value` and `NAME=value` are an environment's.
            let line = line.strip_prefix("export ").unwrap_or(line);
            let line = match name_alone.take() {
                Some(name) => format!("{name} {line}"),
                None => line.to_owned(),
            };
            // PHP's `var_dump` has the value in the next line.
            if line.ends_with("=>") {
                name_alone = Some(line);
                continue;
            }
            let (name, value) = line
                .split_once("=>")
                .or_else(|| line.split_once(':').filter(|(name, _)| !name.contains('=')))
                .or_else(|| line.split_once('='))
                .ok_or_else(|| format!("line {number}: expected `Name: value`"))?;
            let name = name.trim().trim_matches(['[', ']', '"', '\'']);
            self.add(name, bare(value)).map_err(|reason| format!("line {number}: {reason}"))?;
        }
        Ok(())
    }

    /// An object, a list of pairs, or a list of names and values in turn; also inside a member `headers`.
    fn add_json(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match value {
            Value::Object(object) => {
                let is_nested = |value: &Value| value.is_object() || value.is_array();
                let inner = object.iter().find(|(name, value)| {
                    ["headers", "header", "meta"].contains(&name.to_ascii_lowercase().as_str())
                        && is_nested(value)
                });
                if let Some((_, inner)) = inner.filter(|_| depth < MAX_DEPTH) {
                    return self.add_json(inner, depth + 1);
                }
                object.iter().try_for_each(|(name, value)| self.add_member(name, value))
            }
            Value::Array(list) if list.iter().all(Value::is_string) => {
                list.chunks(2).try_for_each(|pair| match pair {
                    [Value::String(name), value] => self.add_member(name, value),
                    _ => Err("expected a list of names and values".to_owned()),
                })
            }
            Value::Array(list) => list.iter().try_for_each(|item| {
                let pair = match item {
                    Value::Array(pair) => pair.first().zip(pair.get(1)),
                    Value::Object(pair) => {
                        let name = ["name", "key", "Name", "Key"].iter().find_map(|key| pair.get(*key));
                        name.zip(pair.get("value").or_else(|| pair.get("Value")))
                    }
                    _ => None,
                };
                let named = pair.and_then(|(name, value)| Some((text(name)?, value)));
                let (name, value) = named.ok_or("expected a list of names and values")?;
                self.add_member(&name, value)
            }),
            _ => Err("expected an object or a list".to_owned()),
        }
    }

    fn add_member(&mut self, name: &str, value: &Value) -> Result<(), String> {
        // The dump of an environment has other things in it, too.
        let other = of_signature(name).is_none();
        match value {
            // Half of an environment is not allowed in HTTP.
            Value::String(text) if other => drop(self.add(name, text)),
            Value::String(text) => self.add(name, text)?,
            Value::Number(number) => self.add(name, &number.to_string())?,
            _ if other => {}
            // Node, Go and PHP keep the values of a header in a list.
            Value::Array(list) => list.iter().try_for_each(|item| match item {
                Value::String(text) => self.add(name, text),
                _ => Err(format!("{}: expected a list of strings", Excerpt(name))),
            })?,
            _ => return Err(format!("{}: expected a string", Excerpt(name))),
        }
        Ok(())
    }
}

/// Whether this line is empty, or only the frame of an array as PHP prints it: `Array`, `(`, `array(9) {`.
fn is_frame(line: &str) -> bool {
    let rest = line.strip_prefix("Array").or_else(|| line.strip_prefix("array")).unwrap_or(line);
    let framed = rest.len() < line.len();
    rest.chars().all(|c| "()[]{},; ".contains(c) || framed && c.is_ascii_digit())
}

/// The kind of message that this line begins, if it is a start line.
fn start_line(line: &str) -> Option<StartLine> {
    let status = |rest: &str| rest.split_whitespace().next().and_then(|status| status.parse().ok());
    if let Some(rest) = line.strip_prefix("HTTP/") {
        let (_, rest) = rest.split_once(' ').unwrap_or_default();
        return Some(StartLine::Response(status(rest)));
    }
    // HTTP/2.
    if let Some(rest) = line.strip_prefix(":status:") {
        return Some(StartLine::Response(status(rest)));
    }
    let pseudo = [":method:", ":path:", ":scheme:", ":authority:"];
    let request =
        pseudo.iter().any(|name| line.starts_with(name)) || line.contains(" HTTP/") && !line.contains(": ");
    request.then_some(StartLine::Request)
}

/// The header of the signature that this name stands for, and whether it is one of its names, in any letter case: its
/// own, or that of CGI, Django and PHP's `$_SERVER` (`HTTP_WECHATPAY_SERIAL`), Apache or nginx.
fn of_signature(name: &str) -> Option<(HeaderName, bool)> {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    OF_SIGNATURE.into_iter().find_map(|(ending, header)| {
        let prefix = letters.strip_suffix(ending)?;
        Some((header, PREFIXES.contains(&prefix)))
    })
}

/// The name of another HTTP header.
fn http_name(name: &str) -> String {
    let name = name.trim_start_matches('$');
    let prefix = name.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("HTTP_"));
    match prefix {
        Some(_) => name[5..].replace('_', "-"),
        // The one header that CGI has no prefix for.
        None if name == "CONTENT_LENGTH" => "content-length".to_owned(),
        None => name.to_owned(),
    }
}

/// A value without quotes, and without what PHP and Python put around it.
fn bare(value: &str) -> &str {
    let value = value.trim();
    let value = match value.strip_prefix("string(") {
        Some(rest) => rest.split_once(") ").map_or(value, |(_, text)| text),
        None => value,
    };
    let unquoted = |quote: char| {
        let inner = value.trim_end_matches([',', ';']).strip_prefix(quote)?;
        inner.strip_suffix(quote)
    };
    ['"', '\''].into_iter().find_map(unquoted).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines_or_json() {
        let lines =
            parse_headers("POST /notify HTTP/1.1\r\nWechatpay-Nonce: a:b\r\nX: 1\r\nx: 2\r\n\r\n").unwrap();
        assert_eq!(lines.start, Some(StartLine::Request));
        let lines = lines.map;
        assert_eq!(lines["wechatpay-nonce"], "a:b");
        assert_eq!(lines.get_all("x").iter().count(), 2);
        let json = parse_headers(r#"{"Wechatpay-Timestamp": 1, "wechatpay-nonce": ["n"]}"#).unwrap().map;
        assert_eq!(
            (&json["wechatpay-timestamp"], &json["wechatpay-nonce"]),
            (&"1".parse().unwrap(), &"n".parse().unwrap())
        );
        for (text, part) in [
            ("a: 1\nb", "line 2: expected"),
            ("a b: 1", "invalid header name"),
            ("{\"wechatpay_nonce\": {}}", "expected a string"),
            ("{", "invalid JSON"),
            ("{\"wechatpay-nonce\": \"\\n\"}", "invalid value of header"),
        ] {
            let error = parse_headers(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
