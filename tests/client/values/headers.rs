//! The headers of a notification, in every shape in which web frameworks hand them over.

use wechatpay_chain::{Error, Notification, VerifyReason, WeChatPay};

use crate::support::start_sandbox;

type Pairs = Vec<(String, Vec<u8>)>;

/// A client, and the headers and body of a genuine notification.
fn genuine() -> (WeChatPay, Pairs, Vec<u8>) {
    let sandbox = start_sandbox();
    let order = serde_json::json!({"out_trade_no": "P1"});
    let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &order).unwrap();
    let pairs = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
    (sandbox.client().unwrap(), pairs, body)
}

fn reason(result: Result<Notification, Error>) -> VerifyReason {
    match result {
        Err(Error::Verify(error)) => error.reason,
        other => panic!("not refused as unverified: {other:?}"),
    }
}

#[test]
fn every_spelling_of_a_name_is_understood() {
    let (wx, pairs, body) = genuine();
    type Spelling = (&'static str, fn(&str) -> String);
    let spellings: [Spelling; 9] = [
        ("lower case", str::to_lowercase),
        ("upper case", str::to_uppercase),
        ("CGI, PHP, Django", |name| format!("HTTP_{}", name.to_uppercase().replace('-', "_"))),
        ("CGI in lower case", |name| format!("http_{}", name.replace('-', "_"))),
        ("CGI with dashes", |name| format!("Http-{name}")),
        ("underscores", |name| name.replace('-', "_")),
        ("a colon after it", |name| format!("{name}:")),
        ("blanks around it", |name| format!(" {name}\t")),
        ("mixed", |name| name.replace('y', "Y")),
    ];
    for (what, spelling) in spellings {
        let headers: Pairs = pairs.iter().map(|(n, v)| (spelling(n), v.clone())).collect();
        let taken = wx.notification(headers, body.clone()).wait();
        assert!(taken.is_ok(), "{what}: {taken:?}");
    }
    // Blanks around a value do not belong to it.
    let padded: Pairs = pairs.iter().map(|(n, v)| (n.clone(), [b" \t", &v[..], b" "].concat())).collect();
    assert!(wx.notification(padded, body.clone()).wait().is_ok());
    // Similar names are other headers.
    for (from, to) in
        [("nonce", "nonces"), ("wechatpay", "x-wechatpay"), ("wechatpay", "http_http_wechatpay")]
    {
        let headers: Pairs =
            pairs.iter().map(|(n, v)| (n.to_lowercase().replace(from, to), v.clone())).collect();
        let reason = reason(wx.notification(headers, body.clone()).wait());
        assert!(matches!(reason, VerifyReason::MissingHeader { .. }), "{to}: {reason:?}");
    }
}

#[test]
fn a_list_of_headers_has_no_limit() {
    let (wx, pairs, body) = genuine();
    let others = |count: usize| (0..count).map(|n| (format!("x-{n}"), b"1".to_vec()));
    let many: Pairs = others(40_000).chain(pairs.clone()).chain(others(40_000)).collect();
    assert!(wx.notification(many, body.clone()).wait().is_ok());
    // Of one name; names that are none; values that are none.
    let same = vec![("x".to_owned(), b"\r\n".to_vec()); 40_000];
    let odd = (0..40_000).map(|n| ("\u{0}é: \n".repeat(n % 3), vec![0xff, 0]));
    let many: Pairs = same.into_iter().chain(odd).chain(pairs.clone()).collect();
    assert!(wx.notification(many, body.clone()).wait().is_ok());
    // A duplicate is seen wherever it is.
    let mut many: Pairs = others(40_000).collect();
    many.extend(pairs.clone());
    many.extend(others(40_000));
    many.extend(vec![("WECHATPAY-nonce".to_owned(), b"x".to_vec()); 40_000]);
    let duplicate = VerifyReason::DuplicateHeader { header: "Wechatpay-Nonce" };
    assert_eq!(reason(wx.notification(many, body).wait()), duplicate);
}

#[test]
fn a_value_that_http_does_not_allow_is_present_all_the_same() {
    let (wx, pairs, body) = genuine();
    for header in ["Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature", "Wechatpay-Timestamp"] {
        let own = pairs.iter().find(|(n, _)| n.eq_ignore_ascii_case(header)).unwrap().1.clone();
        for value in
            [[&own[..], b"\n"].concat(), [&own[..], b"\r\n"].concat(), b"a\0b".to_vec(), b"\x7f".to_vec()]
        {
            for name in [header.to_owned(), format!("HTTP_{}", header.to_uppercase().replace('-', "_"))] {
                let extra = (name, value.clone());
                // Beside the genuine one, before or after it, it is a duplicate; instead of it, malformed.
                let after: Pairs = pairs.iter().cloned().chain([extra.clone()]).collect();
                let before: Pairs = [extra.clone()].into_iter().chain(pairs.clone()).collect();
                for headers in [after, before] {
                    let reason = reason(wx.notification(headers, body.clone()).wait());
                    assert!(matches!(reason, VerifyReason::DuplicateHeader { header: h } if h == header));
                }
                let others = pairs.iter().filter(|(n, _)| !n.eq_ignore_ascii_case(header)).cloned();
                let reason = reason(wx.notification(others.chain([extra]), body.clone()).wait());
                assert!(matches!(reason, VerifyReason::MalformedHeader { header: h, .. } if h == header));
            }
        }
    }
}
