//! The records of a journal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use wechatpay_chain::bytes::Bytes;
use wechatpay_chain::{Clock as _, Error, Response, SystemClock};

use super::calls::{Call, Id};
use super::outcome::Outcome;
use super::refusals::Refusal;
use crate::failure::describe_in_line;
use crate::text::json_reason;

/// The version of the journal's format.
pub(super) const VERSION: u32 = 1;

/// The first record of each run. A journal can be resumed only by the same merchant on the same platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunRecord {
    /// The version of the format.
    pub(super) run: u32,
    pub(super) mchid: String,
    /// The base URL, or `sandbox`.
    pub(super) platform: String,
}

/// Announces a call, before it is sent.
#[derive(Serialize)]
pub(super) struct SentRecord<'a> {
    sent: &'a Id,
    digest: &'a str,
    at: u64,
}

/// The result of a call.
#[derive(Serialize)]
pub(super) struct ResultRecord<'a> {
    id: &'a Id,
    digest: &'a str,
    outcome: Outcome,
    at: u64,
    #[serde(flatten)]
    response: ResponseFields,
}

#[derive(Default, Serialize)]
struct ResponseFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    detail: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    /// A JSON body; numbers keep their digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    /// A body that is other text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Any other body.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl<'a> SentRecord<'a> {
    pub(super) fn now(call: &'a Call) -> SentRecord<'a> {
        SentRecord { sent: &call.id, digest: &call.digest, at: SystemClock.unix_seconds() }
    }
}

