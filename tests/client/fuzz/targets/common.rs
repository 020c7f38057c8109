//! The client of all targets: the keys of `tests/keys`, a clock that stands still, a listener on this machine.

use std::sync::LazyLock;

use wechatpay_chain::{Clock, WeChatPay, WeChatPayBuilder};

pub(crate) const APIV3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(crate) const SERIAL: &str = "7132D72A03E93CDDF8C03BBD1F37EEDF87654321";
pub(crate) const MERCHANT_KEY: &str = include_str!("../../../keys/merchant_key.pem");
/// The time of the signatures in the seeds.
pub(crate) const NOW: u64 = 1_795_000_000;

struct StoppedClock;

impl Clock for StoppedClock {
    fn unix_seconds(&self) -> u64 {
        NOW
    }
}

pub(crate) fn builder(base: &str) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid("1900000109")
        .serial("3775B6A45ACD588826D15E583A95F5DD12345678")
        .private_key(MERCHANT_KEY)
        .platform_key(SERIAL, include_str!("../../../keys/platform_cert.pem"))
        .apiv3_key(APIV3_KEY)
        .base_url(base)
        .clock(StoppedClock)
}

/// A client that no target sends anything with.
pub(crate) static WX: LazyLock<WeChatPay> =
    LazyLock::new(|| builder("http://127.0.0.1:9/").build().expect("the keys of the tests"));

/// The text up to a separator, and the rest. Without the separator, the rest is empty.
pub(crate) fn cut<'a>(data: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match data.windows(separator.len()).position(|window| window == separator) {
        Some(at) => (&data[..at], &data[at + separator.len()..]),
        None => (data, &[]),
    }
}

/// Lines of `name: value`.
pub(crate) fn header_lines(head: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = head.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = cut(line, b":");
            (String::from_utf8_lossy(name).into_owned(), value.trim_ascii().to_vec())
        })
        .collect()
}
