//! What the built-in routes answer. Amounts are in cents, as the request gives them.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Answer, clock::beijing, keys::Identity, random, refusal::Refusal, routes::Call};

const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
const TRANSACTION: &str = "1217752501201407033233368018";

pub(super) fn no_content(_: &Call<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::new(204))
}

pub(super) fn native(_: &Call<'_>) -> Result<Answer, Refusal> {
    let code = random::alphanumeric(7).map_err(broken)?;
    ok(json!({ "code_url": format!("weixin://wxpay/bizpayurl?pr={code}") }))
}

pub(super) fn transaction(call: &Call<'_>) -> Result<Answer, Refusal> {
    ok(json!({
        "appid": "wxd678efh567hg6787",
        "mchid": call.query("mchid"),
        "out_trade_no": "1217752501201407033233368018",
        "transaction_id": call.var("transaction_id"),
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "attach": "",
        "success_time": beijing(call.platform.clock.now()),
        "payer": { "openid": OPENID },
        "amount": { "total": 100, "payer_total": 100, "currency": "CNY", "payer_currency": "CNY" },
    }))
}

pub(super) fn echo(call: &Call<'_>) -> Result<Answer, Refusal> {
    ok(json!({ "echo_message": call.text("/echo_message", "") }))
}

pub(super) fn refund(call: &Call<'_>) -> Result<Answer, Refusal> {
    let cents = |pointer| call.body.pointer(pointer).cloned().unwrap_or(Value::Null);
    let (total, refund) = (cents("/amount/total"), cents("/amount/refund"));
    if refund.as_i64() > total.as_i64() {
        return Err(Refusal::param("body", "/amount/refund", "more than the order's total"));
    }
    ok(json!({
        "refund_id": format!("50{}", random::digits(26).map_err(broken)?),
        "out_refund_no": call.text("/out_refund_no", ""),
        "transaction_id": call.text("/transaction_id", TRANSACTION),
        "out_trade_no": call.text("/out_trade_no", "1217752501201407033233368018"),
        "channel": "ORIGINAL",
        "user_received_account": "招商银行信用卡0403",
        "create_time": beijing(call.platform.clock.now()),
        "status": "PROCESSING",
        "funds_account": "AVAILABLE",
        "amount": {
            "total": total,
            "refund": refund,
            "payer_total": total,
            "payer_refund": refund,
            "settlement_refund": refund,
            "settlement_total": total,
            "discount_refund": 0,
            "currency": call.text("/amount/currency", "CNY"),
        },
    }))
}

pub(super) fn upload(call: &Call<'_>) -> Result<Answer, Refusal> {
    let digest = Sha256::digest(call.file()?);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if !call.text("/sha256", "").eq_ignore_ascii_case(&sha256) {
        let issue = format!("the file's SHA-256 is {sha256}");
        return Err(Refusal::param("body", "/sha256", &issue));
    }
    ok(json!({ "media_id": random::alphanumeric(60).map_err(broken)? }))
}

pub(super) fn certificates(call: &Call<'_>) -> Result<Answer, Refusal> {
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
