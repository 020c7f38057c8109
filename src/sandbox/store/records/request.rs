//! A request in the state file.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::forms::{self, Content, named};
use crate::sandbox::{
    auth::{diagnosis::Diagnosis, verify::SignatureVerdict},
    store::request_hint::RequestHint,
    store::seen_request::{EndpointKind, RecordedResponse, SeenRequest, Sent, Verdict},
};

// The names of the fields are part of the state file.
#[derive(Serialize, Deserialize)]
pub(super) struct RequestRecord {
    at: SystemTime,
    duration: Duration,
    method: String,
    target: String,
    headers: Vec<(String, Content)>,
    body: Content,
    body_length: usize,
    signed_message: Content,
    signed_message_length: usize,
    signature: String,
    endpoint: String,
    faults: Vec<String>,
    /// Status, code and message of a refusal.
    refused: Option<(u16, String, String)>,
    disturbed: bool,
    passed: bool,
    diagnosis: Option<Box<Diagnosis>>,
    #[serde(default)]
    hints: Vec<RequestHint>,
    response: ResponseRecord,
}

#[derive(Serialize, Deserialize)]
struct ResponseRecord {
    status: u16,
    headers: Vec<(String, Content)>,
    body: Content,
    body_length: usize,
    sent: String,
}

impl RequestRecord {
    pub(super) fn new(seen: &SeenRequest) -> RequestRecord {
        let refused = match &seen.verdict {
            Verdict::Refused { status, code, message } => Some((*status, code.clone(), message.clone())),
            Verdict::Accepted | Verdict::Disturbed => None,
        };
        let response = &seen.response;
        RequestRecord {
            at: seen.at,
            duration: seen.duration,
            method: seen.method.clone(),
            target: seen.target.clone(),
            headers: forms::headers(&seen.headers),
            body: Content::new(&seen.body),
            body_length: seen.body_length,
            signed_message: Content::new(&seen.signed_message),
            signed_message_length: seen.signed_message_length,
            signature: seen.signature.name().into(),
            endpoint: seen.endpoint.name().into(),
            faults: forms::faults(&seen.faults),
            refused,
            disturbed: seen.verdict == Verdict::Disturbed,
            passed: seen.passed,
            diagnosis: seen.diagnosis.clone(),
            hints: seen.hints.clone(),
            response: ResponseRecord {
                status: response.status,
                headers: forms::headers(&response.headers),
                body: Content::new(&response.body),
                body_length: response.body_length,
                sent: response.sent.name().into(),
            },
        }
    }

    /// `None` if it has a name that this version does not know.
    pub(super) fn into_seen(self, number: u64) -> Option<SeenRequest> {
        let response = self.response;
        Some(SeenRequest {
            number,
            at: self.at,
            duration: self.duration,
            method: self.method,
            target: self.target,
            headers: forms::into_headers(self.headers),
            body: self.body.into_bytes(),
            body_length: self.body_length,
            signed_message: self.signed_message.into_bytes(),
            signed_message_length: self.signed_message_length,
            signature: named(&SignatureVerdict::ALL, SignatureVerdict::name, &self.signature)?,
            endpoint: named(&EndpointKind::ALL, EndpointKind::name, &self.endpoint)?,
            faults: forms::into_faults(&self.faults),
            verdict: match self.refused {
                Some((status, code, message)) => Verdict::Refused { status, code, message },
                None if self.disturbed => Verdict::Disturbed,
                None => Verdict::Accepted,
            },
            response: RecordedResponse {
                status: response.status,
                headers: forms::into_headers(response.headers),
                body: response.body.into_bytes(),
                body_length: response.body_length,
                sent: named(&Sent::ALL, Sent::name, &response.sent)?,
            },
            passed: self.passed,
            diagnosis: self.diagnosis,
            hints: self.hints,
        })
    }
}