impl<'a> ResultRecord<'a> {
    pub(super) fn now(
        call: &'a Call,
        outcome: Outcome,
        result: &Result<Response, Error>,
    ) -> ResultRecord<'a> {
        let response = match result {
            Ok(response) => ResponseFields {
                status: Some(response.status()),
                request_id: response.request_id().map(str::to_owned),
                verified: Some(response.verified()),
                ..ResponseFields::of_response(response)
            },
            Err(error) => ResponseFields::of_error(error),
        };
        ResultRecord { response, ..ResultRecord::without_response(call, outcome) }
    }

    /// For a call that was in flight when an earlier run ended.
    pub(super) fn interrupted(call: &'a Call) -> ResultRecord<'a> {
        let message = Some("the run ended before a response was recorded".to_owned());
        ResultRecord {
            response: ResponseFields { message, ..ResponseFields::default() },
            ..ResultRecord::without_response(call, Outcome::Unknown)
        }
    }

    fn without_response(call: &'a Call, outcome: Outcome) -> ResultRecord<'a> {
        ResultRecord {
            id: &call.id,
            digest: &call.digest,
            outcome,
            at: SystemClock.unix_seconds(),
            response: ResponseFields::default(),
        }
    }
}

impl ResponseFields {
    fn of_response(response: &Response) -> ResponseFields {
        let is_xml = response.bytes().trim_ascii_start().starts_with(b"<") && response.data().is_object();
        match is_xml.then(|| RawValue::from_string(response.data().to_string())) {
            // The fields, as a single call prints them.
            Some(Ok(json)) => ResponseFields { body: Some(json), ..ResponseFields::default() },
            _ => ResponseFields::of_body(response.bytes()),
        }
    }

    fn of_body(body: &Bytes) -> ResponseFields {
        let mut fields = ResponseFields::default();
        match std::str::from_utf8(body) {
            Ok("") => {}
            // A record is one line. In JSON, a raw line break is whitespace between tokens, so a space is the same.
            Ok(text) => match RawValue::from_string(text.replace(['\n', '\r'], " ")) {
                Ok(json) => fields.body = Some(json),
                Err(_) => fields.text = Some(text.to_owned()),
            },
            Err(_) => fields.base64 = Some(STANDARD.encode(body)),
        }
        fields
    }

    fn of_error(error: &Error) -> ResponseFields {
        let mut fields = ResponseFields {
            status: error.status(),
            code: error.code().map(str::to_owned),
            message: Some(describe_in_line(error)),
            request_id: error.request_id().map(str::to_owned),
            ..ResponseFields::default()
        };
        if let Error::Api(api) = error {
            fields.message = Some(api.message.clone());
            fields.detail = api.detail.clone();
            fields.verified = Some(api.verified);
        }
        fields
    }
}

/// The members that tell the kinds of records apart, and the state of a call.
#[derive(Deserialize)]
struct RawRecord {
    run: Option<u32>,
    mchid: Option<String>,
    platform: Option<String>,
    sent: Option<Id>,
    id: Option<Id>,
    digest: Option<String>,
    outcome: Option<Outcome>,
    code: Option<String>,
    message: Option<String>,
}

/// A record that was read. A result keeps only the state of the call, and the reason of a refusal.
pub(super) enum Record {
    Run(RunRecord),
    Sent { id: Id, digest: String },
    Result { id: Id, digest: String, outcome: Outcome, refusal: Option<Refusal> },
}

impl Record {
    pub(super) fn parse(text: &[u8]) -> Result<Record, String> {
        match serde_json::from_slice(text).map_err(|e| json_reason(&e))? {
            RawRecord {
                run: Some(run),
                mchid: Some(mchid),
                platform: Some(platform),
                sent: None,
                id: None,
                outcome: None,
                ..
            } => Ok(Record::Run(RunRecord { run, mchid, platform })),
            RawRecord {
                sent: Some(id), digest: Some(digest), run: None, id: None, outcome: None, ..
            } => Ok(Record::Sent { id, digest }),
            RawRecord {
                id: Some(id),
                digest: Some(digest),
                outcome: Some(outcome),
                run: None,
                sent: None,
                code,
                message,
                ..
            } => {
                let reason = || Refusal::new(&code.unwrap_or_default(), &message.unwrap_or_default());
                let refusal = (outcome == Outcome::Refused).then(reason);
                Ok(Record::Result { id, digest, outcome, refusal })
            }
            _ => Err("unknown kind of record".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &'static [u8]) -> String {
        serde_json::to_string(&ResponseFields::of_body(&Bytes::from_static(bytes))).unwrap()
    }

    #[test]
    fn a_body_is_recorded_on_one_line_and_keeps_its_digits() {
        assert_eq!(
            json(b"{\n  \"n\": 1.10,\r\n \"t\": \"a\\nb\"\n}\n"),
            r#"{"body":{   "n": 1.10,   "t": "a\nb" }}"#
        );
        assert_eq!(json(b""), "{}");
        assert_eq!(json("a,b\n1,2\n".as_bytes()), r#"{"text":"a,b\n1,2\n"}"#);
        assert_eq!(json(b"\xff\x00"), r#"{"base64":"/wA="}"#);
        // Nested deeper than serde_json parses.
        let deep = Bytes::from(["[".repeat(10_000), "]".repeat(10_000)].concat());
        assert!(ResponseFields::of_body(&deep).body.is_some());
    }

    #[test]
    fn invalid_records_are_refused() {
        for (text, good) in [
            (r#"{"run":1,"mchid":"1","platform":"sandbox"}"#, true),
            (r#"{"sent":"R1","digest":"00","at":1}"#, true),
            (r#"{"sent":7,"digest":"00"}"#, true),
            (r#"{"id":7,"digest":"00","outcome":"ok","body":{"run":1}}"#, true),
            (r#"{"id":7,"digest":"00","outcome":"fine"}"#, false),
            (r#"{"id":7,"outcome":"ok"}"#, false),
            (r#"{"id":-7,"digest":"00","outcome":"ok"}"#, false),
            (r#"{"run":1}"#, false),
            (r#"{"id":1,"sent":1,"digest":"00","outcome":"ok"}"#, false),
            (r#"{"method":"GET","path":"v3/x"}"#, false),
            ("[]", false),
            ("", false),
            ("\0\0\0", false),
        ] {
            assert_eq!(Record::parse(text.as_bytes()).is_ok(), good, "{text}");
        }
    }
}
