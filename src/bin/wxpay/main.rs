//! `wxpay`: any endpoint of WeChat Pay's APIv3 from the shell, and the platform when there is none.
//!
//! `docs/cli.md` is its manual. It is written on the library's public API alone.

// Nothing that is typed, read or received may panic.
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
mod file_mode;
mod jq;
mod output;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use cli::{Cli, Command};
use commands::{batch, bill, call, certs, doctor, man, saved_message, upload};
use config::sandbox;
use exit::Failure;
use wechatpay_chain::http::Method;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return arguments(&error),
    };
    let as_json = cli.global.json_errors;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(as_json),
    }
}

/// Help that was asked for, or what is wrong with the arguments.
fn arguments(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nowhere to say it, if this fails: a closed pipe, most often.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // They could not be read, so this one is looked for by hand.
    if std::env::args_os().any(|argument| argument == "--json-errors") {
        let text = error.render().to_string();
        return exit::usage(text.trim_start_matches("error: ").trim_end()).tell(true);
    }
    let _ = error.print();
    ExitCode::from(exit::USAGE)
}

fn run(Cli { global, command }: Cli) -> Result<(), Failure> {
    match command {
        Command::Get(get) => call::get(&global, &get),
        Command::Post(write) => call::write(&global, Method::POST, &write),
        Command::Put(write) => call::write(&global, Method::PUT, &write),
        Command::Patch(write) => call::write(&global, Method::PATCH, &write),
        Command::Delete(write) => call::write(&global, Method::DELETE, &write),
        Command::Upload(upload) => upload::run(&global, &upload),
        Command::Batch(batch) => batch::run(&global, &batch),
        Command::Bill(bill) => bill::run(&global, &bill),
        Command::Certs(certs) => certs::run(&global, &certs),
        Command::Verify(saved) => saved_message::verify(&global, &saved),
        Command::Decrypt(decrypt) => saved_message::decrypt(&global, &decrypt),
        Command::Sign(_) => saved_message::sign(&global),
        Command::Doctor(_) => doctor::run(&global),
        Command::Sandbox(options) => sandbox::run(*options),
        Command::Completions(completions) => man::completions(completions.shell),
        Command::Man(man) => man::manual(man.command.as_deref()),
    }
}
