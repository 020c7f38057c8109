//! The platform's error response as an `ApiError`.

use std::fmt;
use std::time::Duration;

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::{ApiError, Error};
use crate::json;
use crate::response::request_id;
use crate::transport::RawResponse;

/// The most that is parsed of an error that is not verified, in bytes. Anyone can make one up, and parsed JSON can take
/// a hundred times the memory of its text. The platform's own errors are much smaller.
const MAX_UNVERIFIED: usize = 64 << 10;

/// The most of a verified error from which the `detail` is kept, in bytes. Its code and its message are read wherever
/// they are.
const MAX_VERIFIED: usize = 256 << 10;

/// The error of a response whose status is not a success.
pub(super) fn api_error(response: RawResponse, verified: bool) -> Error {
    let RawResponse { status, headers, body, .. } = response;
    let parsed = if verified { ErrorBody::verified(&body) } else { ErrorBody::unverified(&body) };
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let message = parsed.message.unwrap_or_else(|| match (status.is_redirection(), header(LOCATION)) {
        // Only the host: the rest may contain a token.
        (true, Some(location)) => format!("a redirect to `{}`, which is not followed", origin_of(location)),
        _ => {
            let what = if parsed.code.is_some() { "without a message" } else { "not the platform's JSON" };
            let kind = header(CONTENT_TYPE).unwrap_or("no declared type");
            // None is asked for.
            let encoding =
                header(CONTENT_ENCODING).map(|encoding| format!(" ({encoding})")).unwrap_or_default();
            format!("{} bytes of {kind}{encoding}, {what}", body.len())
        }
    });
    Error::Api(Box::new(ApiError {
        status: status.as_u16(),
        code: parsed.code.unwrap_or_default(),
        message,
        detail: parsed.detail,
        request_id: request_id(&headers).map(str::to_owned),
        verified,
        retry_after: header(RETRY_AFTER).and_then(|v| v.trim().parse().ok()).map(Duration::from_secs),
        did_you_mean: Vec::new(),
        body,
    }))
}

/// The error of a call: if the platform does not know its path, with the documented ones that may be meant.
pub(super) fn call_error(
    response: RawResponse,
    verified: bool,
    method: &Method,
    base_path_length: usize,
) -> Error {
    let path = response.path.get(base_path_length..).unwrap_or_default().to_owned();
    let mut error = api_error(response, verified);
    if let Error::Api(api) = &mut error
        && (api.status == 404 || api.code.ends_with("NOT_EXISTS") || api.code.ends_with("NOT_FOUND"))
    {
        api.did_you_mean = near(method, &path);
    }
    error
}

/// What an undocumented verb and path may mean.
#[cfg(feature = "catalogue")]
fn near(method: &Method, path: &str) -> Vec<String> {
    use crate::catalogue::Catalogue;

    if Catalogue::find(method.as_str(), path).is_some() {
        return Vec::new();
    }
    let near = Catalogue::suggest(Some(method.as_str()), path).into_iter().take(3);
    near.map(|near| format!("{} `{}`", near.operation().verb(), near.operation().template())).collect()
}

#[cfg(not(feature = "catalogue"))]
fn near(_: &Method, _: &str) -> Vec<String> {
    Vec::new()
}

fn origin_of(location: &str) -> String {
    url::Url::parse(location)
        .map_or_else(|_| "another path".to_owned(), |url| url.origin().ascii_serialization())
}

/// The members of an error's body: `{"code": "…", "message": "…", "detail": …}`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ErrorBody {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) detail: Value,
}

impl ErrorBody {
    /// The beginning of a body that anyone may have made.
    pub(super) fn unverified(body: &[u8]) -> ErrorBody {
        ErrorBody::read(body.get(..MAX_UNVERIFIED).unwrap_or(body), Detail::Kept)
    }

    /// The members of the platform's own error. Values can take a hundred times the memory of their text, so the `detail`
    /// of one that is far larger than any of the platform's is left out; it is in the body, for the caller to parse.
    fn verified(body: &[u8]) -> ErrorBody {
        match body.get(..MAX_VERIFIED) {
            None => ErrorBody::read(body, Detail::Kept),
            Some(start) => {
                let ErrorBody { code, message, .. } = ErrorBody::read(body, Detail::Skipped);
                ErrorBody { code, message, detail: ErrorBody::read(start, Detail::Kept).detail }
            }
        }
    }

