//! Personal data: encrypted by the client for the platform, decrypted on arrival, and encrypted for the merchant in
//! responses (PROTOCOL, Sensitive fields).

use serde_json::Value;

use super::{Engine, call::Call, params::Param};
use crate::sandbox::{
    http::error_response::ErrorResponse,
    keys::{cipher, keyring::SigningKey},
};

const SERIAL: &str = "Wechatpay-Serial";

/// The body with its personal data in the clear; `None` if it has none.
pub(super) fn decrypt(call: &Call<'_>, params: &[Param]) -> Result<Option<Value>, ErrorResponse> {
    let mut pointers = Vec::new();
    params.iter().for_each(|param| param.personal(call.partner, "", &mut pointers));
    let mut body = None;
    for pointer in pointers {
        for field in expand(call.body, &pointer) {
            let Some(Value::String(text)) = call.body.pointer(&field).filter(|value| **value != "") else {
                continue;
            };
            let clear = open(call, &field, text)?;
            let body: &mut Value = body.get_or_insert_with(|| call.body.clone());
            if let Some(slot) = body.pointer_mut(&field) {
                *slot = clear.into();
            }
        }
    }
    Ok(body)
}

fn open(call: &Call<'_>, field: &str, text: &str) -> Result<String, ErrorResponse> {
    let key = match call.header(SERIAL) {
        "" => {
            let issue = format!("required: `{field}` is encrypted with the key that this header names");
            // The platform's words, which users look for.
            let message = format!("HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial): {issue}");
            return Err(ErrorResponse { message, ..ErrorResponse::param_error("header", SERIAL, &issue) });
        }
        serial => call.engine.keyring.find(serial),
    };
    let key = key.ok_or_else(|| {
        ErrorResponse::param_error(
            "header",
            SERIAL,
            "names no key of the platform, and the request has encrypted fields",
        )
    })?;
    cipher::decrypt_field(SigningKey::private_key(&key), text).ok_or_else(|| {
        let issue = "敏感信息解密失败: expected Base64 of RSAES-OAEP (SHA-1) with the platform key that Wechatpay-Serial names";
        ErrorResponse::param_error("body", field, issue)
    })
}

/// The pointers that exist: `*` stands for every element of an array.
fn expand(body: &Value, pointer: &str) -> Vec<String> {
    let Some((list, rest)) = pointer.split_once("/*") else { return vec![pointer.to_owned()] };
    let length = body.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
    (0..length).map(|index| format!("{list}/{index}{rest}")).collect()
}

impl Engine {
    /// Encrypts these members of a response for the merchant.
    pub(crate) fn encrypt(&self, response: &mut Value, names: &[&str]) -> Result<(), ErrorResponse> {
        for name in names {
            let Some(slot) = response.get_mut(*name) else { continue };
            if let Some(text) = slot.as_str() {
                let encrypted = cipher::encrypt_field(&self.identity.merchant.public_key, text);
                *slot = encrypted
                    .ok_or_else(|| ErrorResponse::internal("a field could not be encrypted"))?
                    .into();
            }
        }
        Ok(())
    }
}
