//! `wxpay decrypt`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::output::Output;
use crate::saved_message::{SavedMessage, SavedMessageArgs};

/// Verify a saved notification, then decrypt its resource with the APIv3 or APIv2 key
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay decrypt --headers notification.headers notification.json\n  \
    wxpay decrypt --headers notification.headers notification.json --any-time \\\n    \
      --jq .resource.out_trade_no --raw")]
pub(crate) struct DecryptArgs {
    #[command(flatten)]
    message: SavedMessageArgs,
    /// Filter the decrypted notification with a jq expression
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
    /// With --jq, print strings without quotes
    #[arg(short, long, requires = "jq")]
    raw: bool,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &DecryptArgs) -> Result<(), Failure> {
    let output =
        Output::new(global).with_filter(args.jq.as_deref(), args.raw)?.with_file(args.output.as_deref())?;
    let message = SavedMessage::read(&args.message)?;
    let notification = match message.is_apiv2() {
        true => message.open_apiv2(global)?,
        false => {
            let verifier = message.verifier(global, &args.message)?;
            let notification = verifier.wx.notification(&message.headers, message.body.clone()).wait();
            notification.map_err(|error| message.diagnosed(&verifier, error))?
        }
    };
    output.json(&json!({
        "id": notification.id,
        "event_type": notification.event_type,
        "create_time": notification.create_time,
        "resource_type": notification.resource_type,
        "summary": notification.summary,
        "original_type": notification.original_type,
        "resource": notification.resource,
    }))
}
