//! `wxpay verify`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wechatpay_chain::{Clock as _, SystemClock};

use crate::exit;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::output::Output;
use crate::saved_message::{SERIAL, SavedMessage, SavedMessageArgs, TIMESTAMP};

/// Verify a saved notification or response: its timestamp, serial and signature
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay verify --headers notification.headers notification.json\n  \
    wxpay verify --headers notification.headers notification.json --any-time")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    message: SavedMessageArgs,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &VerifyArgs) -> Result<(), Failure> {
    let output = Output::new(global).with_file(args.output.as_deref())?;
    let message = SavedMessage::read(&args.message)?;
    if message.is_apiv2() {
        return apiv2(global, &message, &output);
    }
    let verifier = message.verifier(global, &args.message)?;
    verifier
        .wx
        .verify(&message.headers, &message.body)
        .map_err(|error| message.diagnosed(&verifier, error))?;
    let timestamp: Option<u64> = message.header(TIMESTAMP).and_then(|text| text.parse().ok());
    let age = timestamp
        .and_then(|then| i64::try_from(i128::from(SystemClock.unix_seconds()) - i128::from(then)).ok());
    output.json(&json!({
        "verified": true,
        "serial": message.header(SERIAL),
        "timestamp": timestamp,
        "age_seconds": age,
    }))
}

/// A message of APIv2 has neither a serial nor a time.
fn apiv2(global: &GlobalArgs, message: &SavedMessage, output: &Output) -> Result<(), Failure> {
    let fields = message.open_apiv2(global)?.resource;
    match fields["sign"].as_str().map(str::len) {
        Some(length) => {
            let sign_type = if length == HMAC_LENGTH { "HMAC-SHA256" } else { "MD5" };
            output.json(&json!({"verified": true, "sign_type": sign_type}))
        }
        None => {
            let message =
                "the result of a refund has no `sign`: nothing protects it against changes".to_owned();
            let failure = Failure::Coded { code: exit::VERIFICATION, message };
            Err(failure.with_hint("query the refund; `wxpay decrypt` shows what the notification says"))
        }
    }
}

/// Hex digits of a `sign` by HMAC-SHA256; one by MD5 has 32.
const HMAC_LENGTH: usize = 64;
