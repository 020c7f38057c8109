//! Errors in the arguments, which the parser of the arguments reports in several paragraphs, as one error and its hints.

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
    match hints.is_empty() {
        true => usage_error(message),
        false => usage_error(message).with_hint(hints.join("\n")),
    }
}
