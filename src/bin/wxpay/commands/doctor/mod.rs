//! `wxpay doctor`: runs one check after another, and says how to fix each failure.

mod network;
mod report;

use std::cmp::Ordering;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use wechatpay_chain::{Clock as _, Error, SystemClock, VerifyReason, WeChatPay};

use crate::config::{SettingsSource, reject_base_url_with_sandbox, variables};
use crate::exit;
use crate::failure::{Failure, describe};
use crate::global::GlobalArgs;
use report::Report;

/// Check configuration, keys, network, clock and a signed call; print a fix for each failure
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay doctor\n  \
    wxpay doctor --profile hongkong")]
pub(crate) struct DoctorArgs {}

const MAIN_HOST: &str = "https://api.mch.weixin.qq.com/";
const SPARE_HOST: &str = "https://api2.mch.weixin.qq.com/";

/// The platform refuses a request whose timestamp differs more from its clock (PROTOCOL).
const MAX_CLOCK_SKEW: u64 = 300;

/// A smaller difference needs no warning.
const NOTABLE_CLOCK_SKEW: u64 = 30;

pub(crate) fn run(global: &GlobalArgs) -> Result<(), Failure> {
    reject_base_url_with_sandbox(global)?;
    let mut report = Report::new(global);
    let source = SettingsSource::find(global);
    let wx = match &source {
        Ok(source) => configuration(&mut report, global, source)?,
        Err(failure) => {
            let fix = "see wxpay --help and docs/cli.md";
            report.failed("configuration", failure.code(), &failure.to_string(), fix)?;
            None
        }
    };
    let configured = source.as_ref().ok().and_then(|source| source.get(variables::BASE_URL));
    let base_url = global.base_url.as_deref().or(configured).unwrap_or(MAIN_HOST);
    network::proxy(&mut report, base_url)?;
    let dates = match base_url.starts_with(MAIN_HOST.trim_end_matches('/')) {
        true => vec![network::host(&mut report, base_url)?, network::host(&mut report, SPARE_HOST)?],
        false => vec![network::host(&mut report, base_url)?],
    };
    clock(&mut report, dates.into_iter().flatten().next())?;
    if let Some(wx) = wx {
        echo(&mut report, &wx)?;
        let has_key = source.as_ref().is_ok_and(|source| source.get(variables::APIV3_KEY).is_some());
        apiv3_key(&mut report, &wx, has_key)?;
    }
    report.finish()
}

/// The library checks keys, serials and lengths when it builds a client.
fn configuration(
    report: &mut Report,
    global: &GlobalArgs,
    source: &SettingsSource,
) -> Result<Option<WeChatPay>, Failure> {
    report.ok("configuration", &format!("from {}", source.name))?;
    match source.client(global, |builder| builder) {
        Ok(wx) => {
            let serials = wx.platform_serials();
            let serials =
                if serials.is_empty() { "downloaded when needed".to_owned() } else { serials.join(", ") };
            let merchant = source.get(variables::SERIAL).unwrap_or("from the certificate");
            report.ok(
                "keys",
                &format!("merchant {}, serial {merchant}; platform keys: {serials}", wx.mchid()),
            )?;
            Ok(Some(wx))
        }
        Err(failure) => {
            let fix = "fix the value that the message names; docs/keys.md describes every form of a key";
            report.failed("keys", failure.code(), &failure.to_string(), fix)?;
            Ok(None)
        }
    }
}

fn clock(report: &mut Report, date: Option<u64>) -> Result<(), Failure> {
    let Some(server) = date else {
        return report.skipped("clock", "no host returned a date");
    };
    let now = SystemClock.unix_seconds();
    let skew = now.abs_diff(server);
    let found = match now.cmp(&server) {
        Ordering::Equal => "in sync with the server".to_owned(),
        Ordering::Less => format!("{skew} s behind the server"),
        Ordering::Greater => format!("{skew} s ahead of the server"),
    };
    let fix = "enable NTP (timedatectl set-ntp true); the platform refuses a difference of more than 300 s";
    match skew {
        ..NOTABLE_CLOCK_SKEW => report.ok("clock", &found),
        NOTABLE_CLOCK_SKEW..=MAX_CLOCK_SKEW => report.warned("clock", &found, fix),
        _ => report.failed("clock", exit::USAGE, &found, fix),
    }
}

/// A complete call: signed, sent, received and verified.
fn echo(report: &mut Report, wx: &WeChatPay) -> Result<(), Failure> {
    match wx.chain("v3/security/echo").post(json!({"echo_message": "wxpay doctor"})).wait() {
        Ok(response) => {
            let id = response.request_id().unwrap_or("none");
            report.ok("echo", &format!("request accepted, response verified (Request-ID {id})"))
        }
        Err(error) => report.failed("echo", exit::code_of(&error), &describe(&error), &fix_for(&error)),
    }
}

/// Tries the APIv3 key on the platform certificates, which are encrypted with it.
fn apiv3_key(report: &mut Report, wx: &WeChatPay, is_set: bool) -> Result<(), Failure> {
    const CHECK: &str = "APIv3 key";
    if !is_set {
        let fix = format!("set {} to decrypt notifications and platform certificates", variables::APIV3_KEY);
        return report.warned(CHECK, "not configured", &fix);
    }
    match wx.platform_certificates().wait() {
        Ok(list) => report.ok(CHECK, &format!("decrypts the platform certificates ({})", list.len())),
        Err(error) if error.code() == Some("RESOURCE_NOT_EXISTS") => {
            report.ok(CHECK, "32 bytes; cannot be tried, because the merchant has no platform certificates")
        }
        Err(error) => report.failed(CHECK, exit::code_of(&error), &describe(&error), &fix_for(&error)),
    }
}

fn fix_for(error: &Error) -> String {
    let fix = match error {
        Error::Api(e) if e.code == "SIGN_ERROR" || e.status == 401 => {
            "check that the serial is that of the private key's certificate, that both belong to this merchant \
             (pay.weixin.qq.com, 账户中心, API安全), and that the clock is right"
        }
        Error::Api(_) => "look up the code in the platform's documentation; give its support the Request-ID",
        Error::Decrypt(_) => {
            "copy the APIv3 key that was set at pay.weixin.qq.com (账户中心, API安全), or set a new one there"
        }
        // Why the certificates could not be downloaded.
        Error::PlatformKeys(keys) => {
            match std::error::Error::source(&**keys).and_then(|cause| cause.downcast_ref::<Arc<Error>>()) {
                Some(cause) if cause.code() == Some("RESOURCE_NOT_EXISTS") => {
                    return format!("set {} and {}", variables::PUBLIC_KEY_ID, variables::PUBLIC_KEY);
                }
                Some(cause) => return fix_for(cause),
                None => "try again later",
            }
        }
        Error::Transport(_) => "check the hosts and the proxy above, and whether a firewall blocks them",
        Error::Verify(e) => match e.reason {
            VerifyReason::ClockSkew { .. } => "set the clock",
            VerifyReason::UnknownSerial { .. } => {
                let name = variables::AUTOMATIC_CERTIFICATES;
                return format!(
                    "check the ID of the configured public key; or add the platform key with that serial, or set {name}=1"
                );
            }
            VerifyReason::BadSignature { .. } => {
                "download the platform key again: the configured one does not belong to that serial"
            }
            _ => "check the proxy: something between this machine and the platform changes responses",
        },
        _ => "fix the value that the message names",
    };
    fix.to_owned()
}
