//! Wrong signatures with several mistakes, and those that are wrong themselves, made with `openssl`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use tempfile::TempDir;
use wechatpay_chain::sandbox::Sandbox;

use crate::raw_http::*;
use crate::support::{has, openssl, start_sandbox};

struct Signer {
    sandbox: Sandbox,
    keys: TempDir,
}

impl Signer {
    fn new() -> Option<Signer> {
        if !has("openssl") {
            return None;
        }
        let sandbox = start_sandbox();
        let keys = export(&sandbox);
        Some(Signer { sandbox, keys })
    }

    fn plan(&self, method: &str, target: &str, body: &str) -> Plan {
        Plan { nonce: format!("aB{}", nonce()), ..Plan::new(&self.sandbox, method, target, body) }
    }

    /// A signature over these bytes, by `openssl dgst` with these options.
    fn sign(&self, options: &[&str], message: &[u8]) -> Vec<u8> {
        let key = self.keys.path().join("merchant.pem");
        let all = [&["dgst"], options, &["-sign", key.to_str().unwrap()]].concat();
        openssl(&all, message).expect("a signature")
    }

    /// The diagnosis of a request with this text as its signature.
    fn diagnose(&self, plan: &Plan, signature: &str) -> Value {
        let authorization = plan.authorization(&self.keys).replace(&plan.signature(&self.keys), signature);
        let reply = send_bytes(&self.sandbox, &plan.bytes(&authorization)).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (401, "SIGN_ERROR"), "{}", reply.message());
        reply.json()["detail"]["diagnosis"].clone()
    }

    fn message(&self, plan: &Plan, signature: &str) -> String {
        self.diagnose(plan, signature)["message"].as_str().unwrap().to_owned()
    }

    /// The diagnosis of a signature over these bytes.
    fn of(&self, plan: &Plan, signed: &[u8]) -> String {
        self.message(plan, &STANDARD.encode(self.sign(&["-sha256"], signed)))
    }
}

fn lines(plan: &Plan, end: &str) -> String {
    let body = String::from_utf8(plan.body.clone()).unwrap();
    [&plan.method, &plan.target, &plan.timestamp, &plan.nonce, &body]
        .map(|line| format!("{line}{end}"))
        .concat()
}

