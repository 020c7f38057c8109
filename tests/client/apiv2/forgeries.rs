//! Changed XML: none is accepted with another meaning.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use wechatpay_chain::{Error, WeChatPay};

use super::{SECRET, builder, signed_xml};

const FIELDS: [(&str, &str); 4] =
    [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("out_trade_no", "P1"), ("total_fee", "100")];

fn genuine() -> String {
    signed_xml(&FIELDS, SECRET)
}

/// Made once: a client has connection pools and a TLS configuration.
fn client() -> &'static WeChatPay {
    static CLIENT: LazyLock<WeChatPay> =
        LazyLock::new(|| builder("https://api.mch.weixin.qq.com/").build().unwrap());
    &CLIENT
}

/// What is accepted must say what was signed.
fn check(wx: &WeChatPay, body: &[u8]) {
    let Ok(notification) = wx.notification_v2(body) else { return };
    let Value::Object(mut fields) = notification.resource else { panic!("no map") };
    fields.remove("sign");
    fields.retain(|_, value| value != "");
    let expected = FIELDS.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
    assert_eq!(fields, expected, "{}", String::from_utf8_lossy(body));
}

#[test]
fn known_tricks() {
    let wx = client();
    let body = genuine();
    check(wx, body.as_bytes());
    assert!(wx.notification_v2(&body).is_ok());
    let fee = "<total_fee><![CDATA[100]]></total_fee>";
    assert!(body.contains(fee));
    let replaced = |new: &str| body.replace(fee, new);
    let refused = [
        // Twice, in either order, also hidden in another element or name space.
        replaced(&format!("{fee}<total_fee>1</total_fee>")),
        replaced(&format!("<total_fee>1</total_fee>{fee}")),
        replaced(&format!("<a>{fee}</a>")),
        replaced("<x:total_fee xmlns:x=\"urn:x\">1</x:total_fee>"),
        replaced(&format!("{fee}<x:total_fee xmlns:x=\"urn:x\">1</x:total_fee>")),
        body.replace("<xml>", "<xml xmlns=\"urn:x\">"),
        replaced("<total_fee><b/>100</total_fee>"),
        replaced("<total_fee>100<b>1</b></total_fee>"),
        // Entities, DTDs, other encodings.
        format!("<!DOCTYPE xml [<!ENTITY e \"100\">]>{}", replaced("<total_fee>&e;</total_fee>")),
        format!("<!DOCTYPE xml SYSTEM \"file:///etc/passwd\">{body}"),
        replaced("<total_fee>&nbsp;100</total_fee>"),
        replaced("<total_fee>100&#0;</total_fee>"),
        replaced("<total_fee>100&#xd800;</total_fee>"),
        format!("<?xml version=\"1.0\" encoding=\"GBK\"?>{body}"),
        // Another document, text around it.
        format!("{body}{body}"),
        format!("{body}<xml/>"),
        format!("x{body}"),
        format!("{body}x"),
        body[..body.len() - 1].to_owned(),
        body.replace("<xml>", "<xml a=\"1\">"),
        body.replace("</xml>", "<extra>1</extra></xml>"),
    ];
    for body in refused {
        assert!(wx.notification_v2(&body).is_err(), "{body}");
    }
    // The same text, written in another way.
    for same in [
        replaced("<total_fee>100</total_fee>"),
        replaced("<total_fee>1<![CDATA[0]]>0</total_fee>"),
        replaced("<total_fee>1&#48;&#x30;</total_fee>"),
        replaced("<total_fee>1<!-- 9 -->00</total_fee>"),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n<!-- end -->"),
        body.replace("</xml>", "<empty></empty><none/></xml>"),
    ] {
        assert!(wx.notification_v2(&same).is_ok(), "{same}");
        check(wx, same.as_bytes());
    }
}

#[test]
fn bombs_are_bounded() {
    let wx = client();
    let deep = |depth: usize| format!("<xml>{}{}</xml>", "<a>".repeat(depth), "</a>".repeat(depth));
    for body in [
        deep(20),
        deep(1_000_000),
        "<a>".repeat(1_000_000),
        format!("<xml>{}</xml>", "<a/>".repeat(2_000_000)),
    ] {
        assert!(matches!(wx.notification_v2(&body), Err(Error::Decode(_))), "{}", &body[..20]);
    }
    let attributes = format!("<xml {}/>", (0..20_000).map(|n| format!("a{n}=\"1\" ")).collect::<String>());
    assert!(wx.notification_v2(&attributes).is_err());
    let long = format!("<xml><a>{}</a></xml>", "&amp;".repeat(500_000));
    assert!(matches!(wx.notification_v2(&long), Err(Error::Verify(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn changed_bytes(at in any::<prop::sample::Index>(), kind in 0..4_u8, byte in any::<u8>(), piece in "[<>/&;!\\[\\]CDATA a-z0-9=\"]{0,12}") {
        let wx = client();
        let mut body = genuine().into_bytes();
        let at = at.index(body.len());
        match kind {
            0 => body[at] = byte,
            1 => drop(body.remove(at)),
            2 => drop(body.splice(at..at, piece.bytes())),
            _ => {
                let piece: Vec<u8> = body[at..(at + 30).min(body.len())].to_vec();
                body.splice(at..at, piece);
            }
        }
        check(wx, &body);
    }
}
