//! The certificates: whether they are valid now, for how long, and whose the merchant's is.

use std::time::{Duration, UNIX_EPOCH};

use wechatpay_chain::WeChatPay;
use wechatpay_chain::certificate::CertificateInfo;

use super::report::Report;
use crate::config::{SettingsSource, variables};
use crate::exit;
use crate::failure::Failure;
use crate::text::Excerpt;

const DAY: u64 = 24 * 3600;

/// Time enough to get a new certificate.
const SOON: u64 = 30 * DAY;

const MERCHANT: &str = "merchant certificate";
const PLATFORM: &str = "platform certificate";

/// Checks the configured certificates at `now`, in Unix seconds.
pub(super) fn check(
    report: &mut Report,
    wx: &WeChatPay,
    source: &SettingsSource,
    now: u64,
) -> Result<(), Failure> {
    if let Some(certificate) = wx.merchant_certificate() {
        merchants(report, wx, source, &certificate, now)?;
    }
    let certificates = wx.known_certificates();
    let automatic = matches!(source.get(variables::AUTOMATIC_CERTIFICATES), Some("1" | "true"));
    let is_valid = |certificate: &CertificateInfo| Validity::of(certificate, now).is_usable();
    // Another key can verify the responses.
    let others = automatic
        || wx.platform_serials().len() > certificates.len()
        || certificates.iter().filter(|certificate| is_valid(certificate)).count() > 0;
    for certificate in &certificates {
        platforms(report, source, certificate, now, others)?;
    }
    Ok(())
}

fn merchants(
    report: &mut Report,
    wx: &WeChatPay,
    source: &SettingsSource,
    certificate: &CertificateInfo,
    now: u64,
) -> Result<(), Failure> {
    let validity = Validity::of(certificate, now);
    let found = format!("{}, {}", Excerpt(&certificate.serial), validity.words(certificate, now));
    let renew = source.in_its_names(&format!(
        "get a new API certificate at pay.weixin.qq.com (账户中心, API安全), and set {} and {} to its files",
        variables::PRIVATE_KEY,
        variables::CERTIFICATE
    ));
    match validity {
        Validity::Valid => {}
        Validity::Soon => report.warned(MERCHANT, &found, &renew)?,
        Validity::Expired => report.failed(MERCHANT, exit::USAGE, &found, &renew)?,
        Validity::NotYet => report.failed(MERCHANT, exit::USAGE, &found, NOT_YET)?,
    }
    // The platform writes the merchant number there.
    let other =
        certificate.common_name.as_deref().filter(|name| is_merchant_number(name) && *name != wx.mchid());
    match other {
        Some(other) => {
            let number = source.in_its_names(variables::MCHID);
            let found = format!("it was issued to {}, but `{number}` is {}", Excerpt(other), wx.mchid());
            let fix = "use the number, the key and the certificate of one merchant";
            report.warned(MERCHANT, &found, fix)
        }
        None if matches!(validity, Validity::Valid) => report.ok(MERCHANT, &found),
        None => Ok(()),
    }
}

/// `others`: whether another platform key is there that can be used.
fn platforms(
    report: &mut Report,
    source: &SettingsSource,
    certificate: &CertificateInfo,
    now: u64,
    others: bool,
) -> Result<(), Failure> {
    let validity = Validity::of(certificate, now);
    let found = format!("{}, {}", Excerpt(&certificate.serial), validity.words(certificate, now));
    let fix = source.in_its_names(&match (&validity, others) {
        (Validity::NotYet, _) => NOT_YET.to_owned(),
        (Validity::Expired, true) => {
            format!("remove {} and {}", variables::PLATFORM_SERIAL, variables::PLATFORM_CERTIFICATE)
        }
        _ => format!(
            "set {}=1, or get the new one by `wxpay certs`; or move to the public key (set {} and {})",
            variables::AUTOMATIC_CERTIFICATES,
            variables::PUBLIC_KEY_ID,
            variables::PUBLIC_KEY
        ),
    });
    match validity {
        Validity::Valid => report.ok(PLATFORM, &found),
        Validity::Soon => report.warned(PLATFORM, &found, &fix),
        _ if others => report.warned(PLATFORM, &found, &fix),
        _ => report.failed(PLATFORM, exit::USAGE, &found, &fix),
    }
}

const NOT_YET: &str = "check the clock, and that this is the certificate that is used now";

fn is_merchant_number(name: &str) -> bool {
    (8..=10).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Validity {
    NotYet,
    Valid,
    Soon,
    Expired,
}

impl Validity {
    fn of(certificate: &CertificateInfo, now: u64) -> Validity {
        match () {
            () if now < certificate.not_before => Validity::NotYet,
            () if now > certificate.not_after => Validity::Expired,
            () if certificate.not_after - now < SOON => Validity::Soon,
            () => Validity::Valid,
        }
    }

    fn is_usable(self) -> bool {
        matches!(self, Validity::Valid | Validity::Soon)
    }

    fn words(self, certificate: &CertificateInfo, now: u64) -> String {
        let date = |seconds| {
            UNIX_EPOCH
                .checked_add(Duration::from_secs(seconds))
                .map_or_else(String::new, httpdate::fmt_http_date)
        };
        let days = |seconds: u64| match seconds / DAY {
            0 => "less than a day".to_owned(),
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        let (from, to) = (certificate.not_before, certificate.not_after);
        match self {
            Validity::NotYet => {
                format!("is not valid before {} (in {})", date(from), days(from.saturating_sub(now)))
            }
            Validity::Valid => format!("valid until {}", date(to)),
            Validity::Soon => format!("expires on {} (in {})", date(to), days(to.saturating_sub(now))),
            Validity::Expired => format!("expired on {} ({} ago)", date(to), days(now.saturating_sub(to))),
        }
    }
}
