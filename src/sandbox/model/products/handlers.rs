//! What answers without any state, and the cipher of what is secret.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Answer, clock::beijing, keys::Identity, random, refusal::Refusal, routes::Call};

pub(crate) fn echo(call: &Call<'_>) -> Result<Answer, Refusal> {
    ok(json!({ "echo_message": call.text("/echo_message", "") }))
}

pub(crate) fn certificates(call: &Call<'_>) -> Result<Answer, Refusal> {
    let certificates = call.platform.keyring().certificates().to_vec();
    if certificates.is_empty() {
        return Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", "the merchant has no platform certificates"));
    }
    let listed = certificates.iter().map(|certificate| {
        Ok(json!({
            "serial_no": certificate.serial,
            "effective_time": beijing(certificate.not_before),
            "expire_time": beijing(certificate.not_after),
            "encrypt_certificate": encrypt(&call.platform.identity, "certificate", &certificate.pem)?,
        }))
    });
    let listed: Result<Vec<Value>, Unspecified> = listed.collect();
    ok(json!({ "data": listed.map_err(broken)? }))
}

/// AES-256-GCM under the APIv3 key as it is, the tag at the end of the ciphertext.
pub(super) fn encrypt(identity: &Identity, associated_data: &str, text: &str) -> Result<Value, Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, identity.apiv3_key.as_bytes())?);
    let nonce = random::alphanumeric(12)?;
    let mut sealed = text.as_bytes().to_vec();
    key.seal_in_place_append_tag(
        Nonce::try_assume_unique_for_key(nonce.as_bytes())?,
        Aad::from(associated_data),
        &mut sealed,
    )?;
    Ok(json!({
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": STANDARD.encode(sealed),
    }))
}

fn ok(body: Value) -> Result<Answer, Refusal> {
    Ok(Answer::new(200).json(body))
}

fn broken(_: Unspecified) -> Refusal {
    Refusal::new(500, "SYSTEM_ERROR", "the sandbox has no random numbers or no cipher")
}
