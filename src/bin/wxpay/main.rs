//! `wxpay`: calls any endpoint of WeChat Pay's APIv3 from the shell, and runs an offline platform.
//!
//! `docs/cli.md` is the manual. The program uses only the public API of the library. Its layers, from the top down,
//! each importing only what is below it:
//!
//! | layer | modules |
//! |---|---|
//! | command line | `cli`: all commands, and which code runs each |
//! | commands | `commands`: a file or folder for each, its arguments included |
//! | client | `saved_message`, `download`, `config` |
//! | input and output | `input`, `file_mode`, `output`, `jq`, `signals` |
//! | basics | `failure` and `exit`: error messages and exit codes; `global`: the options of every command; `files`: reads a caller's file; `text`: the text of others in messages |

// No input may cause a panic: not an argument, a file or a response.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::panic,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod cli;
mod commands;
mod config;
mod download;
mod exit;
mod failure;
mod file_mode;
#[path = "../../files.rs"]
mod files;
mod global;
mod input;
mod jq;
mod output;
mod saved_message;
mod signals;
mod text;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use cli::Cli;
use failure::usage_error;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return help_or_usage_error(&error),
    };
    let json_errors = cli.global.json_errors;
    match cli.global.check(std::env::args_os()).and_then(|()| cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json_errors),
    }
}

/// Prints the help that was requested, or the error in the arguments.
fn help_or_usage_error(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Fails only if the pipe is closed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // It quotes the arguments. One that must not be shown is replaced, and the rest parsed again for the same error.
    let guarded = text::guarded(arguments()).map(|arguments| match Cli::try_parse_from(arguments) {
        Err(error) => error,
        Ok(_) => Cli::command().error(ErrorKind::InvalidValue, "an argument has a value that is not allowed"),
    });
    let error = guarded.as_ref().unwrap_or(error);
    // Parsing failed, so `--json-errors` is searched by hand. After `--` it is an argument.
    let mut options = std::env::args_os().take_while(|argument| argument != "--");
    if options.any(|argument| argument == "--json-errors") {
        let text = error.render().to_string();
        return usage_error(text.trim_start_matches("error: ").trim_end()).report(true);
    }
    let _ = error.print();
    ExitCode::from(exit::USAGE)
}

fn arguments() -> impl Iterator<Item = String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned())
}
