//! The offline platform as a program of its own, for an SDK in any language.
//!
//! ```sh
//! cargo run --features sandbox --example sandbox -- --port 8080
//! ```
//!
//! It prints what a client needs, and runs until Ctrl-C. `docs/sandbox.md` has the rest. `wxpay sandbox` is the same.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

#[path = "../src/bin/wxpay/commands/sandbox/server.rs"]
mod server;

/// The WeChat Pay platform, offline: checks requests and signs answers like the real one.
#[derive(Parser)]
struct Program {
    #[command(flatten)]
    options: server::Options,
}

fn main() -> ExitCode {
    match server::run(&Program::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere to say it, if this fails.
            let _ = writeln!(io::stderr(), "sandbox: {}", server::with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}
