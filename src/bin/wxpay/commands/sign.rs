//! `wxpay sign`.

use std::path::PathBuf;

use clap::Args;

use crate::config::Session;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::input;
use crate::output::Output;

/// Sign the bytes from stdin with the merchant private key; print the signature
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    printf 'GET\\n/v3/certificates\\n1763690000\\n0123456789abcdef0123456789abcdef\\n\\n' | wxpay sign")]
pub(crate) struct SignArgs {
    /// Write the signature to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &SignArgs) -> Result<(), Failure> {
    let output = Output::new(global).with_file(args.output.as_deref())?;
    let message = input::stdin("sign")?;
    let session = Session::open_with(global, |builder| builder)?;
    output.text(&session.wx.sign(message).wait()?)
}
