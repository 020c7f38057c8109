//! The public client, for the merchant of the sandbox.

use crate::sandbox::server::platform::Platform;
use crate::{WeChatPay, WeChatPayBuilder};

/// A client that trusts the platform's keys that are in service now. `is_local` is whether the base URL is a loopback
/// address.
pub(crate) fn builder(platform: &Platform, base_url: &str, is_local: bool) -> WeChatPayBuilder {
    let identity = &platform.identity;
    let builder = WeChatPay::builder()
        .mchid(&*identity.mchid)
        .serial(&*identity.merchant.serial)
        .private_key(&*identity.merchant.key.pem)
        .apiv3_key(&*identity.apiv3_key)
        .base_url(base_url);
    let builder = if is_local { builder } else { builder.allow_http() };
    let keys = platform.keyring.now();
    keys.all().fold(builder, |builder, key| builder.platform_key(key.serial(), key.pem()))
}
