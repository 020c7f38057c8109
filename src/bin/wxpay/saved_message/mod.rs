//! A notification or response that was saved to files, for `wxpay verify` and `wxpay decrypt`.

mod changes;
mod diagnosis;
mod headers;
mod of_apiv2;

use std::path::PathBuf;

use clap::Args;
use wechatpay_chain::http::HeaderMap;
use wechatpay_chain::{Clock, Error, VerifySubject, WeChatPay};

use crate::apiv2;
use crate::config::{SettingsSource, variables};
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::text::ShownPath;
use headers::{SavedHeaders, StartLine};

pub(crate) const TIMESTAMP: &str = "Wechatpay-Timestamp";
pub(crate) const SERIAL: &str = "Wechatpay-Serial";
const SIGNATURE: &str = "Wechatpay-Signature";
const NONCE: &str = "Wechatpay-Nonce";

#[derive(Args)]
pub(crate) struct SavedMessageArgs {
    /// The file with the body, byte for byte as received; - for stdin
    #[arg(value_name = "BODY")]
    body: PathBuf,
    /// The file with the headers: lines such as `Wechatpay-Serial: …`, or JSON; also as curl, CGI and PHP print them;
    /// a message of APIv2 needs none
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
    /// Accept a message of any age; everything else is still verified
    #[arg(long)]
    any_time: bool,
}

/// A client with all platform keys, and where its settings are from.
pub(crate) struct Verifier {
    pub(crate) wx: WeChatPay,
    source: SettingsSource,
}

pub(crate) struct SavedMessage {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The first line of the message, if it was saved, too.
    start: Option<StartLine>,
}

impl SavedMessage {
    pub(crate) fn read(args: &SavedMessageArgs) -> Result<SavedMessage, Failure> {
        let headers = |file: &PathBuf| {
            let path = ShownPath(file);
            let text = input::text_file("--headers", file)?;
            headers::parse_headers(&text)
                .map_err(|reason| usage_error(format!("--headers: {path}: {reason}")))
        };
        let headers = args.headers.as_ref().map(headers).transpose()?;
        let body = match args.body.to_str() {
            Some("-") => input::stdin("BODY")?,
            _ => input::file("BODY", &args.body)?,
        };
        let SavedHeaders { map: headers, start, .. } = match headers {
            Some(headers) => headers,
            None if apiv2::is_message(&body) => SavedHeaders::default(),
            None => {
                return Err(usage_error("--headers is missing: only a message of APIv2 (XML) needs none")
                    .with_hint("name the file with the headers of this message"));
            }
        };
        let message = SavedMessage { headers, body, start };
        if args.any_time && message.is_apiv2() {
            return Err(usage_error("--any-time is for APIv3: a message of APIv2 has no time"));
        }
        Ok(message)
    }

    /// Whether it is a message of APIv2: XML, without any header of the signature of APIv3.
    pub(crate) fn is_apiv2(&self) -> bool {
        let of_signature = [TIMESTAMP, SERIAL, SIGNATURE, NONCE];
        apiv2::is_message(&self.body) && !of_signature.iter().any(|name| self.headers.contains_key(*name))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A client with all platform keys. With `--any-time`, its clock shows the time of the message. It sends nothing:
    /// with that clock, the timestamp of a request would be refused.
    pub(crate) fn verifier(&self, global: &GlobalArgs, args: &SavedMessageArgs) -> Result<Verifier, Failure> {
        let mut source = SettingsSource::find_valid(global)?;
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
        let wx = source.client(global, |builder| {
            let new = downloaded.iter().filter(|certificate| !configured.contains(&certificate.serial));
            let builder = new.fold(builder, |builder, new| builder.platform_key(&new.serial, &new.pem));
            match timestamp.filter(|_| args.any_time) {
                Some(timestamp) => builder.clock(FixedClock(timestamp)),
                None => builder,
            }
        })?;
        Ok(Verifier { wx, source })
    }

    /// Names the message in the error of a failed verification, and adds how to fix it.
    pub(crate) fn diagnosed(&self, verifier: &Verifier, error: Error) -> Failure {
        let Verifier { wx, source } = verifier;
        let mut failed = match error {
            Error::Verify(failed) => failed,
            // It is verified, so nobody changed it.
            Error::Decrypt(_) => {
                let name = source.in_its_names(variables::APIV3_KEY);
                let hint = format!(
                    "set `{name}` to the key of the time when the notification was sent; it is genuine"
                );
                return Failure::Library { error, hint: Some(hint) };
            }
            _ => return error.into(),
        };
        failed.subject = self.subject();
        if let Some(StartLine::Response(status)) = self.start {
            failed.status = failed.status.or(status);
        }
        let hint = diagnosis::hint(self, wx, &failed).map(|hint| source.in_its_names(&hint));
        Failure::Library { error: Error::Verify(failed), hint }
    }

    /// What it is: its first line says so, or else its body, or the headers that only one of the two has.
    fn subject(&self) -> VerifySubject {
        let has = |names: &[&str]| names.iter().any(|name| self.headers.contains_key(*name));
        match self.start {
            Some(StartLine::Request) => VerifySubject::Notification,
            Some(StartLine::Response(_)) => VerifySubject::Response,
            None if changes::is_notification(&self.body) => VerifySubject::Notification,
            None if has(&["host", "user-agent"]) => VerifySubject::Notification,
            None if has(&["server", "date"]) || changes::is_other_json(&self.body) => VerifySubject::Response,
            None => VerifySubject::Message,
        }
    }
}

/// A clock that does not advance.
struct FixedClock(u64);

impl Clock for FixedClock {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}
