//! What the documents say about a call: hints for the terminal and for programs.

use std::collections::HashSet;

use serde_json::{Value, json};
use wechatpay_chain::catalogue::{FieldHint, FieldProblem, Hint};
use wechatpay_chain::{Prepared, Request};

use crate::failure::{self, Failure};
use crate::text::Excerpt;
use crate::verbose;
use crate::words::Place;

/// A batch with more mistyped paths than this has one cause.
const MOST_PATHS: usize = 1_000;

/// A hint in one line, the fix first.
pub(crate) fn text(hint: &Hint, place: Place) -> String {
    match hint {
        Hint::Field(FieldHint { place: part, field, problem: FieldProblem::NotEncrypted, .. }) => {
            let (what, name) = match *part {
                "query" => ("query parameter", format!("?{field}")),
                _ => ("field", field.clone()),
            };
            let fix = match place {
                Place::Shell => format!("--encrypt {}", name.trim_start_matches('?')),
                Place::Line => format!("\"encrypt\": [{}]", json!(name)),
            };
            format!("encrypt the {what} {} with {}: it is in the clear", Excerpt(field), Excerpt(&fix))
        }
        hint => hint.to_string(),
    }
}

/// A hint for programs.
pub(crate) fn json(hint: &Hint, place: Place) -> Value {
    let mut json = json!({"kind": hint.kind(), "text": text(hint, place)});
    if let Hint::Field(field) = hint {
        json["place"] = json!(field.place);
        json["field"] = json!(field.field);
        json["reliable"] = json!(field.is_reliable());
    }
    let documented = hint.operations();
    if !documented.is_empty() {
        let documented = documented.iter().map(|known| format!("{} {}", known.verb(), known.template()));
        json["documented"] = documented.collect();
    }
    json
}

/// Of a path that is sent: what it may have been meant to be. The events of `-v` leave this to the command.
pub(crate) struct PathHint(Option<String>);

impl PathHint {
    /// Of a request with path and variables, which is not sent.
    pub(crate) fn of(request: Request) -> PathHint {
        // One that cannot be prepared has an error of its own.
        PathHint(request.prepare().ok().and_then(|prepared| about_path(&prepared)))
    }

    /// Prints it after a success; an error gets it as its hint.
    pub(crate) fn report<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        match (self.0, result) {
            (None, result) => result,
            (Some(_), Err(Failure::OutputClosed)) => Err(Failure::OutputClosed),
            (Some(text), Err(failure)) if failure.is_told() => {
                failure::print("hint", &text);
                Err(failure)
            }
            (Some(text), Err(failure)) => Err(failure.and_hint(text)),
            (Some(text), Ok(done)) => {
                failure::print("hint", &text);
                Ok(done)
            }
        }
    }
}

/// The paths of a batch, each with its hint once.
#[derive(Default)]
pub(crate) struct PathHints(HashSet<(String, String)>);

impl PathHints {
    /// The hint, unless it was given before.
    pub(crate) fn next(&mut self, verb: &str, path: &str, prepared: &Prepared) -> Option<String> {
        let is_new = self.0.len() < MOST_PATHS && self.0.insert((verb.to_owned(), path.to_owned()));
        is_new.then(|| about_path(prepared)).flatten()
    }
}

/// Without a near path there is nothing to say, except with `-v`.
fn about_path(prepared: &Prepared) -> Option<String> {
    let of_path = |hint: &Hint| {
        matches!(hint, Hint::UnknownPath { .. } | Hint::OtherVerb { .. } | Hint::OtherBase { .. })
    };
    let hint = prepared.hints().into_iter().find(of_path)?;
    (verbose::is_on() || !hint.operations().is_empty()).then(|| hint.to_string())
}