#[test]
fn each_mistake_is_named() {
    let Some(signer) = Signer::new() else { return };
    let get = signer.plan("GET", "/hk/v3/a/%e4%b8%AD?t=2026-01-01T00:00:00%2B08:00&b=x%20y&c=1", "");
    let post = signer.plan("POST", "/v3/x", "{\"b\":\"茶/<绿>\",\"a\":1.5}");
    let replaced = |plan: &Plan, from: &str, to: &str| {
        let message = String::from_utf8(plan.message()).unwrap();
        assert!(message.contains(from), "{from}");
        message.replacen(from, to, 1).into_bytes()
    };
    let milliseconds = |plan: &Plan, rest: &str| {
        replaced(plan, &plan.timestamp.clone(), &format!("{}{rest}", plan.timestamp))
    };
    for (plan, signed, part) in [
        (&get, lines(&get, "").into_bytes(), "no line feeds"),
        (&get, [get.message(), b"\n".to_vec()].concat(), "one newline too many"),
        (&get, replaced(&get, "GET", "POST"), "another method"),
        (&get, replaced(&get, &get.nonce, &get.nonce.to_uppercase()), "nonce in another letter case"),
        (&get, milliseconds(&get, "000"), "in milliseconds"),
        (&post, milliseconds(&post, "987"), "in milliseconds"),
        (&get, replaced(&get, "/hk/v3", ""), "lacks /v3"),
        (&get, replaced(&get, "/hk", "//hk"), "two slashes"),
        (&get, replaced(&get, "/hk", "api.mch.weixin.qq.com/hk"), "whole URL"),
        (&get, replaced(&get, "T00:00:00%2B08:00", "T00%3A00%3A00%2B08%3A00"), "other characters"),
        (&get, replaced(&get, "x%20y", "x+y"), "encodes spaces"),
        (&get, replaced(&get, "b=x%20y&c=1", "c=1&b=x%20y"), "another order"),
        (&get, replaced(&get, "\n\n", "\n{}\n"), "JSON instead of the empty body"),
        (&get, replaced(&get, "\n\n", "\nnull\n"), "JSON instead of the empty body"),
        (&post, replaced(&post, "}\n", "}\n\n"), "one newline too many"),
        (&post, replaced(&post, "<绿>", "\\u003c绿\\u003e"), "serialised twice"),
        (&post, replaced(&post, "{", "\u{feff}{"), "byte order mark"),
    ] {
        let message = signer.of(plan, &signed);
        assert!(message.contains(part), "{part}: {message}");
    }
    let literal = String::from_utf8(post.message()).unwrap().replace('\n', "\\r\\n");
    assert!(signer.of(&post, literal.as_bytes()).contains("a backslash and an n"));
    // Sent with question marks: what was signed before is lost, but the body shows it.
    let lost = signer.plan("POST", "/v3/x", "{\"b\":\"?? 250g\"}");
    assert!(signer.of(&lost, &replaced(&lost, "??", "茶叶")).contains("text was lost: send UTF-8"));
    let flat = signer.plan("POST", "/v3/x", "{\"a\":\"茶 b\",\"c\":1}");
    let form = replaced(&flat, "{\"a\":\"茶 b\",\"c\":1}", "a=%E8%8C%B6+b&c=1");
    assert!(signer.of(&flat, &form).contains("as a form"));
    let query = signer.plan("GET", "/v3/x?mchid=1&b=2", "");
    let as_body = replaced(&query, "\n\n", "\n{\"mchid\":\"1\",\"b\":\"2\"}\n");
    assert!(signer.of(&query, &as_body).contains("query as its body"));
    let spaced = signer.plan("POST", "/v3/x", " {}");
    assert!(signer.of(&spaced, &replaced(&spaced, " {}", "{}")).contains("white space around the body"));
    let latin: String = post.message().iter().map(|byte| char::from(*byte)).collect();
    assert!(signer.of(&post, latin.as_bytes()).contains("as UTF-8 twice"));
    let text = String::from_utf8(post.message()).unwrap();
    let gbk = Plan {
        body: encoding_rs::GBK.encode("{\"b\":\"茶/<绿>\",\"a\":1.5}").0.into_owned(),
        ..post.clone()
    };
    assert!(signer.of(&gbk, text.as_bytes()).contains("sent as GBK"));
}

#[test]
fn two_mistakes_are_named_together() {
    let Some(signer) = Signer::new() else { return };
    let plan = signer.plan("POST", "/hk/v3/x?b=%E4%B8%AD&a=1", "{\"a\":\"茶\",\"b\":null}");
    let body = "{\"a\":\"茶\",\"b\":null}";
    let (timestamp, nonce) = (&plan.timestamp, &plan.nonce);
    let text = String::from_utf8(plan.message()).unwrap();
    for (signed, parts) in [
        (
            format!("POST\\n{}\\n{nonce}\\n{timestamp}\\n{body}\\n", plan.target),
            ["a backslash and an n", "nonce before"],
        ),
        (text.replace("POST", "post").trim_end().to_owned(), ["lower case", "newline at the end"]),
        (text.replace("/hk/v3", "/v3").replace("?b=%E4%B8%AD&a=1", ""), ["base URL", "lacks the query"]),
        (
            text.replace("?b=%E4%B8%AD&a=1", "?a=1&b=%E4%B8%AD").replace(",\"b\":null", ""),
            ["another order", "are null"],
        ),
        (text.replace('\n', "\r\n").replace("茶", "\\u8336"), ["CR LF", "serialised twice"]),
        (text.replace(body, "").replace("POST", "GET"), ["lacks the body", "another method"]),
    ] {
        let message = signer.of(&plan, signed.as_bytes());
        assert!(parts.iter().all(|part| message.contains(part)), "{parts:?}: {message}");
    }
    let digest = openssl(&["dgst", "-sha256", "-r"], text.trim_end().as_bytes()).unwrap();
    let message = signer.of(&plan, &digest[..64]);
    assert!(message.contains("newline at the end and was hashed"), "{message}");
    let gbk = encoding_rs::GBK.encode(&text.replace('\n', "\\n")).0.into_owned();
    let message = signer.of(&plan, &gbk);
    assert!(message.contains("a backslash and an n") && message.contains("GBK"), "{message}");
    // Three are too many for certainty: nothing is guessed.
    let three = text.replace("POST", "post").replace('\n', "\r\n").replace("/hk/v3", "/v3");
    assert!(signer.of(&plan, three.as_bytes()).contains("without any common mistake"));
}

