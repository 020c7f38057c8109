use super::key_text::{key_ranges, may_be_key};
use super::{Excerpt, Message, Sanitized};

const KEYS: [&str; 3] = [
    include_str!("../../tests/keys/merchant_key.pem"),
    include_str!("../../tests/keys/merchant_key.pkcs1.pem"),
    include_str!("../../tests/keys/merchant_key.encrypted.pem"),
];

fn base64(pem: &str) -> String {
    pem.lines().filter(|line| !line.contains("---")).collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether 16 characters of `key` in a row are in `text`.
fn shows(key: &str, text: &str) -> bool {
    let key: Vec<char> = key.chars().collect();
    key.windows(16).any(|piece| text.contains(&piece.iter().collect::<String>()))
}

#[test]
fn paths_words_and_ids_are_shown_whole() {
    for text in [
        "",
        "v3/payscore/partner/permissions/terminate",
        "v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        "v3/merchant-service/complaints-v2/{complaint_id}/complete",
        "/v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}",
        "https://api.mch.weixin.qq.com/v3/pay/transactions/native",
        "1900000109",
        "3775B6A45ACD588826D15E583A95F5DD12345678",
        "3775b6a45acd588826d15e583a95f5dd12345678",
        "PUB_KEY_ID_0114232134912410000000000000",
        "wxd678efh567hg6787",
        "wx26112221580621e9b071c00d9e093b0000",
        "prepay_id=wx201410272009395522657a690389285100",
        "1217752501201407033233368018",
        "P20261120A0001",
        "outTradeNo",
        "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "merchantServiceComplaintNotifications",
        "file:///etc/wxpay/apiclient_key.pem",
        "/etc/wechatpay/certs/wechatpay_3775B6A45ACD588826D15E583A95F5DD12345678.pem",
        "C:\\Users\\Administrator\\Documents\\WeChatPay\\apiclient_cert.p12",
        "file:///C:/Program Files/MyCompany/WeChatPay/Keys/API_V3/key.pem",
        "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/.tmpAb3XyZ/key.pem",
        "/home/u/Keys/2026-11-20T08:00:00Z/API-Key_V3.pem",
        "Wechatpay-Serial",
        "WECHATPAY2-SHA256-RSA2048",
        "AEAD_AES_256_GCM",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "/tmp/tmp.Fw1xN3RUfQ/KEYS/apiclient_key.pem",
        "/tmp/Fw1xN3RUfQ/Keys_2026/API.pem",
        "商户私钥.pem",
        "the answer is 42",
    ] {
        assert!(!may_be_key(text), "{text}");
        assert!(key_ranges(text).is_empty() || text.starts_with("oUpF"), "{text}");
        let shown = Excerpt(text).to_string();
        match text.chars().count() {
            ..=64 => assert_eq!(shown, format!("`{text}`")),
            _ => assert!(shown.chars().count() <= 66 && shown.contains('…'), "{shown}"),
        }
    }
    assert_eq!(Message("see `getBrandWCPayRequest`").to_string(), "see `getBrandWCPayRequest`");
    // The name of a file is at the end.
    let long = format!("/{}/apiclient_key.pem", "folder/".repeat(20));
    assert!(Excerpt(&long).to_string().ends_with("/apiclient_key.pem`"));
}

#[test]
fn no_wrapping_of_a_key_is_shown() {
    for pem in KEYS {
        let base64 = base64(pem);
        let half = &base64[300..900];
        let spaced: Vec<String> =
            base64.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
        let der = base64.as_bytes().iter().map(u8::to_string).collect::<Vec<_>>();
        let percent: String = base64.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let url = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        for wrapped in [
            pem.to_owned(),
            pem.replace('\n', " "),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\r\n"),
            serde_json::to_string(pem).unwrap(),
            serde_json::to_string(pem).unwrap().replace('/', "\\/"),
            pem.replace("-----", ""),
            format!("file://{pem}"),
            format!("file:///{base64}"),
            base64.clone(),
            base64.replace('+', "-").replace('/', "_"),
            half.to_owned(),
            half[..70].to_owned(),
            format!("\"{half}\""),
            format!("/etc/keys/{half}.pem"),
            spaced.join(" "),
            spaced.join(":"),
            spaced.join("\\n"),
            percent.clone(),
            percent.replace('%', "%25"),
            url.clone(),
            format!("private.pkcs8://{base64}"),
            format!("private_key={url}&x=1"),
            hex(&base64),
            hex(&base64).to_uppercase(),
            hex(half).as_bytes().chunks(2).map(|two| format!("{}:", String::from_utf8_lossy(two))).collect(),
            format!("[{}]", der.join(", ")),
            format!("0x{}", hex(&half[..30])),
            base64.replace('/', "\\u002f").replace('+', "\\u002b"),
        ] {
            assert!(may_be_key(&wrapped), "{wrapped}");
            let shown = Excerpt(&wrapped).to_string();
            assert!(shown.starts_with("a text of ") && !shown.contains(&wrapped[..8]), "{shown}");
        }
        for wrapped in
            [pem.to_owned(), base64.clone(), url, half.to_owned(), pem.replace('\n', "\\n"), hex(half)]
        {
            let message =
                Message(&format!("`{wrapped}` is not a path, but `v3/certificates` is")).to_string();
            assert!(!shows(&wrapped, &message), "{message}");
            assert!(message.ends_with("is not a path, but `v3/certificates` is"), "{message}");
        }
    }
}

/// In a message, the last guard: wherever a key is cut, a piece of it hardly ever shows 16 characters in a row. The shorter
/// it is, the more it resembles an id. (An excerpt judges the whole text: see above.)
#[test]
fn pieces_of_a_key_are_found() {
    let [mut pieces, mut missed] = [[0_usize; 4]; 2];
    for pem in KEYS {
        let base64 = base64(pem);
        for start in 0..base64.len() - 64 {
            for (at, length) in [16, 24, 32, 64].into_iter().enumerate() {
                let piece = &base64[start..start + length];
                let message = Message(&format!("the segment `{piece}` has capitals")).to_string();
                pieces[at] += 1;
                missed[at] += usize::from(shows(piece, &message));
            }
        }
    }
    assert!(pieces[0] > 3_000 && missed[0] * 6 < pieces[0], "{missed:?} of {pieces:?}");
    assert!(
        missed[1] * 100 < pieces[1] && missed[2..].iter().all(|missed| missed * 1_000 < pieces[2]),
        "{missed:?} of {pieces:?}"
    );
}

#[test]
fn control_characters_and_reordering_marks_are_escaped() {
    for bad in "\0\u{7}\u{8}\t\n\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{ad}\u{61c}\u{200b}\u{200e}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{e0041}".chars() {
        let text = format!("a{bad}b");
        for shown in [Excerpt(&text).to_string(), Message(&text).to_string(), format!("{:?}", Message(&text)), Sanitized(&text).to_string()] {
            assert!(!shown.contains(bad), "{shown:?}");
        }
    }
    // Joiners are part of emoji; other scripts stay as they are.
    assert_eq!(Sanitized("茶 👨‍👩‍👧 é \"q\" 'q' \\").to_string(), "茶 👨‍👩‍👧 é \"q\" 'q' \\");
}

#[test]
fn the_reason_of_the_json_parser_has_no_input_in_it() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Fields {
        id: u8,
        #[serde(default)]
        kind: Kind,
    }
    #[derive(Debug, Default, serde::Deserialize)]
    enum Kind {
        #[default]
        One,
        Two,
    }
    for (text, reason) in [
        (r#"{"id":"SECRET"}"#, "line 1, column 14: invalid type: expected u8"),
        ("{\n\"id\": 70000,}", "line 2, column 11: expected u8"),
        (r#"{"id":1,"SECRET":1}"#, "line 1, column 16: a field is unknown; expected `id` or `kind`"),
        (r#"{"id":1,"kind":"SECRET, expected SECRET"}"#, "line 1, column 40: expected `One` or `Two`"),
        (r#"{"kind":"One"}"#, "line 1, column 14: missing field `id`"),
        (r#"{"id":1,"id":1}"#, "line 1, column 12: duplicate field `id`"),
        (r#"{"id":1"#, "line 1, column 7: it ends too early"),
        (r#"{"id":1} SECRET"#, "line 1, column 10: trailing characters after the value"),
        (r#"{"id":SECRET}"#, "line 1, column 7: expected JSON"),
        (r#"{SECRET:1}"#, "line 1, column 2: expected a name in double quotes"),
        (r#"["SECRET"]"#, "line 1, column 9: invalid type: expected u8"),
    ] {
        let found = super::json_reason(&serde_json::from_str::<Fields>(text).unwrap_err());
        assert_eq!(found, reason, "{text}");
    }
}
