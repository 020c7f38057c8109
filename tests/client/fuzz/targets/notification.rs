//! Headers, a blank line, a body. Only the genuine message of the seeds may be accepted.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::common::{WX, cut, header_lines};

const GENUINE: &[u8] = include_bytes!("../corpus/notification/genuine");

fn signed_parts(data: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let (head, body) = cut(data, b"\n\n");
    let headers = header_lines(head);
    let values = ["wechatpay-timestamp", "wechatpay-nonce"].map(|wanted| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    });
    (values.to_vec(), body)
}

pub(crate) fn run(data: &[u8]) {
    accepts(data);
}

/// Whether it is accepted as a notification.
pub(crate) fn accepts(data: &[u8]) -> bool {
    let (head, body) = cut(data, b"\n\n");
    let headers = header_lines(head);
    let is_genuine = signed_parts(data) == signed_parts(GENUINE);
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let notification = WX.notification(pairs, body.to_vec()).wait();
    assert!(notification.is_err() || is_genuine, "accepted: {:?}", String::from_utf8_lossy(data));
    let accepted = notification.is_ok();
    if let Ok(notification) = notification {
        assert_eq!(notification.resource["out_trade_no"], "P20261120001");
    }
    let mut map = HeaderMap::new();
    for (name, value) in &headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
            let _ = map.try_append(name, value);
        }
    }
    assert!(WX.verify(&map, body).is_err() || is_genuine, "verified: {:?}", String::from_utf8_lossy(data));
    accepted
}
