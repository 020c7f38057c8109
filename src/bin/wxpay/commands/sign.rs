//! `wxpay sign`.

use clap::Args;

use crate::config::Session;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::input;
use crate::output;

/// Sign the bytes from stdin with the merchant private key; print the signature
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    printf 'GET\\n/v3/certificates\\n1763690000\\n0123456789abcdef0123456789abcdef\\n\\n' | wxpay sign")]
pub(crate) struct SignArgs {}

pub(crate) fn run(global: &GlobalArgs) -> Result<(), Failure> {
    let message = input::stdin("sign")?;
    let session = Session::open(global)?;
    output::line(&session.wx.sign(message).wait()?)
}
