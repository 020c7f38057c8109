//! The settings: which one is invalid, and a client without it where that is possible.

use wechatpay_chain::WeChatPay;

use super::MAIN_HOST;
use super::report::Report;
use crate::config::public_key_id::{self, PREFIX, WithoutPrefix};
use crate::config::{InvalidSetting, SettingsSource, variables};
use crate::exit;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::text::Excerpt;

/// For those who have only the program.
const KEYS_PAGE: &str = "https://docs.rs/wechatpay-chain/latest/wechatpay_chain/guide/keys/index.html";
const PROGRAM_PAGE: &str = "https://docs.rs/wechatpay-chain/latest/wechatpay_chain/guide/cli/index.html";

const PUBLIC_KEY_ID: &str = "public key ID";
const APIV3_KEY_LENGTH: usize = 32;

pub(super) const APIV3_KEY: &str = "APIv3 key";
pub(super) const APIV2_KEY: &str = "APIv2 key";

pub(super) struct Configuration {
    /// `None` if there is none.
    pub(super) source: Option<SettingsSource>,
    /// `None` if the settings do not make a client.
    pub(super) wx: Option<WeChatPay>,
    /// `None` if it is invalid.
    pub(super) base_url: Option<String>,
    /// Whether the APIv3 key was reported already.
    pub(super) apiv3_key_is_invalid: bool,
}

impl Configuration {
    /// The library checks keys, serials and lengths when it builds a client. It reports the first setting that is invalid;
    /// the others are checked without that one, if a client can do without it.
    pub(super) fn check(
        report: &mut Report,
        global: &GlobalArgs,
        found: Result<SettingsSource, Failure>,
    ) -> Result<Configuration, Failure> {
        let mut source = match found {
            Ok(source) => source,
            Err(failure) => {
                let general = || format!("wxpay --help lists all settings; {PROGRAM_PAGE} has examples");
                let fix = failure.hint().unwrap_or_else(general);
                report.failed("configuration", failure.code(), &failure.to_string(), &fix)?;
                let base_url = Some(global.base_url.as_deref().unwrap_or(MAIN_HOST).to_owned());
                return Ok(Configuration { source: None, wx: None, base_url, apiv3_key_is_invalid: false });
            }
        };
        report.ok("configuration", &format!("from {}", source.name))?;
        public_key_id(report, &mut source)?;
        let base_url = global.base_url.as_deref().or_else(|| source.get(variables::BASE_URL));
        let mut base_url = Some(base_url.unwrap_or(MAIN_HOST).to_owned());
        let mut apiv3_key_is_invalid = false;
        let wx = loop {
            let invalid = match source.try_client(global, |builder| builder) {
                Ok(wx) => break Some(wx),
                Err(invalid) => invalid,
            };
            let (check, fix) = check_and_fix(&invalid, global);
            let fix = source.in_its_names(&fix);
            report.failed(check, invalid.failure.code(), &invalid.failure.to_string(), &fix)?;
            match check {
                "base URL" => base_url = None,
                APIV3_KEY => apiv3_key_is_invalid = true,
                _ => {}
            }
            let dispensable = dispensable(&source, invalid.field());
            if dispensable.is_empty() {
                break None;
            }
            for name in dispensable {
                source.remove(name);
            }
        };
        match &wx {
            Some(wx) => keys(report, &source, wx)?,
            None if !apiv3_key_is_invalid => apiv3_key_is_invalid = apiv3_key_length(report, &source)?,
            None => {}
        }
        Ok(Configuration { source: Some(source), wx, base_url, apiv3_key_is_invalid })
    }
}

/// Whether the client can make calls of APIv3. A merchant of APIv2 alone needs no more than its key.
pub(super) fn has_apiv3(source: &SettingsSource, wx: &WeChatPay) -> bool {
    let automatic = matches!(source.get(variables::AUTOMATIC_CERTIFICATES), Some("1" | "true"));
    automatic || !wx.platform_serials().is_empty()
}

/// The name of the setting, and how to fix it.
fn check_and_fix(invalid: &InvalidSetting, global: &GlobalArgs) -> (&'static str, String) {
    let forms = || format!("fix the value that the message names; {KEYS_PAGE} describes every form of a key");
    let field = invalid.field();
    match field {
        variables::MCHID => (
            "merchant number",
            "set it to the merchant number (商户号, digits) that pay.weixin.qq.com shows".to_owned(),
        ),
        variables::SERIAL => (
            "merchant serial",
            format!(
                "take the serial of the merchant's certificate: `openssl x509 -in apiclient_cert.pem -noout -serial`; \
                 or set {} instead",
                variables::CERTIFICATE
            ),
        ),
        variables::CERTIFICATE => (
            "merchant certificate",
            format!(
                "use the private key and the certificate of one download (apiclient_key.pem, apiclient_cert.pem); \
                 {KEYS_PAGE} describes every form"
            ),
        ),
        variables::PRIVATE_KEY => ("private key", forms()),
        variables::PASSPHRASE => ("passphrase", forms()),
        variables::P12 => ("p12 file", forms()),
        variables::PUBLIC_KEY_ID => (
            PUBLIC_KEY_ID,
            format!("copy the whole ID, {PREFIX} and digits, from pay.weixin.qq.com (账户中心, API安全)"),
        ),
        variables::PUBLIC_KEY => ("public key", forms()),
        variables::PLATFORM_SERIAL => (
            "platform serial",
            "take the serial of the platform certificate: `wxpay certs` shows it".to_owned(),
        ),
        variables::PLATFORM_CERTIFICATE => ("platform certificate", forms()),
        variables::APIV3_KEY => (
            APIV3_KEY,
            "copy the 32 characters that were set at pay.weixin.qq.com (账户中心, API安全)".to_owned(),
        ),
        variables::APIV2_KEY => (
            APIV2_KEY,
            "copy the 32 characters that were set at pay.weixin.qq.com (账户中心, API安全)".to_owned(),
        ),
        variables::BASE_URL => (
            "base URL",
            invalid
                .failure
                .hint()
                .unwrap_or_else(|| format!("correct it, or leave it out to use {MAIN_HOST}")),
        ),
        variables::TIMEOUT | "timeout" => ("timeout", "set it to a number of seconds, such as 30".to_owned()),
        "" if global.timeout.is_some() => ("timeout", "set it to a number of seconds, such as 30".to_owned()),
        variables::ALLOW_HTTP => ("http", "set it to 1, or leave it out".to_owned()),
        variables::AUTOMATIC_CERTIFICATES => {
            ("automatic certificates", "set it to 1, or leave it out".to_owned())
        }
        _ => ("settings", "fix the value that the message names".to_owned()),
    }
}

