//! APIv2 beside the calls: notifications, the signatures of front ends, the helpers of PHP's SDK.

use serde_json::{Map, Value, json};

use super::WeChatPay;
use super::notification::{Notification, Reply};
use super::pay_sign::PrepayId;
use crate::crypto::random::nonce;
use crate::error::{DecodeError, Error, VerifyError, VerifyReason, VerifySubject};
use crate::v2::notification::Refusal;
use crate::v2::sign::{self, SignType};
use crate::v2::{notification, xml};

impl WeChatPay {
    /// Verifies a notification of APIv2 with the APIv2 key, and opens what is encrypted in it: `req_info` of a refund, and
    /// `event_ciphertext`, which needs the APIv3 key. [`Notification::resource`] is the whole XML as a map of texts, with
    /// these two as maps. Only notifications with an `event_id` have an [`id`](Notification::id); tell repetitions of the
    /// others by their numbers.
    ///
    /// Reply with [`Notification::accept`] or [`reject`](Notification::reject), in XML. The result of a refund is not
    /// signed, and what encrypts it does not protect it against changes: query the refund before you act on it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use wechatpay_chain::WeChatPay;
    /// let wx = WeChatPay::builder().mchid("10000100").apiv2_key("192006250b4c09247ec02edce69f6a2d").build()?;
    /// let body = "<xml><appid>wxd930ea5d5a258f4f</appid><body>test</body><device_info>1000</device_info><mch_id>10000100</mch_id>
    ///     <nonce_str>ibuaiVcKdpRxkhJA</nonce_str><sign>9A0A8659F005D6984697E2CA0A9CF3B7</sign></xml>";
    /// let notification = wx.notification_v2(body)?;
    /// assert_eq!(notification.resource["body"], "test");
    /// assert!(notification.accept().body().contains("<return_code>SUCCESS</return_code>"));
    /// assert!(wx.notification_v2(body.replace("test", "tent")).is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv2 key, or without the APIv3 key where it is needed; [`Error::Verify`] without a
    /// valid `sign`; [`Error::Decode`] if it is not XML; [`Error::Decrypt`] if a part cannot be decrypted.
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn notification_v2(&self, body: impl AsRef<[u8]>) -> Result<Notification, Error> {
        let named = |error| self.context.v3.defaults.names.rename(error);
        let secret = self.context.v2.secret().map_err(named)?;
        let fields = notification::open(body.as_ref(), secret, self.context.v3.apiv3_key.as_ref());
        fields.map(of_fields).map_err(|refusal| named(refused(refusal)))
    }

    /// The parameters with which a JSAPI page or a mini program opens the cashier for an order of `v2/pay/unifiedorder`:
    /// `appId timeStamp nonceStr package signType paySign`, all strings. `sign_type` is that of the order.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay_chain::{WeChatPay, apiv2::SignType};
    ///
    /// let wx = WeChatPay::builder().mchid("10000100").apiv2_key("192006250b4c09247ec02edce69f6a2d").build()?;
    /// let params = wx.v2_jsapi_params("wxd930ea5d5a258f4f", "wx201410272009395522657a690389285100", SignType::Md5)?;
    /// assert_eq!(params["signType"], "MD5");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv2 key, or if a value cannot be an appid or a prepay_id.
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn v2_jsapi_params(
        &self,
        appid: impl Into<String>,
        prepay_id: impl Into<PrepayId>,
        sign_type: SignType,
    ) -> Result<Value, Error> {
        let (appid, prepay_id) = (appid.into(), prepay_id.into());
        super::pay_sign::check_appid(&appid)?;
        let params = json!({
            "appId": appid,
            "timeStamp": self.context.v3.clock.unix_seconds().to_string(),
            "nonceStr": nonce()?,
            "package": format!("prepay_id={}", prepay_id.check()?),
            "signType": sign_type.as_str(),
        });
        self.with_signature(params, sign_type, "paySign")
    }

