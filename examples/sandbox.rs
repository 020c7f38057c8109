//! Runs the offline platform as a program, for SDKs in any language.
//!
//! ```sh
//! cargo run --features sandbox --example sandbox -- --port 8080
//! ```
//!
//! It prints the settings for a client and runs until Ctrl-C. See `docs/sandbox.md`. `wxpay sandbox` does the same.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

#[path = "../src/bin/wxpay/commands/sandbox/child.rs"]
mod child;
#[path = "../src/bin/wxpay/commands/sandbox/ready.rs"]
mod ready;
#[path = "../src/bin/wxpay/commands/sandbox/server.rs"]
mod server;
#[path = "../src/bin/wxpay/signals.rs"]
mod signals;

/// The WeChat Pay platform, offline: verifies requests and signs responses like the real one.
#[derive(Parser)]
struct Program {
    #[command(flatten)]
    options: server::Options,
}

fn main() -> ExitCode {
    match server::run(&Program::parse().options) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // If this fails, there is nowhere left to report it.
            let _ = writeln!(io::stderr(), "sandbox: {}", server::with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}
