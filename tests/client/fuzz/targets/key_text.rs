//! A key's text, in every place where a key may be.

use wechatpay_chain::WeChatPay;

use super::common::{MERCHANT_KEY, SERIAL, WX, builder};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.contains("file:") {
        return; // a file that is named is read, and fuzzing reads no files
    }
    let _ = builder("http://127.0.0.1:9/").private_key(text.as_ref()).build();
    let _ = builder("http://127.0.0.1:9/").passphrase("secret").private_key(text.as_ref()).build();
    let _ = builder("http://127.0.0.1:9/").merchant_certificate(text.as_ref()).build();
    let _ = WeChatPay::builder()
        .mchid("1900000109")
        .serial("3775B6A45ACD588826D15E583A95F5DD12345678")
        .private_key(MERCHANT_KEY)
        .platform_key(SERIAL, text.as_ref())
        .build();
    let _ = WX.add_platform_key("PUB_KEY_ID_0119000001092024010100000000000001", text.as_ref());
    let _ = WX.remove_platform_key("PUB_KEY_ID_0119000001092024010100000000000001");
    let _ = WX.decrypt(&text);
}
