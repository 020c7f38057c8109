//! What the platform says when it refuses a request.

use serde_json::{Value, json};

use super::{Answer, Verdict, diagnosis::Diagnosis};

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Left out of the answer when `Null`. Boxed, because a `Result` is as large as its error.
    pub(super) detail: Box<Value>,
    /// For 405.
    pub(super) allow: Option<String>,
    /// For a signature that does not fit.
    pub(super) diagnosis: Option<Box<Diagnosis>>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
            detail: Box::default(),
            allow: None,
            diagnosis: None,
        }
    }

    /// 401 about one part of the `Authorization` header.
    pub(super) fn sign(field: &str, issue: &str, message: impl Into<String>) -> Refusal {
        let detail = json!({ "field": field, "location": "authorization", "detail": { "issue": issue } });
        Refusal { detail: detail.into(), ..Refusal::new(401, "SIGN_ERROR", message) }
    }

    /// 400 about one field; `location` is `body`, `query`, `path` or `header`.
    pub(super) fn param(location: &str, field: &str, issue: &str) -> Refusal {
        let detail = json!({ "field": field, "location": location, "issue": issue });
        let name = field.trim_start_matches('/').replace('/', ".");
        Refusal {
            detail: detail.into(),
            ..Refusal::new(400, "PARAM_ERROR", format!("{location} `{name}`: {issue}"))
        }
    }

    pub(super) fn answer(&self) -> Answer {
        let mut body = json!({ "code": self.code, "message": self.message });
        if !self.detail.is_null() {
            body["detail"] = Value::clone(&self.detail);
        }
        let answer = Answer::new(self.status).json(body);
        match &self.allow {
            Some(verbs) => answer.header("Allow", verbs),
            None => answer,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        Verdict::Refused { status: self.status, code: self.code.into(), message: self.message.clone() }
    }
}
