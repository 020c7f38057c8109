//! Endpoints without resources: echo and the list of the platform's certificates.

use aws_lc_rs::error::Unspecified;
use http::Method;
use serde_json::{Value, json};

use crate::sandbox::{
    http::{clock::beijing_time, error_response::ErrorResponse, response::SandboxResponse},
    keys::cipher::{encrypt_field, encrypt_resource},
    model::engine::{
        call::Call,
        schema::{Action, Endpoint},
    },
};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(Method::POST, "v3/security/echo", &[], Action::Handler(echo)),
    Endpoint::new(Method::GET, "v3/certificates", &[], Action::Handler(certificates)),
];

/// What came encrypted for the platform goes back encrypted for the merchant.
fn echo(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let mut echo = json!({ "echo_message": call.text("/echo_message") });
    let secret = call.text("/encrypted_echo_message");
    if !secret.is_empty() {
        let encrypted = encrypt_field(&call.engine.identity.merchant.public_key, secret);
        let encrypted = encrypted.ok_or_else(|| ErrorResponse::internal("a field could not be encrypted"))?;
        echo["encrypted_echo_message"] = encrypted.into();
    }
    Ok(SandboxResponse::new(200).json(echo))
}

fn certificates(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let certificates = call.engine.keyring.now().certificates;
    if certificates.is_empty() {
        let message = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥: \
                       the sandbox is in public-key mode (certificates: `--sign-with certificate`)";
        return Err(ErrorResponse::new(404, "RESOURCE_NOT_EXISTS", message));
    }
    // A serial that is not of the platform is ignored everywhere, such as the merchant's own.
    if call.engine.keyring.find(call.header("wechatpay-serial")).is_none() {
        call.engine.keyring.follow();
    }
    let apiv3_key = &call.engine.identity.apiv3_key;
    let list = certificates.iter().map(|certificate| {
        Ok(json!({
            "serial_no": certificate.serial,
            "effective_time": beijing_time(certificate.not_before),
            "expire_time": beijing_time(certificate.not_after),
            "encrypt_certificate": encrypt_resource(apiv3_key, "certificate", &certificate.pem)?,
        }))
    });
    let list: Result<Vec<Value>, Unspecified> = list.collect();
    let list = list.map_err(|_| ErrorResponse::internal("the sandbox has no random numbers or no cipher"))?;
    Ok(SandboxResponse::new(200).json(json!({ "data": list })))
}