#[test]
fn a_signature_that_is_wrong_itself_is_named() {
    let Some(signer) = Signer::new() else { return };
    let plan = signer.plan("POST", "/v3/x?a=1", "{\"a\":1}");
    let right = signer.sign(&["-sha256"], &plan.message());
    let without_newline = plan.message()[..plan.message().len() - 1].to_vec();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let standard = STANDARD.encode(&right);
    for (signature, part) in [
        (hex(&right), "written in hex"),
        (hex(&right).to_uppercase(), "written in hex"),
        (STANDARD.encode(hex(&right)), "merchant's key: it has 512 bytes"),
        (standard.trim_end_matches('=').to_owned(), "without its padding"),
        (STANDARD.encode(&standard), "in Base64 twice"),
        (
            standard.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l)).collect::<Vec<_>>().join(" "),
            "line breaks",
        ),
        (standard.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"), "percent-encoded"),
        (STANDARD.encode(&right[..200]), "has 200 bytes, expected 256"),
    ] {
        let message = signer.message(&plan, &signature);
        assert!(message.contains(part), "{part}: {message}");
        assert!(!message.contains("signed message"), "{message}");
    }
    // Of ten nonces, some signature has a `+` or `/`.
    for _ in 0..10 {
        let plan = signer.plan("POST", "/v3/x?a=1", "{\"a\":1}");
        let right = signer.sign(&["-sha256"], &plan.message());
        let standard = STANDARD.encode(&right);
        if standard.contains('+') && standard.contains('/') {
            for text in [URL_SAFE.encode(&right), URL_SAFE_NO_PAD.encode(&right)] {
                assert!(signer.message(&plan, &text).contains("URL-safe"));
            }
            assert!(signer.message(&plan, &standard.replace('+', " ")).contains("spaces instead of +"));
        }
    }
    let message = signer.message(&plan, &hex(&signer.sign(&["-sha256"], &without_newline)));
    assert!(message.contains("in hex") && message.contains("newline at the end"), "{message}");

    for salt in ["digest", "max", "20", "0"] {
        let salt = format!("rsa_pss_saltlen:{salt}");
        let options = ["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", &salt];
        let message = signer.message(&plan, &STANDARD.encode(signer.sign(&options, &plan.message())));
        assert!(message.ends_with("RSASSA-PSS, expected PKCS#1 v1.5"), "{salt}: {message}");
        let message = signer.message(&plan, &STANDARD.encode(signer.sign(&options, &without_newline)));
        assert!(
            message.contains("RSASSA-PSS, expected") && message.contains("newline at"),
            "{salt}: {message}"
        );
        let message = signer.message(&plan, &STANDARD.encode(signer.sign(&options, b"abc")));
        assert!(message.contains("RSASSA-PSS"), "{salt}: {message}");
    }
    for (option, name) in [
        ("-md5", "MD5"),
        ("-sha1", "SHA-1"),
        ("-sha224", "SHA-224"),
        ("-sha384", "SHA-384"),
        ("-sha512", "SHA-512"),
    ] {
        let message = signer.message(&plan, &STANDARD.encode(signer.sign(&[option], &plan.message())));
        assert!(message.contains(name), "{message}");
        assert_eq!(message.contains("another message"), name == "MD5", "{message}");
    }
    // PHP's `openssl_private_encrypt`.
    let key = signer.keys.path().join("merchant.pem");
    let digest = openssl(&["dgst", "-sha256", "-binary"], &plan.message()).unwrap();
    for covered in [digest.clone(), hex(&digest).into_bytes(), plan.message()] {
        let made = openssl(&["rsautl", "-sign", "-inkey", key.to_str().unwrap()], &covered).unwrap();
        let message = signer.message(&plan, &STANDARD.encode(made));
        assert!(message.contains("encrypted with the private key"), "{message}");
    }
    let made = openssl(&["rsautl", "-sign", "-inkey", key.to_str().unwrap()], b"abc").unwrap();
    assert!(signer.message(&plan, &STANDARD.encode(made)).contains("contains no SHA-256 digest"));
    let unknown = STANDARD.encode(signer.sign(&["-sha512-256"], &plan.message()));
    assert!(signer.message(&plan, &unknown).contains("contains no SHA-256 digest"));
    // The platform's key by mistake.
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::builder().keys(folder.path()).start().unwrap();
    let signer = Signer { keys: export(&sandbox), sandbox };
    let plan = signer.plan("GET", "/v3/x", "");
    for name in ["pub_key_key.pem", "wechatpay_cert_key.pem"] {
        let key = folder.path().join(name);
        let arguments = ["dgst", "-sha256", "-sign", key.to_str().unwrap()];
        let made = openssl(&arguments, &plan.message()).unwrap();
        let message = signer.message(&plan, &STANDARD.encode(made));
        assert!(message.contains("made with the platform's key"), "{message}");
        assert!(!message.contains("also"), "{message}");
        let made = openssl(&arguments, b"abc").unwrap();
        let message = signer.message(&plan, &STANDARD.encode(made));
        assert!(message.contains("; also, another message was signed"), "{message}");
    }
}

