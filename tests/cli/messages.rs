//! The program `wxpay`: saved notifications, signatures, and the doctor.

use std::net::TcpListener;

use serde_json::{Value, json};
use wechatpay_chain::http::HeaderMap;
use wechatpay_chain::sandbox::{Fault, Sandbox};

use crate::program::{Done, TestEnv, variables, wxpay};
use crate::support::sandbox_builder;

fn lines(headers: &HeaderMap) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
}

/// A notification in two files: headers, body.
pub(crate) fn saved(env: &TestEnv, sandbox: &Sandbox) -> (String, String) {
    saved_by(env, sandbox, sandbox.platform_public_key_id())
}

/// Signed with this key of the platform.
fn saved_by(env: &TestEnv, sandbox: &Sandbox, serial: &str) -> (String, String) {
    let order = json!({"out_trade_no": "P1", "payer": "茶"});
    sandbox.sign_with(serial).unwrap();
    let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &order).unwrap();
    sandbox.sign_with(sandbox.platform_certificate_serial()).unwrap();
    (
        env.file("n.headers", format!("POST /notify HTTP/1.1\r\n{}\r\n", lines(&headers))),
        env.file("n.json", body),
    )
}

#[test]
fn a_saved_notification_is_verified_and_decrypted() {
    let env = TestEnv::new();
    let (headers, body) = saved(&env, &env.sandbox);
    let verified = env.run(&["verify", "--headers", &headers, &body]).json();
    assert_eq!(
        (&verified["verified"], &verified["serial"]),
        (&json!(true), &json!(env.sandbox.platform_public_key_id()))
    );
    assert!(verified["age_seconds"].as_i64().unwrap() < 60);
    let opened = env.run(&["decrypt", "--headers", &headers, &body]).json();
    assert_eq!(opened["resource"], json!({"out_trade_no": "P1", "payer": "茶"}));
    assert_eq!(
        (&opened["event_type"], &opened["original_type"]),
        (&json!("TRANSACTION.SUCCESS"), &json!("transaction"))
    );
    let picked = env.run(&["decrypt", "--headers", &headers, &body, "--jq", ".resource.payer", "--raw"]);
    assert_eq!(picked.ok(), "茶\n");
    // From stdin, and with headers as a JSON object.
    let text = std::fs::read_to_string(&headers).unwrap();
    let object: serde_json::Map<_, _> =
        text.lines().filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), json!(v))).collect();
    let headers = env.file("headers.json", Value::Object(object).to_string());
    let bytes = std::fs::read(&body).unwrap();
    env.finish(env.wxpay().args(["verify", "--headers", &headers, "-"]).write_stdin(bytes)).ok();
}

