//! `wxpay doctor`: one check after the other, each failure with what to do about it.

use serde_json::json;
use wechatpay_chain::{Clock as _, Error, SystemClock, VerifyReason, WeChatPay};

use crate::cli::Global;
use crate::config::{Source, check_host};
use crate::exit::{self, Failure, describe};

mod network;
mod report;

use report::Report;

const BASE: &str = "https://api.mch.weixin.qq.com/";
const SPARE: &str = "https://api2.mch.weixin.qq.com/";

/// The platform takes no timestamp that differs more from its own clock.
const WINDOW: u64 = 300;

/// From here on a clock is going wrong.
const NOTICEABLE: u64 = 30;

pub(crate) fn run(global: &Global) -> Result<(), Failure> {
    check_host(global)?;
    let mut report = Report::new(global.color);
    let source = Source::find(global);
    let wx = match &source {
        Ok(source) => configuration(&mut report, global, source)?,
        Err(failure) => {
            report.failed(
                "configuration",
                failure.code(),
                &failure.to_string(),
                "wxpay --help, docs/cli.md",
            )?;
            None
        }
    };
    let configured = source.as_ref().ok().and_then(|source| source.get("WECHATPAY_BASE_URL"));
    let base = global.base_url.as_deref().or(configured).unwrap_or(BASE);
    network::proxy(&mut report, base)?;
    let dates = match base.starts_with(BASE.trim_end_matches('/')) {
        true => vec![network::host(&mut report, base)?, network::host(&mut report, SPARE)?],
        false => vec![network::host(&mut report, base)?],
    };
    clock(&mut report, dates.into_iter().flatten().next())?;
    if let Some(wx) = wx {
        echo(&mut report, &wx)?;
        apiv3_key(
            &mut report,
            &wx,
            source.as_ref().is_ok_and(|source| source.get("WECHATPAY_APIV3_KEY").is_some()),
        )?;
    }
    report.end()
}

/// Keys, serials and lengths: the library checks them all when it builds a client.
fn configuration(
    report: &mut Report,
    global: &Global,
    source: &Source,
) -> Result<Option<WeChatPay>, Failure> {
    report.ok("configuration", &format!("from {}", source.name))?;
    match source.client(global, |builder| builder) {
        Ok(wx) => {
            let serials = wx.platform_serials();
            let serials =
                if serials.is_empty() { "fetched when needed".to_owned() } else { serials.join(", ") };
            let own = source.get("WECHATPAY_SERIAL").unwrap_or("its certificate's");
            report
                .ok("keys", &format!("merchant {}, serial {own}; the platform's: {serials}", wx.mchid()))?;
            Ok(Some(wx))
        }
        Err(failure) => {
            let todo = "mend what the message names; docs/keys.md has every form of a key";
            report.failed("keys", failure.code(), &failure.to_string(), todo)?;
            Ok(None)
        }
    }
}

fn clock(report: &mut Report, date: Option<u64>) -> Result<(), Failure> {
    let Some(server) = date else {
        return report.skipped("clock", "no host told the time");
    };
    let now = SystemClock.unix_seconds();
    let off = now.abs_diff(server);
    let found = match now.cmp(&server) {
        std::cmp::Ordering::Equal => "the same as the server's".to_owned(),
        std::cmp::Ordering::Less => format!("{off} s behind the server's"),
        std::cmp::Ordering::Greater => format!("{off} s ahead of the server's"),
    };
    let todo = "set it: switch on NTP (timedatectl set-ntp true); the platform refuses 300 s and more";
    match off {
        ..NOTICEABLE => report.ok("clock", &found),
        NOTICEABLE..=WINDOW => report.warned("clock", &found, todo),
        _ => report.failed("clock", exit::USAGE, &found, todo),
    }
}

/// The whole way: signed, sent, answered, verified.
fn echo(report: &mut Report, wx: &WeChatPay) -> Result<(), Failure> {
    match wx.chain("v3/security/echo").post(json!({"echo_message": "wxpay doctor"})).wait() {
        Ok(answer) => {
            let id = answer.request_id().unwrap_or("none");
            report.ok("echo", &format!("signed, answered and verified (Request-ID {id})"))
        }
        Err(error) => report.failed("echo", exit::code(&error), &describe(&error), todo(&error)),
    }
}

/// Whether it is the right one shows on what was encrypted with it.
fn apiv3_key(report: &mut Report, wx: &WeChatPay, given: bool) -> Result<(), Failure> {
    const NAME: &str = "APIv3 key";
    if !given {
        let todo = "set WECHATPAY_APIV3_KEY if notifications or certificates are to be decrypted";
        return report.warned(NAME, "none is configured", todo);
    }
    match wx.platform_certificates().wait() {
        Ok(list) => report.ok(
            NAME,
            &format!("32 bytes; it opens what the platform encrypted (certificates: {})", list.len()),
        ),
        Err(error) if error.code() == Some("RESOURCE_NOT_EXISTS") => {
            report.ok(NAME, "32 bytes; the merchant has no platform certificates to try it on")
        }
        Err(error @ Error::Decrypt(_)) => {
            let todo = "it is not the one that is set at pay.weixin.qq.com, 账户中心, API安全: copy it from where it is kept, or set a new one";
            report.failed(NAME, exit::code(&error), &describe(&error), todo)
        }
        Err(error) => report.failed(NAME, exit::code(&error), &describe(&error), todo(&error)),
    }
}

fn todo(error: &Error) -> &'static str {
    match error {
        Error::Api(e) if e.code == "SIGN_ERROR" || e.status == 401 => {
            "the serial has to be that of the private key's certificate, both of this merchant, and the clock right (pay.weixin.qq.com, 账户中心, API安全)"
        }
        Error::Api(_) => "look the code up in the platform's documents; quote the Request-ID to its support",
        Error::Transport(_) => "see the hosts and the proxy above; a firewall may be in between",
        Error::Verify(e) => match e.reason {
            VerifyReason::ClockSkew { .. } => "set the clock",
            VerifyReason::UnknownSerial { .. } => {
                "add the platform key with that serial, or set WECHATPAY_AUTOMATIC_CERTIFICATES=1"
            }
            VerifyReason::BadSignature { .. } => {
                "the platform key that is configured is not the one of that serial: download it again"
            }
            _ => "something between here and the platform changes its answers: look at the proxy",
        },
        _ => "mend what the message names",
    }
}
