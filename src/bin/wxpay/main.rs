//! `wxpay`: calls any endpoint of WeChat Pay's APIv3 from the shell, and runs an offline platform.
//!
//! `docs/cli.md` is the manual. The program uses only the public API of the library. Its layers, from the top down,
//! each importing only what is below it:
//!
//! | layer | modules |
//! |---|---|
//! | command line | `cli`: all commands, and which code runs each; `clap_errors`: errors in the arguments; `completion`: candidates for a shell |
//! | commands | `commands`: a file or folder for each, its arguments included |
//! | client | `saved_message`, `download`, `hints`, `config` |
//! | input and output | `input`, `file_mode`, `output`, `complete_file`, `jq`, `progress`, `signals` |
//! | help | `topics`: the sections of the help; `layout`: its tables |
//! | basics | `failure`, `words`, `outcome` and `exit`: error messages, the outcome of a call, exit codes; `global`: the options of every command; `variables`: the environment variables; `verbose`: -v and -vv; `files`: reads a caller's file; `text`: the text of others in messages |

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

mod apiv2;
mod clap_errors;
mod cli;
mod commands;
mod complete_file;
mod completion;
mod config;
mod download;
mod exit;
mod failure;
mod file_mode;
#[path = "../../files.rs"]
mod files;
mod global;
mod hints;
mod input;
mod jq;
mod layout;
mod outcome;
mod output;
mod progress;
mod saved_message;
mod signals;
mod text;
mod topics;
mod variables;
mod verbose;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};

use cli::Cli;

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if completion::answer(&arguments) {
        return ExitCode::SUCCESS;
    }
    let cli = match parse(&mut arguments) {
        Ok(cli) => cli,
        Err(error) => return help_or_usage_error(&error, &arguments),
    };
    let json_errors = cli.global.json_errors;
    match cli.global.check(&arguments).and_then(|()| cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json_errors),
    }
}

/// Parses the arguments. A command may be written in any letter case, as `GET` is: it is put in lower case.
fn parse(arguments: &mut [OsString]) -> Result<Cli, clap::Error> {
    let mut error = match Cli::try_parse_from(&*arguments) {
        Err(error) if error.kind() == ErrorKind::InvalidSubcommand => error,
        result => return result,
    };
    'commands: while let Some(name) = invalid_command(&error) {
        let lower = name.to_ascii_lowercase();
        // The same text may be the value of an option before it.
        for place in 1..arguments.len() {
            if lower == name || arguments[place] != *name {
                continue;
            }
            let written = std::mem::replace(&mut arguments[place], OsString::from(&lower));
            match Cli::try_parse_from(&*arguments) {
                Err(next) if invalid_command(&next).is_some_and(|next| next == name) => {
                    arguments[place] = written;
                }
                // It is not a command in lower case either.
                Err(next) if invalid_command(&next).is_some_and(|next| next == lower) => {
                    arguments[place] = written;
                    return Err(error);
                }
                Err(next) if next.kind() == ErrorKind::InvalidSubcommand => {
                    error = next;
                    continue 'commands;
                }
                result => return result,
            }
        }
        break;
    }
    Err(error)
}

fn invalid_command(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) if error.kind() == ErrorKind::InvalidSubcommand => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// Prints the help that was requested, or the error in the arguments.
fn help_or_usage_error(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp => {
            // The program's own help is the same in both; the other one takes time to make.
            let of_program =
                arguments.iter().skip(1).all(|argument| argument == "-h" || argument == "--help");
            let documented = (!of_program)
                .then(|| cli::documented(global::help_colours(arguments)))
                .and_then(|documented| documented.try_get_matches_from(arguments).err());
            // Fails only if the pipe is closed.
            let _ = documented.as_ref().unwrap_or(error).print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayVersion => {
            // Fails only if the pipe is closed.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    // Parsing failed, so `--json-errors` is searched by hand.
    let json = arguments.iter().take_while(|argument| *argument != "--").any(|a| a == "--json-errors");
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !json {
        // Fails only if stderr is closed.
        let _ = error.print();
        return ExitCode::from(exit::USAGE);
    }
    // The error quotes the arguments. One that must not be shown is replaced, and the rest parsed again for the same
    // error.
    let arguments = arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
    let guarded = text::guarded(arguments).map(|arguments| match Cli::try_parse_from(arguments) {
        Err(error) => error,
        Ok(_) => Cli::command().error(ErrorKind::InvalidValue, "an argument has a value that is not allowed"),
    });
    clap_errors::failure(guarded.as_ref().unwrap_or(error)).report(json)
}
