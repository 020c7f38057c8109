//! Pay-sign: the signed parameters with which an app opens the cashier (PROTOCOL, Pay-sign).

use std::sync::Arc;

use serde_json::{Value, json};

use super::WeChatPay;
use crate::crypto::random::nonce;
use crate::error::{Error, Excerpt};
use crate::runtime::{Deadline, Deferred};
use crate::transport::no_signature;
use crate::v3::{Context, sign};

mod prepay_id;

pub use prepay_id::PrepayId;
pub(super) use prepay_id::check_appid;
use prepay_id::check_prepay_id;

impl WeChatPay {
    /// The parameters with which a JSAPI page or a mini program opens the cashier: `appId timeStamp nonceStr package
    /// signType paySign`, all strings ([PROTOCOL, Pay-sign](crate::guide::protocol#pay-sign)).
    ///
    /// `prepay_id` is a text, or the value in the response: `&response.data()["prepay_id"]`.
    ///
    /// | who opens the cashier | what it takes |
    /// |---|---|
    /// | a page in WeChat: `WeixinJSBridge.invoke("getBrandWCPayRequest", …)` | the object unchanged |
    /// | a page with the JS-SDK: `wx.chooseWXPay(…)` | `timeStamp` under the name `timestamp` |
    /// | a mini program: `wx.requestPayment(…)` | the object; `appId` is not needed there |
    /// | an app | [`app_params`](Self::app_params) instead |
    /// | an H5 page outside WeChat, a QR code | nothing: `h5_url` or `code_url` of the response |
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let params = wx.jsapi_params("wx2421b1c4370ec43b", "wx201410272009395522657a690389285100").wait()?;
    /// assert_eq!(params["package"], "prepay_id=wx201410272009395522657a690389285100");
    /// assert_eq!(params["signType"], "RSA");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] if a value cannot be an appid or a prepay_id: one with its prefix, in quotation marks, `null`,
    /// empty, a URL. [`Error::Key`] if the key or the signer cannot sign, [`Error::Transport`] if a signer does not sign
    /// within the client's timeout.
    pub fn jsapi_params(&self, appid: impl Into<String>, prepay_id: impl Into<PrepayId>) -> Deferred<Value> {
        let (context, appid, prepay_id) = (Arc::clone(&self.context.v3), appid.into(), prepay_id.into());
        Deferred::new(async move {
            check_appid(&appid)?;
            let package = format!("prepay_id={}", prepay_id.check()?);
            let (time, nonce) = time_and_nonce(&context)?;
            let sign = sign_fields(&context, &[&appid, &time, &nonce, &package]).await?;
            Ok(json!({
                "appId": appid, "timeStamp": time, "nonceStr": nonce, "package": package, "signType": "RSA",
                "paySign": sign,
            }))
        })
    }

    /// The parameters with which an app opens the cashier: `appid partnerid prepayid package noncestr timestamp sign`.
    /// `partnerid` is this client's mchid; a service provider replaces it by the sub-merchant's. The signature does not
    /// cover it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let mut params = wx.app_params("wx8888888888888888", "WX1217752501201407033233368018").wait()?;
    /// assert_eq!((&params["package"], &params["partnerid"]), (&"Sign=WXPay".into(), &wx.mchid().into()));
    /// params["partnerid"] = "1230000109".into(); // a sub-merchant's
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`jsapi_params`](Self::jsapi_params).
    pub fn app_params(&self, appid: impl Into<String>, prepay_id: impl Into<PrepayId>) -> Deferred<Value> {
        let (context, appid, prepay_id) = (Arc::clone(&self.context.v3), appid.into(), prepay_id.into());
        Deferred::new(async move {
            check_appid(&appid)?;
            let prepay_id = prepay_id.check()?;
            let (time, nonce) = time_and_nonce(&context)?;
            let sign = sign_fields(&context, &[&appid, &time, &nonce, &prepay_id]).await?;
            Ok(json!({
                "appid": appid, "partnerid": context.merchant.mchid, "prepayid": prepay_id, "package": "Sign=WXPay",
                "noncestr": nonce, "timestamp": time, "sign": sign,
            }))
        })
    }

    /// The signature, in base64, of `fields` as lines, each ended by a line feed: for any other pay-sign of APIv3.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let (timestamp, nonce) = ("1700000000", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS");
    /// let sign = wx.pay_sign(&["wx2421b1c4370ec43b", timestamp, nonce, "prepay_id=wx2014"]).wait()?;
    /// assert_eq!(sign.len(), 344); // 256 bytes in base64
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without fields, for a field with a line break or another control character, and for a package
    /// `prepay_id=…` without a real id. [`Error::Key`] if the key or the signer cannot sign.
    pub fn pay_sign(&self, fields: &[&str]) -> Deferred<String> {
        let context = Arc::clone(&self.context.v3);
        let fields: Vec<_> = fields.iter().map(|field| (*field).to_owned()).collect();
        Deferred::new(async move {
            let fields: Vec<_> = fields.iter().map(String::as_str).collect();
            sign_fields(&context, &fields).await
        })
    }

    /// The signature, in base64, of `message` as it is (RSASSA-PKCS1-v1_5, SHA-256), for messages that you build yourself.
    /// Every line of the platform's messages ends with a line feed, the last one too.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// assert_eq!(wx.sign("a\nb\n").wait()?, wx.pay_sign(&["a", "b"]).wait()?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Key`] if the key or the signer cannot sign, [`Error::Transport`] if a signer does not sign within the
    /// client's timeout.
    pub fn sign(&self, message: impl Into<Vec<u8>>) -> Deferred<String> {
        let (context, message) = (Arc::clone(&self.context.v3), message.into());
        Deferred::new(async move { sign_message(&context, message).await })
    }
}

/// A timestamp and a nonce.
fn time_and_nonce(context: &Context) -> Result<(String, String), Error> {
    Ok((context.clock.unix_seconds().to_string(), nonce()?))
}

async fn sign_fields(context: &Context, fields: &[&str]) -> Result<String, Error> {
    let refuse = |reason: String| Err(Error::config("pay_sign", reason));
    if fields.is_empty() {
        return refuse("needs at least one field".to_owned());
    }
    for field in fields {
        if field.contains(['\r', '\n']) {
            // The verifier would read a field of two lines as two fields.
            return refuse(format!("takes fields without line breaks; one is {}", Excerpt(field)));
        }
        if field.chars().any(char::is_control) {
            return refuse(format!("takes fields without control characters; one is {}", Excerpt(field)));
        }
        if let Some(id) = field.strip_prefix("prepay_id=") {
            check_prepay_id(id)?;
        }
    }
    sign_message(context, sign::pay_sign_message(fields)).await
}

/// The signature of `message`, within the client's timeout.
async fn sign_message(context: &Context, message: Vec<u8>) -> Result<String, Error> {
    let timeout = context.defaults.timeout;
    let signature = context.merchant.sign(message, None, &Deadline::after(timeout)).await?;
    signature.ok_or_else(|| no_signature(timeout))
}
