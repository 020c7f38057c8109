//! A notification or response that was saved to files, for `wxpay verify` and `wxpay decrypt`.

mod changes;
mod headers;

use std::path::PathBuf;

use clap::Args;
use wechatpay_chain::http::HeaderMap;
use wechatpay_chain::{Clock, Error, VerifyReason, WeChatPay};

use crate::config::{SettingsSource, variables};
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::text::ShownPath;

pub(crate) const TIMESTAMP: &str = "Wechatpay-Timestamp";

#[derive(Args)]
pub(crate) struct SavedMessageArgs {
    /// The file with the body, byte for byte as received; - for stdin
    #[arg(value_name = "BODY")]
    body: PathBuf,
    /// The file with the headers: lines such as `Wechatpay-Serial: …`, or a JSON object
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// Accept a message of any age; everything else is still verified
    #[arg(long)]
    any_time: bool,
}

pub(crate) struct SavedMessage {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl SavedMessage {
    pub(crate) fn read(args: &SavedMessageArgs) -> Result<SavedMessage, Failure> {
        let path = ShownPath(&args.headers);
        let text = input::text_file("--headers", &args.headers)?;
        let headers = headers::parse_headers(&text)
            .map_err(|reason| usage_error(format!("--headers: {path}: {reason}")))?;
        let body = match args.body.to_str() {
            Some("-") => input::stdin("BODY")?,
            _ => input::file("BODY", &args.body)?,
        };
        Ok(SavedMessage { headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A client with all platform keys. With `--any-time`, its clock shows the time of the message. It sends nothing:
    /// with that clock, the timestamp of a request would be refused.
    pub(crate) fn verifying_client(
        &self,
        global: &GlobalArgs,
        args: &SavedMessageArgs,
    ) -> Result<WeChatPay, Failure> {
        let mut source = SettingsSource::find(global)?;
        let wx = source.client(global, |builder| builder)?;
        let configured = wx.platform_serials();
        let automatic = source.remove(variables::AUTOMATIC_CERTIFICATES);
        let downloaded = match automatic.as_deref() {
            Some("1" | "true") => match wx.platform_certificates().wait() {
                Err(error) if configured.is_empty() => return Err(error.into()),
                // If the download failed, verification still reports a key that is missing.
                result => result.unwrap_or_default(),
            },
            _ => Vec::new(),
        };
        let timestamp = self.header(TIMESTAMP).and_then(|value| value.parse().ok());
        source.client(global, |builder| {
            let new = downloaded.iter().filter(|certificate| !configured.contains(&certificate.serial));
            let builder = new.fold(builder, |builder, new| builder.platform_key(&new.serial, &new.pem));
            match timestamp.filter(|_| args.any_time) {
                Some(timestamp) => builder.clock(FixedClock(timestamp)),
                None => builder,
            }
        })
    }

    /// Adds to a failed verification how to fix it.
    pub(crate) fn add_hint(&self, wx: &WeChatPay, error: Error) -> Failure {
        let Error::Verify(failed) = &error else { return error.into() };
        let hint = match &failed.reason {
            VerifyReason::ClockSkew { .. } => "use --any-time to accept a message of any age".to_owned(),
            VerifyReason::UnknownSerial { .. } => format!(
                "configure the platform key with this serial, or set {}=1",
                variables::AUTOMATIC_CERTIFICATES
            ),
            VerifyReason::BadSignature { .. } => {
                match changes::find(&self.body, |body| wx.verify(&self.headers, body).is_ok()) {
                    Some(change) => change,
                    None => "check that the body is byte for byte as received, that these are its headers, and that \
                             the configured platform key is the right one"
                        .to_owned(),
                }
            }
            _ => return error.into(),
        };
        Failure::Library { error, hint: Some(hint) }
    }
}

/// A clock that does not advance.
struct FixedClock(u64);

impl Clock for FixedClock {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}