/// The values without which the others can be checked.
fn dispensable(source: &SettingsSource, field: &str) -> Vec<&'static str> {
    let is_set = |name: &str| source.get(name).is_some();
    let automatic = matches!(source.get(variables::AUTOMATIC_CERTIFICATES), Some("1" | "true"));
    let public_key = [variables::PUBLIC_KEY_ID, variables::PUBLIC_KEY];
    let certificate = [variables::PLATFORM_SERIAL, variables::PLATFORM_CERTIFICATE];
    match field {
        variables::APIV3_KEY if is_set(variables::APIV3_KEY) && !automatic => vec![variables::APIV3_KEY],
        // Without it, the others must make a client of APIv3.
        variables::APIV2_KEY
            if is_set(variables::APIV2_KEY)
                && (automatic
                    || is_set(variables::PUBLIC_KEY)
                    || is_set(variables::PLATFORM_CERTIFICATE)) =>
        {
            vec![variables::APIV2_KEY]
        }
        variables::TIMEOUT if is_set(variables::TIMEOUT) => vec![variables::TIMEOUT],
        // One of a pair without the other is in the way, too.
        variables::PUBLIC_KEY_ID | variables::PUBLIC_KEY
            if public_key.into_iter().any(is_set) && (automatic || certificate.into_iter().all(is_set)) =>
        {
            public_key.to_vec()
        }
        variables::PLATFORM_SERIAL | variables::PLATFORM_CERTIFICATE
            if certificate.into_iter().any(is_set) && (automatic || public_key.into_iter().all(is_set)) =>
        {
            certificate.to_vec()
        }
        _ => Vec::new(),
    }
}

/// The digits alone look like the serial of a certificate. The other checks use the whole ID.
fn public_key_id(report: &mut Report, source: &mut SettingsSource) -> Result<(), Failure> {
    let Some(WithoutPrefix { fault, fix, whole: Some(whole) }) = public_key_id::fault(source) else {
        return Ok(());
    };
    report.failed(PUBLIC_KEY_ID, exit::USAGE, &fault, &fix)?;
    source.set(variables::PUBLIC_KEY_ID, whole);
    Ok(())
}

/// What the client was built from.
fn keys(report: &mut Report, source: &SettingsSource, wx: &WeChatPay) -> Result<(), Failure> {
    if !has_apiv3(source, wx) {
        let certificate = match wx.merchant_certificate() {
            Some(certificate) => format!("certificate {}", Excerpt(&certificate.serial)),
            None => "no certificate, so no refunds and transfers".to_owned(),
        };
        return report.ok("keys", &format!("merchant {}, APIv2 alone; {certificate}", wx.mchid()));
    }
    let serials = wx.platform_serials();
    let known = if serials.is_empty() { "downloaded when needed".to_owned() } else { serials.join(", ") };
    let certificate = wx.merchant_certificate().map(|certificate| certificate.serial);
    let serial = certificate.as_deref().or_else(|| source.get(variables::SERIAL)).unwrap_or("unknown");
    let found = format!("merchant {}, serial {}; platform keys: {known}", wx.mchid(), Excerpt(serial));
    report.ok("keys", &found)?;
    match public_key_id::fault(source) {
        Some(WithoutPrefix { fault, fix, .. }) => report.warned(PUBLIC_KEY_ID, &fault, &fix),
        None => Ok(()),
    }
}

/// For settings that do not make a client, for another reason.
fn apiv3_key_length(report: &mut Report, source: &SettingsSource) -> Result<bool, Failure> {
    let Some(length) = source.get(variables::APIV3_KEY).map(str::len) else { return Ok(false) };
    if length == APIV3_KEY_LENGTH {
        return Ok(false);
    }
    let name = source.in_its_names(variables::APIV3_KEY);
    let found = format!("`{name}` must be exactly {APIV3_KEY_LENGTH} bytes; it is {length}");
    let fix = "copy the 32 characters that were set at pay.weixin.qq.com (账户中心, API安全)";
    report.failed(APIV3_KEY, exit::USAGE, &found, fix)?;
    Ok(true)
}
