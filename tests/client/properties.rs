//! Any value arrives unchanged and correctly signed, and no input from outside causes a panic.

use std::sync::LazyLock;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Map, Value};
use wechatpay_chain::WeChatPay;

use crate::support::{self, Recorder, raw, signed};

static RECORDER: LazyLock<Recorder> = LazyLock::new(Recorder::no_content);
static WX: LazyLock<WeChatPay> = LazyLock::new(|| support::client(&RECORDER.base));
/// One exchange at a time, so that what the listener saw is what was just sent.
static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn signature_holds(seen: &support::Recorded) -> bool {
    static KEY: LazyLock<ParsedPublicKey> = LazyLock::new(|| {
        let pem = pem::parse(support::key("merchant_pub.pem")).unwrap();
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pem.contents()).unwrap()
    });
    let signature = base64::engine::general_purpose::STANDARD.decode(seen.auth("signature")).unwrap();
    KEY.verify_sig(&seen.expected_message(), &signature).is_ok()
}

/// Any text, with the awkward characters more often than chance has them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-'/%+&?#={}. \\\\\"a-zA-Z0-9粤😀\u{0}\n]{0,12}",
        "(%[0-9A-Fa-f]{2}|[.]{1,2}|/){1,4}"
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>()))
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_variable_arrives_whole(value in text()) {
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let request = WX["v3/{value}/x"].get().var("value", value.as_str());
        if matches!(value.as_str(), "." | "..") {
            prop_assert!(request.prepare().is_err());
            return Ok(());
        }
        prop_assert_eq!(request.wait().unwrap().status(), 204);
        let seen = RECORDER.take();
        let segment = seen.target.strip_prefix("/v3/").unwrap().strip_suffix("/x").unwrap();
        prop_assert!(!segment.contains(['/', '?', '#']));
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().unwrap();
        prop_assert_eq!(decoded, value);
        prop_assert!(signature_holds(&seen));
    }

    #[test]
    fn a_query_arrives_whole(pairs in proptest::collection::vec((text(), text()), 0..5)) {
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let object: Map<_, _> = pairs.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
        let expected: Vec<_> = object.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned())).collect();
        prop_assert_eq!(WX["v3/x"].get().query(Value::Object(object)).wait().unwrap().status(), 204);
        let seen = RECORDER.take();
        let query = seen.target.split_once('?').map_or("", |(_, q)| q);
        prop_assert!(!query.contains(['+', '#']));
        let decoded: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        prop_assert_eq!(decoded, expected);
        prop_assert!(signature_holds(&seen));
    }

    #[test]
    fn a_body_arrives_whole(body in json_value()) {
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        prop_assert_eq!(WX["v3/x"].post(body.clone()).wait().unwrap().status(), 204);
        let seen = RECORDER.take();
        let decoded = if seen.body.is_empty() { Value::Null } else { serde_json::from_slice(&seen.body).unwrap() };
        prop_assert_eq!(decoded, body);
        prop_assert!(signature_holds(&seen));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any path, any value: an error, or a target without surprises.
    #[test]
    fn no_path_makes_a_panic(path in text(), segment in text(), template in "[{}+#./;?&,:*a-c0-9_%中]{0,16}", value in json_value()) {
        let chains = [WX.chain(&path), WX.seg(&segment), WX[path.as_str()][segment.as_str()].clone(), WX.chain("v3").chain(&template)];
        for chain in chains {
            let _ = chain.path();
            let _ = chain.get().prepare();
            let vars = ["a", "b", "c", "ab"].into_iter().filter(|v| template.contains(v));
            let request = vars.fold(chain.get(), |request, name| request.var(name, value.clone()));
            if let Ok(prepared) = request.prepare() {
                let target = prepared.target();
                prop_assert!(target.starts_with('/') && target.bytes().all(|b| b.is_ascii_graphic()), "{target}");
                let path = target.split('?').next().unwrap();
                prop_assert!(!path.split('/').any(|s| matches!(s.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")), "{target}");
                let line = format!("GET\n{target}\n");
                prop_assert!(prepared.message().starts_with(&line));
            }
        }
    }

    #[test]
    fn no_option_makes_a_panic(key in prop_oneof![text(), "(json|query|headers|xml|body|base_uri|timeout|security|params|data|sink|a)"], value in json_value()) {
        let options = Value::Object([(key, value.clone())].into_iter().collect());
        let _ = WX["v3/{a}"].post(Value::Null).options(options).prepare();
        let _ = WX["v3/x"].get().options(value.clone()).prepare();
        let _ = WeChatPay::factory(value);
    }

    /// Any response headers: an error, since none of them is signed.
    #[test]
    fn no_response_header_is_trusted(
        values in proptest::array::uniform4(prop_oneof![any::<Vec<u8>>(), "[0-9]{0,22}".prop_map(String::into_bytes), "[A-Za-z0-9+/=]{0,400}".prop_map(String::into_bytes), Just(support::PLATFORM_SERIAL.as_bytes().to_vec())]),
        body in any::<Vec<u8>>(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"].into_iter().zip(values) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        headers.insert("wechatpay-serial", HeaderValue::from_static(support::PLATFORM_SERIAL));
        prop_assert!(WX.verify(&headers, &body).is_err());
        headers.insert("wechatpay-timestamp", support::now().into());
        prop_assert!(WX.verify(&headers, &body).is_err());
    }
}

/// Prefixes of a key's text, and files whose bytes are damaged below.
const FORMS: &[&str] = &[
    "",
    "file://",
    "private.pkcs8://",
    "private.pkcs1://",
    "public.spki://",
    "public.pkcs1://",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
];
const FILES: &[&str] = &[
    "merchant_key.pem",
    "merchant_key.pkcs1.pem",
    "merchant_key.aes128sha1.pem",
    "merchant_key.scrypt.pem",
    "merchant_key.pbes1.pem",
    "merchant_cert.pem",
    "platform_pub.pem",
    "merchant.p12",
    "merchant.legacy.p12",
    "merchant.nomac.p12",
    "merchant.plain.p12",
];

/// Every way to pass a key, with whatever is in `text`.
fn try_every_source(text: &str) {
    let builder = || support::builder("https://example.com/").passphrase("secret");
    let _ = builder().private_key(text).build();
    let _ = builder().platform_key("PUB_KEY_ID_1", text).build();
    let _ = builder().merchant_certificate(text).build();
    #[cfg(feature = "p12")]
    let _ = builder().private_key("").p12(text, support::MCHID).build();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_key_text_makes_a_panic(
        form in proptest::sample::select(FORMS),
        text in text(),
        name in proptest::sample::select(FILES),
        cut in 0usize..2600,
        insert in any::<u8>(),
        base64 in "[A-Za-z0-9+/]{0,80}={0,2}",
    ) {
        try_every_source(&format!("{form}{text}"));
        try_every_source(&format!("{form}{base64}"));
        let mut damaged = std::fs::read(support::key_path(name)).unwrap();
        damaged.truncate(cut);
        damaged.push(insert);
        try_every_source(&String::from_utf8_lossy(&damaged));
    }

    /// One byte of the DER is changed: in a file, after a scheme, in a PKCS#12 with and without a MAC. Mostly near
    /// the beginning, where the structure and its parameters are.
    #[test]
    fn no_damaged_key_file_makes_a_panic(
        name in proptest::sample::select(FILES),
        at in prop_oneof![0usize..140, 0usize..2600],
        byte in any::<u8>(),
    ) {
        let mut der = std::fs::read(support::key_path(name)).unwrap();
        if name.ends_with(".pem") {
            der = pem::parse(&der).unwrap().into_contents();
        }
        let at = at % der.len();
        der[at] = byte;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &der).unwrap();
        try_every_source(&format!("file://{}", file.path().display()));
        let base64 = base64::engine::general_purpose::STANDARD.encode(&der);
        for form in FORMS {
            let _ = support::builder("https://example.com/").private_key(format!("{form}{base64}")).build();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes instead of an HTTP response, and any body with a valid signature.
    #[test]
    fn no_response_makes_a_panic(garbage in any::<Vec<u8>>(), body in any::<Vec<u8>>(), status in 200u16..600) {
        let (bad, good) = (garbage.clone(), body.clone());
        let recorder = Recorder::start(move |seen| match seen.target.as_str() {
            "/v3/garbage" => [b"HTTP/1.1 200 OK\r\n".as_slice(), &bad].concat(),
            "/v3/status" => raw(&format!("{status} X"), &[("Content-Type", "application/json")], &good),
            _ => signed("200 OK", &[], &good),
        });
        let wx = support::builder(&recorder.base).timeout(std::time::Duration::from_millis(100)).build().unwrap();
        prop_assert!(wx["v3/garbage"].get_sync().is_err());
        prop_assert!(wx["v3/status"].get_sync().is_err());
        let response = wx["v3/signed"].get().timeout(std::time::Duration::from_secs(10)).wait().unwrap();
        prop_assert_eq!(response.bytes().as_ref(), body.as_slice());
        let _ = (response.data(), response.text().is_ok(), response.deserialize::<Vec<u8>>().is_ok());
    }
}

#[cfg(feature = "sandbox")]
mod sandbox {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use wechatpay_chain::sandbox::Sandbox;

    use super::*;
    use crate::support::start_sandbox;

    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(start_sandbox);

    /// The status of the response to a raw request.
    fn status(request: &[u8]) -> Option<u16> {
        let address = SANDBOX.base_url().trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        stream.write_all(request).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).ok()?;
        std::str::from_utf8(&head[9..]).ok()?.parse().ok()
    }

    /// A correctly signed Authorization header for `GET /v3/certificates`.
    fn right() -> String {
        let prepared = SANDBOX.client().unwrap()["v3/certificates"].get().prepare().unwrap();
        prepared.authorization().wait().unwrap().unwrap().to_str().unwrap().to_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any Authorization header, and any change to a correct one, is refused, without a crash.
        #[test]
        fn no_authorization_but_the_right_one_is_accepted(
            garbage in "[ -~]{0,80}",
            field in "(WECHATPAY2-SHA256-RSA2048 )?((mchid|serial_no|timestamp|nonce_str|signature)=\"?[ -~]{0,20}\"?,?){0,7}",
            at in 0usize..500,
            byte in b' '..=b'~',
        ) {
            let mut changed = right().into_bytes();
            let at = at % changed.len();
            let serial = changed.windows(11).position(|window| window == b"serial_no=\"").unwrap() + 11;
            // Letter case does not change a serial.
            let same = changed[at] == byte
                || (serial..serial + 40).contains(&at) && changed[at].eq_ignore_ascii_case(&byte);
            changed[at] = byte;
            for (header, accepted) in [(garbage.into_bytes(), false), (field.into_bytes(), false), (changed, same)] {
                let request = [b"GET /v3/certificates HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nUser-Agent: x\r\nAuthorization: ".as_slice(), &header, b"\r\n\r\n"].concat();
                let expected = if accepted { Some(200) } else { Some(401) };
                prop_assert_eq!(status(&request), expected, "{}", String::from_utf8_lossy(&header));
            }
        }
    }
}
