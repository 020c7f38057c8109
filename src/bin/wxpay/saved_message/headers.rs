//! Saved headers, in the forms in which programs print them.

use serde_json::{Map, Value};
use wechatpay_chain::http::{HeaderMap, HeaderName, HeaderValue};

use crate::text::{Excerpt, json_reason};

/// Parses lines of `Name: value`, as HTTP, curl and CGI write them, or a JSON object.
pub(super) fn parse_headers(text: &str) -> Result<HeaderMap, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut map = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let shown = Excerpt(name);
        let header = HeaderName::from_bytes(http_name(name).as_bytes())
            .map_err(|_| format!("invalid header name {shown}"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("invalid value of header {shown}"))?;
        // A map has a limit, and `append` panics above it.
        map.try_append(header, value).map_err(|_| "too many headers".to_owned())?;
        Ok::<_, String>(())
    };
    if text.trim_start().starts_with('{') {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|e| format!("invalid JSON object: {}", json_reason(&e)))?;
        for (name, value) in &object {
            // The dump of an environment has other things in it, too.
            let other = !http_name(name).to_ascii_lowercase().starts_with("wechatpay-");
            match value {
                Value::String(text) => add(name, text)?,
                Value::Number(number) => add(name, &number.to_string())?,
                // Node and PHP keep the values of a header in a list.
                _ if other => {}
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
        // `curl -v` marks what it sent and what it received.
        let line = line.trim();
        let line = line.strip_prefix("> ").or_else(|| line.strip_prefix("< ")).unwrap_or(line).trim();
        let status_line = line.contains("HTTP/") && !line.contains(": ");
        if line.is_empty() || matches!(line, ">" | "<") || line.starts_with("* ") || status_line {
            continue;
        }
        let number = index + 1;
        // `export NAME=value` and `NAME=value` are an environment's.
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line
            .split_once(':')
            .filter(|(name, _)| !name.contains('='))
            .or_else(|| line.split_once('='))
            .ok_or_else(|| format!("line {number}: expected `Name: value`"))?;
        add(name.trim(), unquoted(value.trim())).map_err(|reason| format!("line {number}: {reason}"))?;
    }
    Ok(map)
}

/// The name of the HTTP header: CGI, Django and PHP's `$_SERVER` have `HTTP_WECHATPAY_SERIAL`, nginx has
/// `http_wechatpay_serial`.
fn http_name(name: &str) -> String {
    let name = name.trim_start_matches('$');
    let prefix = name.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("HTTP_"));
    match prefix {
        Some(_) => name[5..].replace('_', "-"),
        None if name.to_ascii_lowercase().starts_with("wechatpay_") => name.replace('_', "-"),
        None => name.to_owned(),
    }
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
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
            ("{\"wechatpay_nonce\": {}}", "expected a string"),
            ("{", "invalid JSON object"),
            ("{\"a\": \"\\n\"}", "invalid value of header"),
        ] {
            let error = parse_headers(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
