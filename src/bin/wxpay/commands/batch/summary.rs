//! The summary of a batch, and its exit code.

use std::time::Duration;

use serde_json::json;

use super::Target;
use super::outcome::Summary;
use super::refusals::Group;
use crate::exit;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::output;
use crate::text::{Message, escaped_json};

/// The text names this number of groups of refusals; the JSON names all.
const SHOWN_GROUPS: usize = 10;

/// How a batch ended.
pub(super) struct Ending {
    pub(super) summary: Summary,
    pub(super) refusals: Vec<Group>,
    /// Why it stopped early.
    pub(super) stopped: Option<String>,
    pub(super) slowdowns: u32,
    /// Calls that this run sent, in this time.
    pub(super) sent: u64,
    pub(super) duration: Duration,
    /// The exit code of the signal that ended it.
    pub(super) signal: Option<u8>,
    /// The exit code of an error that every call would meet until a setting changes.
    pub(super) permanent: Option<u8>,
}

/// Prints the summary to stderr, and gives the exit code.
pub(super) fn report(global: &GlobalArgs, target: &Target, ending: &Ending) -> Result<(), Failure> {
    let text = match (global.json_errors, serde_json::to_value(ending.summary)) {
        (true, Ok(mut json)) => {
            json["refusals"] = json!(ending.refusals);
            if let Some(reason) = &ending.stopped {
                json["stopped"] = json!(reason);
            }
            escaped_json(&json)
        }
        _ => text(target, ending),
    };
    output::error_lines(&text);
    match (ending.signal, ending.permanent.unwrap_or_else(|| ending.summary.code())) {
        (Some(signal), _) if ending.summary.left > 0 => Err(Failure::Reported(signal)),
        (_, exit::SUCCESS) => Ok(()),
        (_, code) => Err(Failure::Reported(code)),
    }
}

fn text(target: &Target, ending: &Ending) -> String {
    let Summary { calls, ok, refused, unknown, unverified, left } = ending.summary;
    let mut text =
        format!("wxpay: {calls} calls: {ok} ok, {refused} refused, {unknown} unknown, {left} left");
    let mut line = |more: String| text.push_str(&more);
    if unverified > 0 {
        line(format!(", {unverified} unverified"));
    }
    line(format!("; the journal is {target}"));
    if ending.sent > 0 {
        let seconds = ending.duration.as_secs_f64();
        line(format!(
            "\n  sent {} in {seconds:.1} s ({:.1} a second)",
            ending.sent,
            ending.sent as f64 / seconds
        ));
    }
    for Group { code, message, count, ids } in ending.refusals.iter().take(SHOWN_GROUPS) {
        let mut names: Vec<_> = ids.iter().map(super::calls::Id::short).collect();
        if *count > ids.len() as u64 {
            names.push("…".to_owned());
        }
        let code = if code.is_empty() { "no code" } else { code };
        line(format!(
            "\n  {count} refused with {}: {} ({})",
            Message(code),
            Message(message),
            names.join(", ")
        ));
    }
    if let Some(more) = ending.refusals.len().checked_sub(SHOWN_GROUPS).filter(|more| *more > 0) {
        line(format!("\n  … and {more} more reasons; --json-errors prints all"));
    }
    if let (Target::File(path), 1..) = (target, refused) {
        let path = path.to_string_lossy().replace('\'', r"'\''");
        line(format!("\n  list them: jq -c 'select(.outcome == \"refused\")' '{path}'"));
    }
    if ending.slowdowns > 0 {
        line(format!("\n  slowed down {} times by a rate limit", ending.slowdowns));
    }
    if let Some(reason) = &ending.stopped {
        line(format!("\n  stopped early: {}", Message(reason)));
    }
    if ending.permanent.is_some() {
        line(
            "\n  fix this first: until then, no call can be sent; the journal keeps the results so far"
                .to_owned(),
        );
    } else if left > 0 {
        line("\n  use --resume to send the calls that are left".to_owned());
    }
    if unknown + unverified > 0 {
        line(
            "\n  query the calls that are unknown or unverified by their order or refund numbers, \
             or use --resume --repeat-unknown to send them again"
                .to_owned(),
        );
    }
    text
}
