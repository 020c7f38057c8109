//! Pay-sign: what a client app needs to open the cashier (PROTOCOL, Pay-sign).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Inner, WeChatPay};
use crate::error::Error;
use crate::runtime::deferred::Deferred;
use crate::v3::sign;

impl WeChatPay {
    /// The parameters with which a JSAPI page or a mini program opens the cashier: `appId timeStamp nonceStr package
    /// signType paySign`, all strings, to be handed to the app as they are.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let params = wx.jsapi_params("wx2421b1c4370ec43b", "wx201410272009395522657a690389285100").wait()?;
    /// assert_eq!(params["package"], "prepay_id=wx201410272009395522657a690389285100");
    /// assert_eq!(params["signType"], "RSA");
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a value with a line break, [`Error::Key`] when the key or the signer does not sign.
    pub fn jsapi_params(&self, appid: impl Into<String>, prepay_id: impl AsRef<str>) -> Deferred<Value> {
        let (inner, appid) = (Arc::clone(&self.inner), appid.into());
        let package = format!("prepay_id={}", prepay_id.as_ref());
        Deferred::new(async move {
            let (time, nonce) = stamp(&inner)?;
            let sign = lines(&inner, &[&appid, &time, &nonce, &package]).await?;
            Ok(json!({
                "appId": appid, "timeStamp": time, "nonceStr": nonce, "package": package, "signType": "RSA",
                "paySign": sign,
            }))
        })
    }

    /// The parameters with which an app opens the cashier: `appid partnerid prepayid package noncestr timestamp sign`.
    /// `partnerid` is this client's mchid; a service provider puts the sub-merchant's in its place, which the signature
    /// does not cover.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let mut params = wx.app_params("wx8888888888888888", "WX1217752501201407033233368018").wait()?;
    /// assert_eq!((&params["package"], &params["partnerid"]), (&"Sign=WXPay".into(), &wx.mchid().into()));
    /// params["partnerid"] = "1230000109".into(); // a sub-merchant's
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`jsapi_params`](Self::jsapi_params).
    pub fn app_params(&self, appid: impl Into<String>, prepay_id: impl Into<String>) -> Deferred<Value> {
        let (inner, appid, prepay_id) = (Arc::clone(&self.inner), appid.into(), prepay_id.into());
        Deferred::new(async move {
            let (time, nonce) = stamp(&inner)?;
            let sign = lines(&inner, &[&appid, &time, &nonce, &prepay_id]).await?;
            Ok(json!({
                "appid": appid, "partnerid": inner.identity.mchid, "prepayid": prepay_id, "package": "Sign=WXPay",
                "noncestr": nonce, "timestamp": time, "sign": sign,
            }))
        })
    }

    /// The signature, in base64, of `fields` as lines, each ended by a line feed: for any other pay-sign of APIv3.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let (timestamp, nonce) = ("1700000000", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS");
    /// let sign = wx.pay_sign(&["wx2421b1c4370ec43b", timestamp, nonce, "prepay_id=wx2014"]).wait()?;
    /// assert_eq!(sign.len(), 344); // 256 bytes in base64
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`jsapi_params`](Self::jsapi_params).
    pub fn pay_sign(&self, fields: &[&str]) -> Deferred<String> {
        let inner = Arc::clone(&self.inner);
        let fields: Vec<_> = fields.iter().map(|field| (*field).to_owned()).collect();
        Deferred::new(async move {
            let fields: Vec<_> = fields.iter().map(String::as_str).collect();
            lines(&inner, &fields).await
        })
    }

    /// The signature, in base64, of `message` as it is (RSASSA-PKCS1-v1_5, SHA-256): for what is put together somewhere
    /// else. Every line of the platform's messages is ended by a line feed, the last one too.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// assert_eq!(wx.sign("a\nb\n").wait()?, wx.pay_sign(&["a", "b"]).wait()?);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Key`] when the key or the signer does not sign.
    pub fn sign(&self, message: impl Into<Vec<u8>>) -> Deferred<String> {
        let (inner, message) = (Arc::clone(&self.inner), message.into());
        Deferred::new(async move { inner.identity.sign(message).await })
    }
}

fn stamp(inner: &Inner) -> Result<(String, String), Error> {
    Ok((inner.clock.unix_seconds().to_string(), sign::nonce()?))
}

async fn lines(inner: &Inner, fields: &[&str]) -> Result<String, Error> {
    if let Some(field) = fields.iter().find(|field| field.contains('\n')) {
        // A field of two lines would be two fields to the one who verifies.
        return Err(Error::config("pay_sign", format!("takes fields without line breaks; one is {field:?}")));
    }
    inner.identity.sign(sign::lines(fields)).await
}
