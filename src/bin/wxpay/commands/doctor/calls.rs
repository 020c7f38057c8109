//! The calls: an echo, and the download that shows whether the APIv3 key is right. A fault that stops both is told once.

use std::path::Path;

use serde_json::json;
use wechatpay_chain::{Error, VerifyError, VerifyReason, WeChatPay};

use super::configuration::{APIV2_KEY, APIV3_KEY, Configuration, has_apiv3};
use super::report::Report;
use crate::config::{SettingsSource, variables};
use crate::exit;
use crate::failure::{Failure, describe};
use crate::files;
use crate::global::GlobalArgs;
use crate::outcome::platform_keys_cause;
use crate::text::{Excerpt, ShownPath};

/// `obstacle`: why no call can succeed, which is reported already.
pub(super) fn check(
    report: &mut Report,
    global: &GlobalArgs,
    configuration: &Configuration,
    source: &SettingsSource,
    wx: &WeChatPay,
    obstacle: Option<&str>,
) -> Result<(), Failure> {
    let fix = |error: &Error| source.in_its_names(&Fixes { global, source, wx }.of(error));
    if source.get(variables::APIV2_KEY).is_some() {
        // No call of APIv2 can be made without an appid, which is no setting.
        report.ok(APIV2_KEY, "32 bytes; not tried")?;
    }
    if !has_apiv3(source, wx) {
        return report
            .skipped("echo", "not sent: it is a call of APIv3, and the settings are those of APIv2");
    }
    let mut obstacle = obstacle.map(str::to_owned);
    match &obstacle {
        Some(reason) => report.skipped("echo", &format!("not sent: {reason}"))?,
        // A complete call: signed, sent, received and verified.
        None => match wx.chain("v3/security/echo").post(json!({"echo_message": "wxpay doctor"})).wait() {
            Ok(response) => {
                let id = response.request_id().unwrap_or("none");
                report.ok("echo", &format!("request accepted, response verified (Request-ID {id})"))?;
            }
            Err(error) if is_of_apiv3_key(&error) => {
                report.skipped(
                    "echo",
                    "not sent: there is no platform certificate to verify the response with",
                )?;
                return report.failed(APIV3_KEY, exit::code_of(&error), &describe(&error), &fix(&error));
            }
            Err(error) => {
                report.failed("echo", exit::code_of(&error), &describe(&error), &fix(&error))?;
                obstacle = Some("the echo failed".to_owned());
            }
        },
    }
    if configuration.apiv3_key_is_invalid {
        return Ok(());
    }
    if source.get(variables::APIV3_KEY).is_none() {
        let fix = format!("set {} to decrypt notifications and platform certificates", variables::APIV3_KEY);
        return report.warned(APIV3_KEY, "not configured", &source.in_its_names(&fix));
    }
    if let Some(reason) = obstacle {
        return report.skipped(APIV3_KEY, &format!("32 bytes; not tried: {reason}"));
    }
    // The platform certificates are encrypted with it.
    match wx.platform_certificates().wait() {
        Ok(list) => report.ok(APIV3_KEY, &format!("decrypts the platform certificates ({})", list.len())),
        Err(error) if error.code() == Some("RESOURCE_NOT_EXISTS") => report
            .ok(APIV3_KEY, "32 bytes; cannot be tried, because the merchant has no platform certificates"),
        Err(error) => report.failed(APIV3_KEY, exit::code_of(&error), &describe(&error), &fix(&error)),
    }
}

fn is_of_apiv3_key(error: &Error) -> bool {
    match error {
        Error::Decrypt(_) => true,
        Error::PlatformKeys(keys) => platform_keys_cause(keys).is_some_and(is_of_apiv3_key),
        _ => false,
    }
}

/// How to fix a call that failed.
struct Fixes<'a> {
    global: &'a GlobalArgs,
    source: &'a SettingsSource,
    wx: &'a WeChatPay,
}

