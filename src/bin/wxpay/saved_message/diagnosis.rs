//! How to fix a saved message that is not verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wechatpay_chain::http::{HeaderMap, HeaderValue};
use wechatpay_chain::{Error, VerifyError, VerifyReason, WeChatPay};

use super::{NONCE, SERIAL, SIGNATURE, SavedMessage, TIMESTAMP, changes};
use crate::config::variables;
use crate::text::Excerpt;

const AS_RECEIVED: &str = "use the body byte for byte as received";
const CHECK: &str = "check that the body is byte for byte as received";
/// A time after the year 5138 is one in milliseconds.
const MILLISECONDS: u64 = 100_000_000_000;

/// What to do about a message that failed a check.
pub(super) fn hint(message: &SavedMessage, wx: &WeChatPay, failed: &VerifyError) -> Option<String> {
    Some(match &failed.reason {
        VerifyReason::ClockSkew { timestamp, .. } if *timestamp > MILLISECONDS => {
            format!("save `{TIMESTAMP}` as received: it is in seconds, not in milliseconds")
        }
        VerifyReason::ClockSkew { .. } => "use --any-time to accept a message of any age".to_owned(),
        VerifyReason::MissingHeader { .. }
            if !message.headers.keys().any(|name| name.as_str().starts_with("wechatpay-")) =>
        {
            format!(
                "save the headers of the {}: none of these is one of the platform's signature",
                failed.subject
            )
        }
        VerifyReason::MissingHeader { header } => {
            format!("save all headers of the {}, `{header}` with them", failed.subject)
        }
        VerifyReason::UnknownSerial { serial, .. } => match other_key(wx, &message.headers, &message.body) {
            Some(known) => format!(
                "check the ID of the key that is configured as {known}: the signature is valid with this key, and the {} \
                 names {}",
                failed.subject,
                Excerpt(serial)
            ),
            None => format!(
                "configure the platform key with this serial, or set {}=1",
                variables::AUTOMATIC_CERTIFICATES
            ),
        },
        VerifyReason::BadSignature { serial } => bad_signature(message, wx, failed, serial),
        _ => return None,
    })
}

/// The usual changes are undone, one after another: of the signature, of the keys, of the body.
fn bad_signature(message: &SavedMessage, wx: &WeChatPay, failed: &VerifyError, serial: &str) -> String {
    let body = &message.body;
    let repaired = repaired_signature(&message.headers);
    let (headers, signature) = match &repaired {
        Some((headers, change)) => (headers, Some(*change)),
        None => (&message.headers, None),
    };
    let with_signature = |hint: String| match signature {
        Some(change) => format!("save `{SIGNATURE}` as received: {change}; and {hint}"),
        None => hint,
    };
    let made_by_key = match (signature, wx.verify(headers, body)) {
        (Some(change), Ok(())) => {
            return format!("save `{SIGNATURE}` as received: {change}; without that, the signature is valid");
        }
        (_, Err(Error::Verify(again))) => again.key_made_signature(),
        _ => failed.key_made_signature(),
    };
    if let Some(known) = other_key(wx, headers, body) {
        return with_signature(format!(
            "configure the key of {known} under {}: the signature is valid with it, so the two keys are mixed up",
            Excerpt(serial)
        ));
    }
    if let Some(change) = changed_nonce(wx, headers, body) {
        return with_signature(format!(
            "save `{NONCE}` as received: {change}; without that, the signature is valid"
        ));
    }
    let visible = changes::visible(body, headers);
    match made_by_key {
        Some(true) => match changes::find(body, |body| wx.verify(headers, body).is_ok()) {
            Some(change) => {
                with_signature(format!("{AS_RECEIVED}: {change}; without that, the signature is valid"))
            }
            None => with_signature(match visible {
                Some(what) => format!("{AS_RECEIVED}: {what}"),
                None => {
                    format!("{CHECK}, and that these are its headers; the configured platform key is right")
                }
            }),
        },
        Some(false) => with_signature(match visible {
            Some(what) => format!("{}; and {AS_RECEIVED}: {what}", fetch_key(serial)),
            None => fetch_key(serial),
        }),
        None => format!("save `{SIGNATURE}` as received: it is not a whole signature"),
    }
}

/// The signature is of another key than the one under this serial.
fn fetch_key(serial: &str) -> String {
    match serial.starts_with("PUB_KEY_ID_") {
        true => format!(
            "download the public key of {} again (pay.weixin.qq.com, 账户中心, API安全), and set {}: another key is \
             configured under this ID",
            Excerpt(serial),
            variables::PUBLIC_KEY
        ),
        false => format!(
            "download the platform certificate {} again (`wxpay certs`), and set {}: another key is configured under \
             this serial",
            Excerpt(serial),
            variables::PLATFORM_CERTIFICATE
        ),
    }
}

/// The serial of another configured key with which the signature is valid.
fn other_key(wx: &WeChatPay, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let named = headers.get(SERIAL)?.to_str().ok()?;
    wx.platform_serials().into_iter().filter(|serial| serial != named).find(|serial| {
        let Ok(value) = HeaderValue::from_str(serial) else { return false };
        let mut headers = headers.clone();
        headers.insert(SERIAL, value);
        wx.verify(&headers, body).is_ok()
    })
}

/// How the nonce was changed, if the signature is valid without that.
fn changed_nonce(wx: &WeChatPay, headers: &HeaderMap, body: &[u8]) -> Option<&'static str> {
    let saved = headers.get(NONCE)?.to_str().ok()?;
    let quoted = saved.trim_matches(['"', '\'']).to_owned();
    [
        ("its letters became small ones", saved.to_ascii_uppercase()),
        ("its letters became capitals", saved.to_ascii_lowercase()),
        ("quotes were added", quoted),
    ]
    .into_iter()
    .filter(|(_, nonce)| nonce != saved)
    .find_map(|(change, nonce)| {
        let mut headers = headers.clone();
        headers.insert(NONCE, HeaderValue::from_str(&nonce).ok()?);
        wx.verify(&headers, body).is_ok().then_some(change)
    })
}

/// The headers with a signature that is whole, if the saved one was changed in a usual way; and the change in words.
fn repaired_signature(headers: &HeaderMap) -> Option<(HeaderMap, &'static str)> {
    let saved = headers.get(SIGNATURE)?.to_str().ok()?;
    if STANDARD.decode(saved).is_ok() {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(saved).decode_utf8().ok()?;
    let padded = |text: &str| format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
    [
        ("every + became a space", saved.replace(' ', "+")),
        ("it was percent-encoded", decoded.into_owned()),
        ("blanks were added", saved.split_whitespace().collect()),
        ("its slashes were escaped", saved.replace("\\/", "/")),
        ("its = at the end are missing", padded(saved)),
        ("it is in the alphabet of URLs", padded(&saved.replace('-', "+").replace('_', "/"))),
    ]
    .into_iter()
    .find_map(|(change, signature)| {
        STANDARD.decode(&signature).ok().filter(|bytes| bytes.len() >= 256)?;
        let mut headers = headers.clone();
        headers.insert(SIGNATURE, HeaderValue::from_str(&signature).ok()?);
        Some((headers, change))
    })
}
