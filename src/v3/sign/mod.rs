//! The message that a request's signature covers, and the `Authorization` header that carries it.

use http::HeaderValue;

use super::merchant::Merchant;
use crate::error::Error;
use crate::runtime::{CallGuard, Deadline};

/// The authentication scheme of APIv3.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// The input of a request's signature, made afresh for each attempt: a timestamp and a nonce are used once.
#[derive(Clone)]
pub(crate) struct SigningInput {
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) message: Vec<u8>,
}

impl Merchant {
    /// The `Authorization` header for `input`; `None` if it was not signed by the deadline.
    pub(crate) async fn authorize(
        &self,
        input: SigningInput,
        call: Option<&CallGuard<'_>>,
        deadline: &Deadline,
    ) -> Result<Option<HeaderValue>, Error> {
        let SigningInput { timestamp, nonce, message } = input;
        let Some(signature) = self.sign(message, call, deadline).await? else { return Ok(None) };
        let text = authorization(&self.mchid, &nonce, &signature, &timestamp, &self.serial);
        let mut header = HeaderValue::try_from(text).map_err(|_| {
            Error::config("mchid or serial", "has a character that is not allowed in an HTTP header")
        })?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

/// The message that a request's signature covers (PROTOCOL, Request): five lines, each ended by a line feed.
pub(crate) fn message(method: &str, target: &str, timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let length = method.len() + target.len() + timestamp.len() + nonce.len() + body.len() + 5;
    let mut message = Vec::with_capacity(length);
    for line in [method.as_bytes(), target.as_bytes(), timestamp.as_bytes(), nonce.as_bytes(), body] {
        message.extend_from_slice(line);
        message.push(b'\n');
    }
    message
}

/// The message of a pay-sign (PROTOCOL, Pay-sign): the fields as lines, each ended by a line feed.
pub(crate) fn pay_sign_message(fields: &[&str]) -> Vec<u8> {
    fields.iter().flat_map(|field| [field.as_bytes(), b"\n"]).flatten().copied().collect()
}

/// The value of the `Authorization` header.
fn authorization(mchid: &str, nonce: &str, signature: &str, timestamp: &str, serial: &str) -> String {
    const FIELDS: [&str; 6] =
        [" mchid=\"", "\",serial_no=\"", "\",timestamp=\"", "\",nonce_str=\"", "\",signature=\"", "\""];
    let values = [mchid, serial, timestamp, nonce, signature, ""];
    let length = SCHEME.len() + FIELDS.iter().chain(&values).map(|s| s.len()).sum::<usize>();
    let mut header = String::with_capacity(length);
    header.push_str(SCHEME);
    for (field, value) in FIELDS.iter().zip(values) {
        header.push_str(field);
        header.push_str(value);
    }
    header
}

#[cfg(test)]
mod tests;
