//! Errors in the arguments, which the parser of the arguments reports in several paragraphs, as one error and its hints.

use std::error::Error as StdError;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};
use std::str::ParseBoolError;

use clap::error::ErrorKind;

use crate::failure::{Failure, usage_error};

/// An error in the arguments in the form of every other failure.
pub(crate) fn failure(error: &clap::Error) -> Failure {
    // Its text is the whole help, or has the name of every command.
    if let ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand = error.kind() {
        return usage_error("expected a command").with_hint("`wxpay help` lists the commands");
    }
    let text = error.render().to_string();
    let mut message = String::new();
    let mut hints = Vec::new();
    for (place, paragraph) in text.split("\n\n").enumerate() {
        let joined = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        match joined.trim() {
            "" => {}
            first if place == 0 => message = first.trim_start_matches("error: ").to_owned(),
            usage if usage.starts_with("Usage: ") => {
                let usage = usage.trim_start_matches("Usage: ");
                hints.push(format!("usage: {usage}; more with --help"));
            }
            more if more.starts_with("For more information") => {}
            _ => {
                hints.extend(paragraph.lines().map(|line| line.trim().trim_start_matches("tip: ").to_owned()))
            }
        }
    }
    // The reason of a parser of the standard library says what it found, not what is expected.
    if let Some(cause) = error.source()
        && let Some(expected) = expected(cause)
        && let Some(start) = message.strip_suffix(&cause.to_string())
    {
        message = format!("{start}{expected}");
    }
    match hints.is_empty() {
        true => usage_error(message),
        false => usage_error(message).with_hint(hints.join("\n")),
    }
}

/// What a value must be, if its parser does not say it.
fn expected(cause: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(e) = cause.downcast_ref::<ParseIntError>() {
        return Some(match e.kind() {
            IntErrorKind::PosOverflow => "expected a smaller whole number".to_owned(),
            IntErrorKind::NegOverflow => "expected a larger whole number".to_owned(),
            _ => "expected a whole number".to_owned(),
        });
    }
    if cause.is::<ParseFloatError>() {
        return Some("expected a number".to_owned());
    }
    if cause.is::<ParseBoolError>() {
        return Some("expected true or false".to_owned());
    }
    // As clap words a range.
    let text = cause.to_string();
    let (_, range) = text.split_once(" is not in ")?;
    let (least, most) = range.split_once("..=")?;
    Some(format!("expected a whole number from {least} to {most}"))
}