#[test]
fn wrong_credentials_are_named() {
    let Some(signer) = Signer::new() else { return };
    let plan = signer.plan("GET", "/v3/x", "");
    let platform = signer.sandbox.platform_certificate_serial();
    for (plan, part) in [
        (Plan { mchid: "1".into(), ..plan.clone() }, "unknown merchant"),
        (Plan { serial: "AB".into(), ..plan.clone() }, "the merchant's certificate has"),
        (Plan { serial: platform.into(), ..plan.clone() }, "is a key of the platform"),
        (
            Plan { serial: platform.trim_start_matches('0').to_lowercase(), ..plan.clone() },
            "is a key of the platform",
        ),
        (
            Plan { serial: signer.sandbox.platform_public_key_id().into(), ..plan.clone() },
            "is a key of the platform",
        ),
        (Plan { timestamp: format!("{}123", now()), ..plan.clone() }, "milliseconds"),
        (Plan { timestamp: "0".into(), ..plan.clone() }, "more than 300 seconds"),
    ] {
        let reply = send(&signer.sandbox, &signer.keys, &plan);
        assert_eq!((reply.status, reply.code().as_str()), (401, "SIGN_ERROR"));
        assert!(reply.message().contains(part), "{part}: {}", reply.message());
    }
}

#[test]
fn a_flood_of_wrong_signatures_does_not_stall_the_sandbox() {
    let Some(signer) = Signer::new() else { return };
    for size in [1 << 10, 64 << 10, 256 << 10, 1 << 20, 7 << 20] {
        let body = format!("{{\"a\":[{}1]}}", "1,".repeat(size / 2));
        let plan = signer.plan("POST", "/v3/x?a=%E4%B8%AD&b=1&c=2", &body);
        let wrong = STANDARD.encode(signer.sign(&["-sha256"], b"abc"));
        let begun = std::time::Instant::now();
        let message = signer.message(&plan, &wrong);
        println!("{size} bytes: {:?} {message}", begun.elapsed());
        assert!(message.contains("another message was signed"), "{message}");
    }
    let body = format!("{{\"a\":[{}1]}}", "1,".repeat(512 << 10));
    std::thread::scope(|scope| {
        let flood: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let plan = signer.plan("POST", "/v3/x", &body);
                        signer.message(&plan, &STANDARD.encode(signer.sign(&["-sha256"], b"abc")));
                    }
                })
            })
            .collect();
        let mut longest = std::time::Duration::ZERO;
        while flood.iter().any(|thread| !thread.is_finished()) {
            let begun = std::time::Instant::now();
            assert_eq!(get(&signer.sandbox, &signer.keys, "/v3/certificates").status, 200);
            longest = longest.max(begun.elapsed());
        }
        println!("a genuine request meanwhile took at most {longest:?}");
        assert!(longest < std::time::Duration::from_secs(5), "{longest:?}");
    });
}
