//! `wxpay sign`.

use std::path::PathBuf;

use clap::Args;
use wechatpay_chain::apiv2::SignType;

use crate::apiv2;
use crate::config::Session;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::output::Output;

/// Sign the bytes from stdin with the merchant private key; print the signature
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    printf 'GET\\n/v3/certificates\\n1763690000\\n0123456789abcdef0123456789abcdef\\n\\n' | wxpay sign")]
pub(crate) struct SignArgs {
    /// Sign the fields of a JSON object with the APIv2 key instead: MD5 or HMAC-SHA256
    #[arg(long, value_name = "TYPE", value_parser = sign_type)]
    apiv2: Option<SignType>,
    /// Write the signature to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &SignArgs) -> Result<(), Failure> {
    let output = Output::new(global).with_file(args.output.as_deref())?;
    let message = input::stdin("sign")?;
    let session = Session::open_with(global, |builder| builder)?;
    match args.apiv2 {
        None => output.text(&session.wx.sign(message).wait()?),
        Some(sign_type) => {
            let fields = input::parse_json("sign", &message)?;
            if !fields.is_object() {
                return Err(usage_error("sign: expected a JSON object with the fields"));
            }
            if let Some(number) = apiv2::inexact_number(&fields) {
                let text = format!("sign: the number {number} may not have the digits any more that it had");
                return Err(usage_error(text).with_hint(apiv2::WRITE_AS_TEXT));
            }
            output.text(&session.wx.v2_sign(&fields, sign_type)?)
        }
    }
}

fn sign_type(name: &str) -> Result<SignType, String> {
    [SignType::Md5, SignType::HmacSha256]
        .into_iter()
        .find(|known| known.as_str() == name)
        .ok_or_else(|| "expected MD5 or HMAC-SHA256".to_owned())
}