    /// The parameters with which an app opens the cashier for an order of `v2/pay/unifiedorder`: `appid partnerid prepayid
    /// package noncestr timestamp sign`. `partnerid` is this client's mchid; for an order of a service provider, sign the
    /// sub-merchant's with [`v2_sign`](Self::v2_sign).
    ///
    /// # Errors
    /// As [`v2_jsapi_params`](Self::v2_jsapi_params).
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn v2_app_params(
        &self,
        appid: impl Into<String>,
        prepay_id: impl Into<PrepayId>,
        sign_type: SignType,
    ) -> Result<Value, Error> {
        let (appid, prepay_id) = (appid.into(), prepay_id.into());
        super::pay_sign::check_appid(&appid)?;
        let params = json!({
            "appid": appid,
            "partnerid": self.mchid(),
            "prepayid": prepay_id.check()?,
            "package": "Sign=WXPay",
            "noncestr": nonce()?,
            "timestamp": self.context.v3.clock.unix_seconds().to_string(),
        });
        self.with_signature(params, sign_type, "sign")
    }

    /// The signature of APIv2 over the fields of an object, as PHP's `Hash::sign` over
    /// `Formatter::queryStringLike(Formatter::ksort($fields))`: for any other front end (payscore, coupons, red packets of
    /// mini programs). Empty values and a field `sign` are left out.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use serde_json::json;
    /// use wechatpay_chain::{WeChatPay, apiv2::SignType};
    ///
    /// let wx = WeChatPay::builder().mchid("10000100").apiv2_key("192006250b4c09247ec02edce69f6a2d").build()?;
    /// let fields = json!({"appid": "wxd930ea5d5a258f4f", "mch_id": 10000100, "device_info": 1000, "body": "test",
    ///     "nonce_str": "ibuaiVcKdpRxkhJA"});
    /// assert_eq!(wx.v2_sign(&fields, SignType::Md5)?, "9A0A8659F005D6984697E2CA0A9CF3B7");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv2 key, and for anything but an object.
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn v2_sign(&self, fields: &Value, sign_type: SignType) -> Result<String, Error> {
        let named = |error| self.context.v3.defaults.names.rename(error);
        let secret = self.context.v2.secret().map_err(named)?;
        let Some(fields) = fields.as_object() else {
            let found = crate::error::kind_of(fields);
            return Err(Error::config("v2_sign", format!("takes an object; it is {found}")));
        };
        let texts: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), sign::text_of(value))).collect();
        let message = sign::message(texts.iter().map(|(name, text)| (*name, text.as_str())));
        Ok(sign::sign(&message, secret, sign_type))
    }

    fn with_signature(&self, mut params: Value, sign_type: SignType, name: &str) -> Result<Value, Error> {
        params[name] = self.v2_sign(&params, sign_type)?.into();
        Ok(params)
    }
}

fn of_fields(fields: Map<String, Value>) -> Notification {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Notification {
        id: text("event_id"),
        event_type: text("event_type"),
        create_time: text("event_create_time"),
        resource_type: String::new(),
        summary: String::new(),
        original_type: String::new(),
        resource: Value::Object(fields),
        xml: true,
    }
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::NotXml(error) => Error::Decode(Box::new(DecodeError {
            what: format!("the body is not a notification of APIv2: {error}"),
            request_id: None,
            source: None,
            headers: None,
        })),
        Refusal::Verify(reason) => failure(reason),
        Refusal::Decrypt(field, why) => {
            Error::Decrypt(format!("`{field}` of the notification: {why}").into())
        }
        Refusal::NoApiv3Key => Error::config("apiv3_key", "is missing: it decrypts `event_ciphertext`"),
    }
}

fn failure(reason: VerifyReason) -> Error {
    Error::Verify(Box::new(VerifyError {
        reason,
        subject: VerifySubject::Notification,
        status: None,
        request_id: None,
        claimed_code: None,
        claimed_message: None,
        signed_by: None,
    }))
}

impl Reply {
    /// 200 with `<xml><return_code>FAIL</return_code>…</xml>`: the reply to a notification of APIv2 that could not be
    /// verified. The platform sends it again.
    ///
    /// ```
    /// let reply = wechatpay_chain::notification::Reply::reject_v2("no order");
    /// assert_eq!(reply.body(), "<xml><return_code>FAIL</return_code><return_msg>no order</return_msg></xml>");
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn reject_v2(message: &str) -> Reply {
        // XML cannot carry most control characters.
        let message: String = message.chars().filter(|c| xml::is_xml_char(*c)).collect();
        Reply::xml("FAIL", &message)
    }

    pub(super) fn xml(code: &str, message: &str) -> Reply {
        let body = xml::write(xml::ROOT, [("return_code", code), ("return_msg", message)]);
        Reply { status: 200, body: String::from_utf8_lossy(&body).into_owned() }
    }
}
