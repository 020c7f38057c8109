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

/// The keys of the factory array, from the error that lists them.
pub(crate) fn factory_keys() -> Vec<String> {
    let error = WeChatPay::factory(serde_json::json!({"zzzzzzzzzzzz": 1})).unwrap_err().to_string();
    let list = error.split_once("(known: ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
    list.split(' ').map(str::to_owned).collect()
}

/// The variables that a client reads, from what it asks for.
pub(crate) fn variables() -> Vec<String> {
    let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let builder = WeChatPayBuilder::from_variables(|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    assert!(builder.is_ok() && asked.borrow().contains("WECHATPAY_MCHID"));
    asked.into_inner().into_iter().collect()
}
