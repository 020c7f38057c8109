//! A client with the keys in `tests/keys`.

use wechatpay_chain::{WeChatPay, WeChatPayBuilder};

use super::{MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, key};

pub(crate) const APIV3_KEY: &str = "0123456789abcdef0123456789ABCDEF";

/// A complete builder; the platform is its certificate.
pub(crate) fn builder(base: &str) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .platform_key(PLATFORM_SERIAL, key("platform_cert.pem"))
        .apiv3_key(APIV3_KEY)
        .base_url(base)
}

pub(crate) fn client(base: &str) -> WeChatPay {
    builder(base).build().unwrap()
}
