//! How a body was changed after it was signed: usual changes are undone, until the signature is valid.

mod json;
mod undo;

use std::collections::HashSet;

use serde_json::Value;
use wechatpay_chain::http::HeaderMap;

/// Longer bodies are not searched: each attempt hashes the body.
const MAX_BODY: usize = 256 << 10;

/// Of longer ones not all orders of the members are tried. A notification is shorter.
const MAX_REORDERED: usize = 32 << 10;

/// Changes that can be on top of each other, such as a JSON string of the Base64 of the body.
const MAX_DEPTH: usize = 2;

/// Bodies to try, each one with all its spellings.
const MAX_FORMS: usize = 64;

/// A body with some changes undone, and these in words; none for the body itself.
pub(super) struct Form {
    what: Vec<&'static str>,
    body: Vec<u8>,
}

/// What was done to the body; `verifies` says whether a body is the signed one.
pub(super) fn find(body: &[u8], verifies: impl Fn(&[u8]) -> bool) -> Option<String> {
    if body.is_empty() {
        return verifies(b"{}").then(|| "the signed body is `{}`, this one is empty (0 bytes)".to_owned());
    }
    if body.len() > MAX_BODY {
        return None;
    }
    let forms = forms(body);
    for form in &forms {
        if !form.what.is_empty() && verifies(&form.body) {
            return Some(form.and(None));
        }
        if let Some(change) = json::respelt(&form.body, &verifies) {
            return Some(form.and(Some(&change)));
        }
    }
    // Last, because there are many orders.
    let is_short = |form: &&Form| form.body.len() <= MAX_REORDERED && is_object(&form.body);
    let mut ordered = forms.iter().filter(is_short).take(2);
    let form = ordered.find(|form| json::reordered(&form.body, &verifies))?;
    Some(form.and(Some(json::REORDERED)))
}

/// What shows that the body is not as the platform sent it, whoever signed it.
pub(super) fn visible(body: &[u8], headers: &HeaderMap) -> Option<String> {
    if body.is_empty() {
        return Some("it is empty (0 bytes)".to_owned());
    }
    let unwrapped = || {
        let forms = if body.len() > MAX_BODY || is_object(body) { Vec::new() } else { forms(body) };
        // Half a character or an odd parser makes an object of few things; a wrapped one certainly is one.
        forms.into_iter().find(|form| is_object(&form.body)).map(|form| form.and(None))
    };
    let length =
        headers.get("content-length").and_then(|length| length.to_str().ok()?.trim().parse::<usize>().ok());
    let wrong_length = || {
        let stated = length.filter(|stated| *stated != body.len())?;
        Some(format!("it has {} bytes, and `Content-Length` says {stated}", body.len()))
    };
    unwrapped().or_else(wrong_length).or_else(|| json::visible(body))
}

/// Whether the body is, or was, a notification: JSON with the members of the envelope.
pub(super) fn is_notification(body: &[u8]) -> bool {
    let has_envelope = |form: &Form| {
        let text = String::from_utf8_lossy(&form.body);
        ["event_type", "resource", "ciphertext"].iter().all(|name| text.contains(name))
    };
    body.len() <= MAX_BODY && forms(body).iter().any(has_envelope)
}

/// Whether the body is JSON that no notification is.
pub(super) fn is_other_json(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|value| value.get("event_type").is_none())
}

fn is_object(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok_and(|value| value.is_object())
}

/// The body itself, and what it contains if it was wrapped or converted as a whole.
fn forms(body: &[u8]) -> Vec<Form> {
    let mut seen: HashSet<Vec<u8>> = HashSet::from([body.to_vec()]);
    let mut forms = vec![Form { what: Vec::new(), body: body.to_vec() }];
    let mut next = 0;
    while let Some(form) = forms.get(next) {
        next += 1;
        if form.what.len() == MAX_DEPTH {
            continue;
        }
        let before = form.what.clone();
        for (what, undone) in undo::changes(&form.body) {
            if forms.len() < MAX_FORMS && undone.len() <= MAX_BODY && seen.insert(undone.clone()) {
                forms.push(Form { what: [&before[..], &[what]].concat(), body: undone });
            }
        }
    }
    forms
}

impl Form {
    /// The changes in words, the last one first, and another one before them.
    fn and(&self, other: Option<&str>) -> String {
        let all: Vec<&str> = self.what.iter().copied().chain(other).collect();
        all.join(", and ")
    }
}
