//! Signs an answer, or spoils it, and puts the platform's headers on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::{
    Fault,
    answer::Ready,
    check::Arrived,
    clock,
    keyring::{Signing, Unasked},
    keys::PrivateKey,
    platform::Platform,
    random, unsigned,
};

/// The youngest age that a verifier refuses.
const TOO_OLD: i64 = 301;

const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// What the answer depends on besides itself.
pub(super) struct Context {
    signing: Option<Signing>,
    unsigned: bool,
    statement: bool,
    bodiless: bool,
}

impl Context {
    pub(super) fn of(platform: &Platform, request: &Arrived) -> Context {
        Context {
            signing: signing(platform, request),
            unsigned: unsigned::is_unsigned(request),
            statement: unsigned::is_statement(request),
            bodiless: request.method == Method::HEAD,
        }
    }

    fn signs(&self, platform: &Platform, answer: &Ready) -> bool {
        let error = answer.status.is_client_error() || answer.status.is_server_error();
        let success = answer.status.is_success();
        answer.signed && (platform.sign_errors || !error) && !(self.unsigned && success)
    }
}

/// The key that the request names, else the one that signs unasked.
fn signing(platform: &Platform, request: &Arrived) -> Option<Signing> {
    let keyring = platform.keyring();
    let named = request.single("wechatpay-serial").and_then(|serial| keyring.find(serial));
    named.or_else(|| keyring.signing(Unasked::Answer))
}

pub(super) fn seal(
    platform: &Platform,
    answer: Ready,
    context: &Context,
    faults: &[Fault],
) -> Response<Bytes> {
    let mut answer = if faults.contains(&Fault::HtmlBadGateway) { Ready::bad_gateway() } else { answer };
    if context.bodiless {
        answer.body = Bytes::new();
    }
    let signed = context.signs(platform, &answer);
    let Some(mut headers) = headers(platform, &answer, context, signed, faults) else {
        // No entropy, or no signature from a key that signed before: say so rather than answer unsigned.
        return assemble(Ready::broken(), HeaderMap::new());
    };
    if signed && faults.contains(&Fault::WrongBody) && !context.bodiless {
        tamper(&mut answer);
    }
    // Takes the place of the sandbox's own where the names are the same.
    headers.extend(std::mem::take(&mut answer.headers));
    for fault in faults {
        if let Fault::MissingHeader(name) = fault {
            headers.remove(name.as_str());
        }
    }
    assemble(answer, headers)
}

/// The platform's own headers. `None` when a random number or a signature could not be made.
fn headers(
    platform: &Platform,
    answer: &Ready,
    context: &Context,
    signed: bool,
    faults: &[Fault],
) -> Option<HeaderMap> {
    let now = platform.clock.now();
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).ok()?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        Some(())
    };
    put("Date", &clock::http_date(now))?;
    put("Request-ID", &random::alphanumeric(40).ok()?.to_ascii_uppercase())?;
    if !signed {
        return Some(headers);
    }

    let signing = context.signing.as_ref()?;
    let (key, serial) = (signing.key(), signing.serial());
    let timestamp = if faults.contains(&Fault::OldTimestamp) { now.saturating_sub(TOO_OLD) } else { now };
    let timestamp = timestamp.to_string();
    let nonce = random::alphanumeric(32).ok()?;
    let digest = answer.headers.get(unsigned::STATEMENT_SHA1).filter(|_| context.statement);
    let body = match digest {
        Some(sha1) => [br#"{"sha1":""#, sha1.as_bytes(), br#""}"#].concat(),
        None => answer.body.to_vec(),
    };
    put("Wechatpay-Timestamp", &timestamp)?;
    put("Wechatpay-Nonce", &nonce)?;
    put(
        "Wechatpay-Serial",
        &if faults.contains(&Fault::UnknownSerial) { stranger(serial) } else { serial.into() },
    )?;
    put("Wechatpay-Signature", &signature(key, &[timestamp.as_bytes(), nonce.as_bytes(), &body], faults)?)?;
    Some(headers)
}

/// The headers of a notification. `None` as for [`headers`].
pub(super) fn notification(platform: &Platform, body: &[u8], faults: &[Fault]) -> Option<HeaderMap> {
    let answer = Ready { body: Bytes::copy_from_slice(body), ..Ready::broken() };
    let signing = platform.keyring().signing(Unasked::Notification);
    let context = Context { signing, unsigned: false, statement: false, bodiless: false };
    let mut headers = headers(platform, &answer, &context, true, faults)?;
    for fault in faults {
        if let Fault::MissingHeader(name) = fault {
            headers.remove(name.as_str());
        }
    }
    Some(headers)
}

/// Over the three lines, unless a fault wants otherwise.
fn signature(key: &PrivateKey, lines: &[&[u8]], faults: &[Fault]) -> Option<String> {
    let mut message = lines.join(&b'\n');
    message.push(b'\n');
    if faults.contains(&Fault::BadSignature) {
        message.extend_from_slice(b"and a line that was never sent\n");
    }
    let signature = STANDARD.encode(key.sign(&message).ok()?);
    if faults.contains(&Fault::SignatureProbe) {
        // As long as a true one, and valid base64: nothing but its beginning tells it from an attack.
        return Some(format!("{PROBE}{}", signature.get(PROBE.len()..)?));
    }
    Some(signature)
}

/// A serial of the same kind that no key of this sandbox has: every digit but the first is turned.
fn stranger(serial: &str) -> String {
    let prefix = if serial.starts_with("PUB_KEY_ID_") { "PUB_KEY_ID_".len() } else { 1 };
    let (kept, digits) = serial.split_at(prefix.min(serial.len()));
    let turned = digits.chars().map(|digit| match digit {
        '0' => '1',
        _ => '0',
    });
    kept.chars().chain(turned).collect()
}

fn tamper(answer: &mut Ready) {
    if answer.body.is_empty() {
        answer.body = Bytes::from_static(b"{}");
        if matches!(answer.status.as_u16(), 204 | 205 | 304) {
            answer.status = StatusCode::OK;
        }
    } else {
        answer.body = [&answer.body[..], b" "].concat().into();
    }
}

fn assemble(answer: Ready, headers: HeaderMap) -> Response<Bytes> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers;
    response
}
