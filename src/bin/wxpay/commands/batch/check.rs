//! `wxpay batch --check`: compares each call with the documents, and sends nothing.

use serde_json::{Value, json};

use super::args::BatchArgs;
use super::calls::Calls;
use super::validated;
use crate::apiv2;
use crate::config::Session;
use crate::exit;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::hints;
use crate::output::Output;
use crate::text::escaped_json;
use crate::words::Place;

pub(super) fn run(global: &GlobalArgs, args: &BatchArgs) -> Result<(), Failure> {
    let session = Session::for_check(global)?;
    let output = Output::new(global).with_file(args.output.as_deref())?;
    let mut calls = Calls::open(&args.calls)?.without_apiv2(apiv2::NO_CHECK);
    let mut found = false;
    output.write(|out| {
        validated(&mut calls, &session.wx, |calls, call, prepared| {
            let hints = prepared.hints();
            found |= !hints.is_empty();
            if args.json && !hints.is_empty() {
                let hints: Value = hints.iter().map(|hint| hints::json(hint, Place::Line)).collect();
                let line = json!({"id": call.id, "line": call.line, "hints": hints});
                writeln!(out, "{}", escaped_json(&line))?;
            }
            if !args.json {
                for hint in &hints {
                    writeln!(out, "{}: {}", calls.place(call.line), hints::text(hint, Place::Line))?;
                }
            }
            Ok(())
        })
        .map(drop)
    })?;
    match found {
        true => Err(Failure::Reported(exit::HINTS)),
        false => Ok(()),
    }
}