impl Fixes<'_> {
    fn of(&self, error: &Error) -> String {
        let fix = match error {
            Error::Api(e) if e.code == "SIGN_ERROR" || e.status == 401 => return self.of_sign_error(),
            Error::Api(_) => {
                "look up the code in the platform's documentation; give its support the Request-ID"
            }
            Error::Decrypt(_) => {
                "copy the APIv3 key that was set at pay.weixin.qq.com (账户中心, API安全), or set a new one there"
            }
            Error::PlatformKeys(keys) => match platform_keys_cause(keys) {
                Some(cause) if cause.code() == Some("RESOURCE_NOT_EXISTS") => {
                    return format!("set {} and {}", variables::PUBLIC_KEY_ID, variables::PUBLIC_KEY);
                }
                Some(cause) => return self.of(cause),
                None => "try again later",
            },
            Error::Transport(_) => "try again; the host responds, so a proxy or its network may be slow",
            Error::Verify(e) => return self.of_verification(e),
            _ => "fix the value that the message names",
        };
        fix.to_owned()
    }

    fn of_verification(&self, failed: &VerifyError) -> String {
        let changes = "check the proxy: something between this machine and the platform changes responses";
        match &failed.reason {
            VerifyReason::ClockSkew { .. } => "set the clock".to_owned(),
            VerifyReason::UnknownSerial { .. } => format!(
                "check the ID of the configured public key; or add the platform key with that serial, or set {}=1",
                variables::AUTOMATIC_CERTIFICATES
            ),
            VerifyReason::BadSignature { .. } if failed.key_made_signature() == Some(true) => {
                changes.to_owned()
            }
            VerifyReason::BadSignature { serial } => format!(
                "download the platform key {} again: another one is configured under this serial",
                Excerpt(serial)
            ),
            _ => changes.to_owned(),
        }
    }

    /// The key, the certificate and the serial are compared, as far as they are here.
    fn of_sign_error(&self) -> String {
        let (number, key, serial) = (variables::MCHID, variables::PRIVATE_KEY, variables::SERIAL);
        let certificate = variables::CERTIFICATE;
        let at_platform = format!(
            "check at pay.weixin.qq.com (账户中心, API安全) that the certificate with this serial is one of the merchant \
             in {number}, and is not revoked"
        );
        if self.wx.merchant_certificate().is_some() {
            return format!("the private key and the certificate belong together: {at_platform}");
        }
        let Some(path) = self.certificate_beside_key() else {
            return format!(
                "check that {serial} is the serial of the certificate that was made with {key}: set {certificate} to \
                 apiclient_cert.pem, and the two are compared; and {at_platform}"
            );
        };
        let shown = ShownPath(Path::new(&path));
        let text = format!("file://{path}");
        let compared = self.source.try_client(self.global, |builder| builder.merchant_certificate(text));
        match compared {
            Ok(_) => format!("the private key and the serial are those of {shown}: {at_platform}"),
            Err(invalid) => match (&invalid.error, invalid.field()) {
                (Some(Error::Config(_)), variables::CERTIFICATE) => format!(
                    "the private key is not that of {shown}, which is in its folder: set {key} to the key of the \
                     certificate whose serial is in {serial}"
                ),
                (Some(Error::Config(_)), variables::SERIAL) => format!(
                    "the private key is that of {shown}, and {serial} is the serial of another certificate: set \
                     {certificate} to this file, and remove {serial}"
                ),
                _ => format!("{shown} cannot be read as a certificate; {at_platform}"),
            },
        }
    }

    /// The platform's download has the two in one folder.
    fn certificate_beside_key(&self) -> Option<String> {
        let key = files::path_of(self.source.get(variables::PRIVATE_KEY)?)?;
        let path = Path::new(key).parent()?.join("apiclient_cert.pem");
        path.exists().then(|| path.to_str().map(str::to_owned))?
    }
}
