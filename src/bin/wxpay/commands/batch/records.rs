//! What stands in a journal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use wechatpay_chain::bytes::Bytes;
use wechatpay_chain::{Clock as _, Error, Response, SystemClock};

use super::calls::{Call, Id};
use super::outcome::Outcome;

/// The form of a journal.
pub(super) const VERSION: u32 = 1;

/// The first line of each run: whose calls these are. Answers of another platform would not be worth anything here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) run: u32,
    pub(super) mchid: String,
    /// The base URL, or `sandbox`.
    pub(super) platform: String,
}

/// A call is about to be sent.
#[derive(Serialize)]
pub(super) struct Sent<'a> {
    sent: &'a Id,
    digest: &'a str,
    at: u64,
}

/// What became of it.
#[derive(Serialize)]
pub(super) struct Ended<'a> {
    id: &'a Id,
    digest: &'a str,
    outcome: Outcome,
    at: u64,
    #[serde(flatten)]
    answer: Answer,
}

#[derive(Default, Serialize)]
struct Answer {
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
    /// An answer that is JSON, its numbers as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    /// Any other text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Any other bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl<'a> Sent<'a> {
    pub(super) fn now(call: &'a Call) -> Sent<'a> {
        Sent { sent: &call.id, digest: &call.digest, at: SystemClock.unix_seconds() }
    }
}

impl<'a> Ended<'a> {
    pub(super) fn now(call: &'a Call, outcome: Outcome, result: &Result<Response, Error>) -> Ended<'a> {
        let answer = match result {
            Ok(response) => Answer {
                status: Some(response.status()),
                request_id: response.request_id().map(str::to_owned),
                verified: Some(response.verified()),
                ..Answer::of(response.bytes())
            },
            Err(error) => Answer::wrong(error),
        };
        Ended { answer, ..Ended::bare(call, outcome) }
    }

    /// Of a call that was on its way when an earlier run ended.
    pub(super) fn lost(call: &'a Call) -> Ended<'a> {
        let message = Some("the run ended before an answer was recorded".to_owned());
        Ended { answer: Answer { message, ..Answer::default() }, ..Ended::bare(call, Outcome::Unknown) }
    }

    fn bare(call: &'a Call, outcome: Outcome) -> Ended<'a> {
        Ended {
            id: &call.id,
            digest: &call.digest,
            outcome,
            at: SystemClock.unix_seconds(),
            answer: Answer::default(),
        }
    }
}

impl Answer {
    fn of(body: &Bytes) -> Answer {
        let mut answer = Answer::default();
        match std::str::from_utf8(body) {
            Ok("") => {}
            // Between the values of a JSON text a line break is as good as a space, and inside one there is none.
            Ok(text) => match RawValue::from_string(text.replace(['\n', '\r'], " ")) {
                Ok(json) => answer.body = Some(json),
                Err(_) => answer.text = Some(text.to_owned()),
            },
            Err(_) => answer.base64 = Some(STANDARD.encode(body)),
        }
        answer
    }

    fn wrong(error: &Error) -> Answer {
        let mut answer = Answer {
            status: error.status(),
            code: error.code().map(str::to_owned),
            message: Some(error.to_string()),
            request_id: error.request_id().map(str::to_owned),
            ..Answer::default()
        };
        if let Error::Api(api) = error {
            answer.message = Some(api.message.clone());
            answer.detail = api.detail.clone();
            answer.verified = Some(api.verified);
        }
        answer
    }
}

/// Any record, as it is read again: only what says how far a call has come.
#[derive(Deserialize)]
pub(super) struct Record {
    run: Option<u32>,
    mchid: Option<String>,
    platform: Option<String>,
    sent: Option<Id>,
    id: Option<Id>,
    digest: Option<String>,
    outcome: Option<Outcome>,
}

/// The same, told apart.
pub(super) enum Read {
    Run(Run),
    Sent(Id, String),
    Ended(Id, String, Outcome),
}

impl Record {
    pub(super) fn parse(text: &[u8]) -> Result<Read, String> {
        match serde_json::from_slice(text).map_err(|e| e.to_string())? {
            Record {
                run: Some(run),
                mchid: Some(mchid),
                platform: Some(platform),
                sent: None,
                id: None,
                outcome: None,
                ..
            } => Ok(Read::Run(Run { run, mchid, platform })),
            Record { sent: Some(id), digest: Some(digest), run: None, id: None, outcome: None, .. } => {
                Ok(Read::Sent(id, digest))
            }
            Record {
                id: Some(id),
                digest: Some(digest),
                outcome: Some(outcome),
                run: None,
                sent: None,
                ..
            } => Ok(Read::Ended(id, digest, outcome)),
            _ => Err("it is none of a journal's records".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &'static [u8]) -> String {
        serde_json::to_string(&Answer::of(&Bytes::from_static(bytes))).unwrap()
    }

    #[test]
    fn an_answer_stays_on_one_line_and_keeps_its_digits() {
        assert_eq!(
            json(b"{\n  \"n\": 1.10,\r\n \"t\": \"a\\nb\"\n}\n"),
            r#"{"body":{   "n": 1.10,   "t": "a\nb" }}"#
        );
        assert_eq!(json(b""), "{}");
        assert_eq!(json("a,b\n1,2\n".as_bytes()), r#"{"text":"a,b\n1,2\n"}"#);
        assert_eq!(json(b"\xff\x00"), r#"{"base64":"/wA="}"#);
        // Deeper than a reader would follow it.
        let deep = Bytes::from(["[".repeat(10_000), "]".repeat(10_000)].concat());
        assert!(Answer::of(&deep).body.is_some());
    }

    #[test]
    fn what_is_no_record_is_none() {
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