    /// All members up to the first mistake, which may be the end of what is read.
    fn read(body: &[u8], detail: Detail) -> ErrorBody {
        let mut read = ErrorBody::default();
        let repaired = json::repaired(body);
        let mut json = serde_json::Deserializer::from_slice(repaired.as_deref().unwrap_or(body));
        // A body that is not JSON, or not an object, has no members.
        let _ = json.deserialize_map(Members(&mut read, detail));
        read
    }
}

#[derive(Clone, Copy)]
enum Detail {
    Kept,
    Skipped,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Code,
    Message,
    Detail,
    #[serde(other)]
    Other,
}

/// Fills in the members as they come.
struct Members<'a>(&'a mut ErrorBody, Detail);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(member) = map.next_key()? {
            match member {
                Member::Code => self.0.code = map.next_value::<Text>()?.0,
                Member::Message => self.0.message = map.next_value::<Text>()?.0,
                Member::Detail if matches!(self.1, Detail::Kept) => self.0.detail = map.next_value()?,
                Member::Detail | Member::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A string; nothing of any other value is kept.
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Text, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_members_are_read_as_far_as_they_go() {
        let read = |body: &str| {
            let ErrorBody { code, message, detail } = ErrorBody::unverified(body.as_bytes());
            (code.unwrap_or_default(), message.unwrap_or_default(), detail)
        };
        let full = |detail| ("PARAM_ERROR".to_owned(), "参数\n错误".to_owned(), detail);
        let start = r#"{"x":[{"code":"NO"}],"code":"PARAM_ERROR","message":"参数\n错误""#;
        assert_eq!(read(&format!(r#"{start},"detail":{{"a":[1]}}}}"#)), full(json!({"a": [1]})));
        for rest in ["", ",", ",\"detail\":", ",\"detail\":[1", ",\"y\":\"\\ud83d\"}", "} <html>"] {
            assert_eq!(read(&format!("{start}{rest}")), full(Value::Null), "{rest}");
        }
        let none = (String::new(), String::new(), Value::Null);
        for body in
            ["", "<html>", "[]", "\"code\"", "null", "{}", r#"{"code":7,"message":["x"]}"#, r#"{"Code":"A"}"#]
        {
            assert_eq!(read(body), none, "{body}");
        }
        // As a map would have it: the last one counts.
        assert_eq!(read(r#"{"code":"A","code":"B"}"#).0, "B");
    }

    #[test]
    fn an_unverified_body_is_read_up_to_a_limit() {
        let long = |at: usize| {
            let padding = "x".repeat(at);
            format!(r#"{{"code":"A","padding":"{padding}","message":"m"}}"#)
        };
        let message = |body: &str| ErrorBody::unverified(body.as_bytes()).message;
        assert_eq!(message(&long(60 << 10)).as_deref(), Some("m"));
        let body = long(64 << 10);
        assert_eq!(message(&body), None);
        assert_eq!(ErrorBody::unverified(body.as_bytes()).code.as_deref(), Some("A"));
        assert_eq!(ErrorBody::verified(body.as_bytes()).message.as_deref(), Some("m"));
    }

    #[test]
    fn of_a_large_verified_body_only_the_detail_is_left_out() {
        let detail = |length: usize| vec![json!({"a": 1}); length / 8];
        for (length, kept) in [(100 << 10, true), (300 << 10, false), (4 << 20, false)] {
            let body = json!({"code": "C", "detail": detail(length), "message": "m"}).to_string();
            let body = body.replace(",\"message", ",\"half\":\"\\ud83d\",\"message");
            let read = ErrorBody::verified(body.as_bytes());
            assert_eq!((read.code.as_deref(), read.message.as_deref()), (Some("C"), Some("m")), "{length}");
            let expected = if kept { Value::from(detail(length)) } else { Value::Null };
            assert_eq!(read.detail, expected, "{length}");
        }
        // A small detail that comes first is kept, whatever follows.
        let body = format!(r#"{{"detail":[1],"x":"{}","message":"m"}}"#, "x".repeat(1 << 20));
        let read = ErrorBody::verified(body.as_bytes());
        assert_eq!((read.message.as_deref(), read.detail), (Some("m"), json!([1])));
        for other in ["1", "-1", "1.5", "true", "null", "[[1],{}]", "{\"a\":[]}"] {
            let read = ErrorBody::verified(format!(r#"{{"code":{other},"message":"m"}}"#).as_bytes());
            assert_eq!((read.code, read.message.as_deref()), (None, Some("m")), "{other}");
        }
    }
}