#[test]
fn a_failed_check_is_named_with_its_fix() {
    let env = TestEnv::new();
    for (fault, parts) in [
        (Fault::BadSignature, ["does not match", "byte for byte"]),
        (Fault::UnknownSerial, ["no platform key has the serial", "check the ID of the key"]),
        (Fault::OldTimestamp, ["differ by more than 300 s", "--any-time"]),
        (Fault::SignatureProbe, ["SIGNTEST", "must be refused"]),
        (Fault::MissingHeader("Wechatpay-Timestamp".into()), ["no `Wechatpay-Timestamp`", "header"]),
        (Fault::WrongBody, ["does not match", "byte for byte"]),
    ] {
        env.sandbox.inject(fault.clone());
        let (headers, body) = saved(&env, &env.sandbox);
        for command in ["verify", "decrypt"] {
            let done = env.run(&[command, "--headers", &headers, &body]);
            parts.iter().for_each(|part| done.fails(4, part));
            let with_any_time = env.run(&[command, "--headers", &headers, &body, "--any-time"]);
            assert_eq!(
                with_any_time.code == Some(0),
                fault == Fault::OldTimestamp,
                "{fault:?}: {with_any_time:?}"
            );
        }
    }
    // An editor adds a newline at the end.
    let (headers, body) = saved(&env, &env.sandbox);
    let changed = env.file("changed.json", [&std::fs::read(&body).unwrap()[..], b"\n"].concat());
    env.run(&["verify", "--headers", &headers, &changed]).fails(4, "a line break was added at the end");
    let reported = env.run(&["verify", "--headers", &headers, &changed, "--json-errors"]);
    reported.fails(4, r#""error":"verification""#);
    // Another APIv3 key, no key, and a file that is not a notification.
    let mut other = env.wxpay();
    other.env("WECHATPAY_APIV3_KEY", "0".repeat(32));
    let done = env.finish(other.args(["decrypt", "--headers", &headers, &body]));
    done.fails(
        4,
        "set `WECHATPAY_APIV3_KEY` to the key of the time when the notification was sent; it is genuine",
    );
    let mut none = env.wxpay();
    none.env_remove("WECHATPAY_APIV3_KEY");
    env.finish(none.args(["decrypt", "--headers", &headers, &body])).fails(1, "is missing");
    let no_headers = env.file("bad.headers", "Wechatpay-Nonce\n");
    env.run(&["verify", "--headers", &no_headers, &body]).fails(1, "line 1: expected");
    env.run(&["verify", "--headers", "/nowhere", &body]).fails(1, "cannot read");
    env.run(&["verify", "--headers", &headers, "/nowhere"]).fails(1, "cannot read");
    env.run(&["verify", &body]).fails(1, "--headers");
    env.run(&["decrypt", "--headers", &headers, &body, "--raw"]).fails(1, "--jq");
}

#[test]
fn automatic_certificates_verify_a_saved_message() {
    let env = TestEnv::new();
    let automatic = || {
        let mut automatic = env.wxpay();
        for name in ["PUBLIC_KEY_ID", "PUBLIC_KEY", "PLATFORM_SERIAL", "PLATFORM_CERTIFICATE"] {
            automatic.env_remove(format!("WECHATPAY_{name}"));
        }
        automatic.env("WECHATPAY_AUTOMATIC_CERTIFICATES", "1");
        automatic
    };
    // Signed with the certificate's key, as the merchant who has no public key gets it.
    let serial = env.sandbox.platform_certificate_serial();
    env.sandbox.sign_with(serial).unwrap();
    let (headers, body) = saved_by(&env, &env.sandbox, serial);
    let done = env.finish(automatic().args(["verify", "--headers", &headers, &body]));
    assert_eq!(done.json()["serial"], serial);
    // One from long ago, by a client that asks the platform today.
    env.sandbox.inject(Fault::OldTimestamp);
    let (headers, body) = saved_by(&env, &env.sandbox, serial);
    for command in ["verify", "decrypt"] {
        env.finish(automatic().args([command, "--headers", &headers, &body])).fails(4, "--any-time");
        env.finish(automatic().args([command, "--headers", &headers, &body, "--any-time"])).ok();
    }
    // No certificates: reported, unless there is another key.
    let none = json!({"code": "RESOURCE_NOT_EXISTS", "message": "none"});
    env.sandbox.on("GET", "v3/certificates", 404, none).unwrap();
    env.finish(automatic().args(["verify", "--headers", &headers, &body])).fails(2, "RESOURCE_NOT_EXISTS");
    let mut with_key = automatic();
    with_key.env("WECHATPAY_PUBLIC_KEY_ID", env.sandbox.platform_public_key_id());
    with_key.env("WECHATPAY_PUBLIC_KEY", env.sandbox.platform_public_key_pem());
    let done = env.finish(with_key.args(["verify", "--headers", &headers, &body, "--any-time"]));
    done.fails(4, "no platform key has the serial");
}

fn checks(done: &Done) -> Vec<Value> {
    done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn status<'a>(checks: &'a [Value], name: &str) -> (&'a str, &'a Value) {
    let check =
        checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("no {name}: {checks:?}"));
    (check["status"].as_str().unwrap(), check)
}

#[test]
fn the_doctor_finds_everything_well() {
    let env = TestEnv::new();
    let done = env.run(&["doctor"]);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{done:?}");
    let all = checks(&done);
    for name in ["configuration", "keys", "proxy", "DNS", "host", "clock", "echo", "APIv3 key"] {
        assert_eq!(status(&all, name).0, "ok", "{all:?}");
    }
    assert!(all.iter().all(|check| check["todo"].is_null()));
    // A merchant without certificates has nothing to try the key on.
    let none = json!({"code": "RESOURCE_NOT_EXISTS", "message": "none"});
    env.sandbox.on("GET", "v3/certificates", 404, none).unwrap();
    let all = checks(&env.run(&["doctor"]));
    assert!(
        status(&all, "APIv3 key").1["found"].as_str().unwrap().contains("no platform certificates"),
        "{all:?}"
    );
    let sandboxed = Done::of(wxpay(env.home.path()).args(["--sandbox", "doctor"]));
    assert_eq!(sandboxed.code, Some(0), "{sandboxed:?}");
}

