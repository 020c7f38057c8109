//! Endpoints without resources: echo and the list of the platform's certificates.

use aws_lc_rs::error::Unspecified;
use http::Method;
use serde_json::{Value, json};

use crate::sandbox::{
    http::{clock::beijing_time, error_response::ErrorResponse, response::SandboxResponse},
    keys::cipher::encrypt_resource,
    model::engine::{
        call::Call,
        params::Param,
        schema::{Action, Endpoint},
    },
};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/security/echo",
        partner_template: None,
        params: &[Param::Text("/echo_message", usize::MAX), Param::OptionalUrl("/notify_url")],
        action: Action::Handler(echo),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/certificates",
        partner_template: None,
        params: &[],
        action: Action::Handler(certificates),
    },
];

/// A pointer.
const ENCRYPTED: &str = "/encrypted_echo_message";

/// What came encrypted for the platform goes back encrypted for the merchant.
fn echo(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let mut echo = json!({ "echo_message": call.text("/echo_message") });
    let name = ENCRYPTED.trim_start_matches('/');
    if let Some(message) = call.body.get(name) {
        echo[name] = message.clone();
        call.engine.encrypt(&mut echo, &[name])?;
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
