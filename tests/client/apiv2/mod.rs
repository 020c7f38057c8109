//! APIv2: recorded calls of both SDKs, responses, notifications, certificates of clients.

mod calls;
mod certificates;
mod forgeries;
mod notifications;
mod responses;

use wechatpay_chain::{WeChatPay, WeChatPayBuilder};

use crate::support::{APIV2_KEY, elements, hmac_sign, signed_xml};

/// The platform's documented example: its key, and its merchant.
pub(crate) const SECRET: &str = APIV2_KEY;
pub(crate) const MCHID: &str = "10000100";

/// A client of APIv2 alone.
fn builder(base: &str) -> WeChatPayBuilder {
    WeChatPay::builder().mchid(MCHID).apiv2_key(SECRET).base_url(base)
}