#[test]
fn the_doctor_prints_a_fix_for_each_failure() {
    let env = TestEnv::new();
    let run = |name: &str, value: &str| env.finish(env.wxpay().env(name, value).arg("doctor"));
    let expect = |done: &Done, code: i32, name: &str, part: &str| {
        let all = checks(done);
        let (found, check) = status(&all, name);
        assert_eq!((done.code, found), (Some(code), "failed"), "{all:?}");
        assert!(check["found"].as_str().unwrap().contains(part), "{check}");
        assert!(!check["todo"].as_str().unwrap().is_empty());
    };
    // Keys, serials and lengths.
    expect(&run("WECHATPAY_APIV3_KEY", "short"), 1, "APIv3 key", "must be exactly 32 bytes; it is 5");
    expect(&run("WECHATPAY_PRIVATE_KEY", "file:///nowhere"), 1, "private key", "WECHATPAY_PRIVATE_KEY");
    expect(&run("WECHATPAY_PLATFORM_SERIAL", "ABCDEF"), 1, "platform certificate", "another serial");
    expect(&run("WECHATPAY_SERIAL", "1234567890ABCDEF"), 2, "echo", "SIGN_ERROR");
    expect(&run("WECHATPAY_APIV3_KEY", &"0".repeat(32)), 4, "APIv3 key", "certificate");
    let none = run("WECHATPAY_APIV3_KEY", "");
    assert_eq!((none.code, status(&checks(&none), "APIv3 key").0), (Some(0), "warning"));
    // Another sandbox's key instead of the platform's.
    let other = Sandbox::start().unwrap();
    expect(&run("WECHATPAY_PUBLIC_KEY", other.platform_public_key_pem()), 4, "echo", "does not match");
    // The network.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    expect(&run("WECHATPAY_BASE_URL", &format!("http://{closed}/")), 3, "host", "refused");
    let nowhere = [("WECHATPAY_BASE_URL", "http://nowhere.invalid/"), ("WECHATPAY_ALLOW_HTTP", "1")];
    expect(&env.finish(env.wxpay().envs(nowhere).arg("doctor")), 3, "DNS", "nowhere.invalid");
    let mut proxied = env.wxpay();
    proxied.envs(nowhere).env("HTTP_PROXY", format!("http://me:password@{closed}"));
    let done = env.finish(proxied.arg("doctor"));
    expect(&done, 3, "proxy", &closed.to_string());
    assert!(!done.out.contains("password"));
    assert_eq!(status(&checks(&done), "DNS").0, "skipped");
    // Nothing configured: the hosts are checked all the same.
    let home = tempfile::tempdir().unwrap();
    let mut unreachable = wxpay(home.path());
    unreachable.env("HTTPS_PROXY", format!("http://{closed}"));
    let done = Done::of(unreachable.arg("doctor"));
    expect(&done, 1, "configuration", "no credentials found");
    assert_eq!(checks(&done).iter().filter(|check| check["check"] == "DNS").count(), 2, "both hosts");
}

#[test]
fn the_doctor_reads_the_clock() {
    let env = TestEnv::new();
    let check = |skew: i64| {
        let sandbox = sandbox_builder().clock_skew(skew).start().unwrap();
        let done = Done::of(wxpay(env.home.path()).envs(variables(&sandbox)).arg("doctor"));
        let all = checks(&done);
        let (found, check) = status(&all, "clock");
        (done.code, found.to_owned(), check["found"].as_str().unwrap().to_owned())
    };
    let (code, found, text) = check(100);
    assert_eq!((code, found.as_str()), (Some(0), "warning"));
    assert!(text.contains("behind the server"), "{text}");
    let (code, found, text) = check(-1000);
    assert_eq!((code, found.as_str()), (Some(1), "failed"));
    assert!(text.contains("ahead of the server"), "{text}");
}
