//! The settings of a client that only prepares requests, for `--check`: it neither signs nor sends.

use wechatpay_chain::signer::{SignFuture, Signer};

use super::variables;

pub(super) const SETTINGS: [(&str, &str); 4] = [
    (variables::MCHID, "1900000109"),
    (variables::SERIAL, "1"),
    (variables::PUBLIC_KEY_ID, "PUB_KEY_ID_1"),
    (variables::PUBLIC_KEY, PUBLIC_KEY),
];

/// Fields to be encrypted need some key. Nobody has the private one, which was never written down.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArxYcMS8me8YcpNkXBmPw
Zok1lc40ExZDpXnNjg2OKx+suy16RUeUod6evGR1X68e12dsNmEk0yihhEXi6Nry
O0icHGKmr9PScPDLgYqN6FSQjUTaAokfNihAARjmTdg1JLENNq2d0YMSQAapdUTv
fkIFTT8llzD5FGNaQdSv0hcEvWhMsCKD1YzkN14bXDwb6mbonq6JIxcDxxLNr0cI
VmoKWDzmU06FS7Yi2aYij951Fr2HPJUaRzxmpY3s8CPQtC7UanNJ5rAQMHyW11p7
pmnnwaJeMdenRgdivcOMV5nBWqnxPUHtMRmVDB33vfrRxHUdXeVDI7iwVXBrgQ3Q
PwIDAQAB
-----END PUBLIC KEY-----
";

/// Refuses to sign.
pub(super) struct Nobody;

impl Signer for Nobody {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        Box::pin(async { Err("a check signs nothing".into()) })
    }
}
