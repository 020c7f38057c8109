//! `wxpay doctor`: which setting is wrong, which certificate has expired, and each fault told once.

mod certificates;

use std::net::TcpListener;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, Sandbox};

use crate::program::{Done, TestEnv, variables, wxpay};
use crate::support::{MERCHANT_SERIAL, TestServer, key, key_path, sandbox_builder};

/// The lines of the doctor's output.
fn checks(done: &Done) -> Vec<Value> {
    done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The only check of this name.
#[track_caller]
fn check(done: &Done, name: &str) -> Value {
    let all = checks(done);
    let mut named = all.iter().filter(|check| check["check"] == name);
    let first = named.next().unwrap_or_else(|| panic!("no {name}: {done:?}"));
    assert!(named.next().is_none(), "{name} is there twice: {done:?}");
    first.clone()
}

/// Asserts status, text and fix of a check.
#[track_caller]
fn expect(done: &Done, name: &str, status: &str, found: &str, fix: &str) {
    let check = check(done, name);
    assert_eq!(check["status"], status, "{check}\n{done:?}");
    assert!(check["found"].as_str().unwrap().contains(found), "{check}");
    assert!(check["todo"].as_str().unwrap_or_default().contains(fix), "{check}");
}

/// The names of the checks that failed.
fn failed(done: &Done) -> Vec<String> {
    let all = checks(done);
    let failed = all.iter().filter(|check| check["status"] == "failed");
    failed.map(|check| check["check"].as_str().unwrap().to_owned()).collect()
}

/// The doctor of the sandbox's merchant with these variables; an empty value unsets one.
fn doctor(env: &TestEnv, variables: &[(&str, &str)]) -> Done {
    let mut command = env.wxpay();
    command.envs(variables.iter().copied()).arg("doctor");
    let done = env.finish(&mut command);
    assert!(!done.out.contains("docs/") && !done.err.contains("docs/"), "{done:?}");
    done
}

#[test]
fn the_setting_that_is_wrong_is_named() {
    let env = TestEnv::new();
    let ec = format!("file://{}", key_path("ec_key.pem"));
    let merchants = format!("file://{}", key_path("merchant_pub.pem"));
    let nowhere = format!("{merchants}.x");
    for (variable, value, name, found) in [
        ("WECHATPAY_BASE_URL", "api.mch.weixin.qq.com", "base URL", "WECHATPAY_BASE_URL"),
        ("WECHATPAY_BASE_URL", "http://api.mch.weixin.qq.com/", "base URL", "WECHATPAY_BASE_URL"),
        ("WECHATPAY_BASE_URL", "https://", "base URL", "WECHATPAY_BASE_URL"),
        ("WECHATPAY_BASE_URL", "ftp://127.0.0.1/", "base URL", "WECHATPAY_BASE_URL"),
        ("WECHATPAY_APIV3_KEY", "short", "APIv3 key", "exactly 32 bytes; it is 5"),
        (
            "WECHATPAY_APIV3_KEY",
            "三十二个字节的密钥不是三十二个字符三十二个字节的密钥不是三十二个字符",
            "APIv3 key",
            "exactly 32 bytes",
        ),
        ("WECHATPAY_TIMEOUT", "soon", "timeout", "WECHATPAY_TIMEOUT"),
        ("WECHATPAY_TIMEOUT", "-1", "timeout", "WECHATPAY_TIMEOUT"),
        ("WECHATPAY_MCHID", "1900 000 109", "merchant number", "WECHATPAY_MCHID"),
        ("WECHATPAY_SERIAL", "", "merchant serial", "is missing"),
        (
            "WECHATPAY_SERIAL",
            "PUB_KEY_ID_0114232134912410000000000000",
            "merchant serial",
            "WECHATPAY_SERIAL",
        ),
        ("WECHATPAY_PRIVATE_KEY", "file:///nowhere", "private key", "does not exist"),
        ("WECHATPAY_PRIVATE_KEY", "", "private key", "is missing"),
        ("WECHATPAY_PRIVATE_KEY", &ec, "private key", "elliptic-curve private key"),
        ("WECHATPAY_P12", "/nowhere.p12", "p12 file", "mutually exclusive"),
        ("WECHATPAY_PUBLIC_KEY", &nowhere, "public key", "does not exist"),
        ("WECHATPAY_PUBLIC_KEY", "", "public key", "is missing"),
        ("WECHATPAY_PUBLIC_KEY_ID", "", "public key ID", "is missing"),
        ("WECHATPAY_PUBLIC_KEY_ID", "PUBKEYID0114232134912410", "public key ID", "PUB_KEY_ID_"),
        ("WECHATPAY_PLATFORM_SERIAL", "ABCDEF", "platform certificate", "another serial"),
        ("WECHATPAY_PLATFORM_SERIAL", "", "platform serial", "is missing"),
        ("WECHATPAY_AUTOMATIC_CERTIFICATES", "yes", "automatic certificates", "must be 1 or 0"),
        ("WECHATPAY_ALLOW_HTTP", "yes", "http", "must be 1 or 0"),
    ] {
        let done = doctor(&env, &[(variable, value)]);
        expect(&done, name, "failed", found, "");
        assert!(!check(&done, name)["todo"].as_str().unwrap().is_empty());
        assert_eq!((done.code, failed(&done)), (Some(1), vec![name.to_owned()]), "{variable}={value}");
    }
    // An option, too.
    for (option, value, name) in
        [("--base-url", "nowhere", "base URL"), ("--timeout", "0", "timeout"), ("--timeout", "-1", "timeout")]
    {
        let done = env.run(&["doctor", option, value]);
        expect(&done, name, "failed", option, "");
        assert_eq!(failed(&done), [name]);
    }
    // A profile's key.
    let profile: String = variables(&env.sandbox)
        .iter()
        .map(|(name, value)| {
            let key = name.strip_prefix("WECHATPAY_").unwrap().to_lowercase();
            let value = if key == "apiv3_key" { "short" } else { value };
            format!("{key} = '''{value}'''\n")
        })
        .collect();
    let config = env.file("config.toml", format!("[default]\n{profile}"));
    let done = Done::of(wxpay(env.home.path()).args(["doctor", "--config", &config]));
    expect(&done, "APIv3 key", "failed", "`apiv3_key` must be exactly 32 bytes", "");
    assert!(!done.out.contains("WECHATPAY_"), "{done:?}");
}

#[test]
fn what_does_not_depend_on_a_wrong_setting_is_checked_too() {
    let env = TestEnv::new();
    let done = doctor(
        &env,
        &[
            ("WECHATPAY_APIV3_KEY", "short"),
            ("WECHATPAY_TIMEOUT", "soon"),
            ("WECHATPAY_PLATFORM_SERIAL", "ABCDEF"),
        ],
    );
    assert_eq!(failed(&done), ["timeout", "platform certificate", "APIv3 key"], "{done:?}");
    expect(&done, "echo", "ok", "response verified", "");
    // The merchant's key comes first, and no client can do without it.
    let done =
        doctor(&env, &[("WECHATPAY_APIV3_KEY", "short"), ("WECHATPAY_PRIVATE_KEY", "file:///nowhere")]);
    assert_eq!(failed(&done), ["private key", "APIv3 key"], "{done:?}");
    expect(&done, "host", "ok", "responds", "");
    // Nothing is sent anywhere else when the base URL is invalid.
    env.sandbox.clear_requests();
    let done = doctor(&env, &[("WECHATPAY_BASE_URL", "nowhere")]);
    assert!(!done.out.contains("\"host\"") && !done.out.contains("\"DNS\""), "{done:?}");
    expect(&done, "echo", "skipped", "not sent", "");
    assert!(env.sandbox.requests().is_empty());
}

#[test]
fn an_id_without_its_prefix_is_named_once() {
    let env = TestEnv::new();
    let id = env.sandbox.platform_public_key_id();
    let digits = id.strip_prefix("PUB_KEY_ID_").unwrap();
    let only_public = [("WECHATPAY_PLATFORM_SERIAL", ""), ("WECHATPAY_PLATFORM_CERTIFICATE", "")];
    for digits in [digits.to_owned(), format!(" {digits}\n")] {
        let done = doctor(&env, &[&only_public[..], &[("WECHATPAY_PUBLIC_KEY_ID", &digits)]].concat());
        expect(&done, "public key ID", "failed", "without `PUB_KEY_ID_`", id);
        assert_eq!((done.code, failed(&done)), (Some(1), vec!["public key ID".to_owned()]), "{done:?}");
        // The rest is right, and the doctor can tell.
        expect(&done, "echo", "ok", "response verified", "");
    }
    // The serial of a certificate is not the ID, either.
    let serial = env.sandbox.platform_certificate_serial();
    let done = doctor(&env, &[&only_public[..], &[("WECHATPAY_PUBLIC_KEY_ID", serial)]].concat());
    expect(&done, "public key ID", "warning", "does not begin with `PUB_KEY_ID_`", "copy the whole ID");
    let done = doctor(&env, &[("WECHATPAY_PUBLIC_KEY_ID", &id.to_lowercase())]);
    assert_eq!(failed(&done), Vec::<String>::new(), "{done:?}");
}

#[test]
fn a_wrong_private_key_is_compared_with_its_certificate() {
    let env = TestEnv::new();
    let folder = env.home.path().join("certificates");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        format!("file://{}", folder.join(name).display())
    };
    let sign_error = |variables: &[(&str, &str)], fix: &str| {
        let done = doctor(&env, variables);
        expect(&done, "echo", "failed", "SIGN_ERROR", fix);
        assert_eq!((done.code, failed(&done)), (Some(2), vec!["echo".to_owned()]), "{done:?}");
    };
    // There is nothing to compare: the fix says what to set for it.
    let own = env.sandbox.merchant_key_pem();
    let other = key("merchant_key.pem");
    sign_error(&[("WECHATPAY_PRIVATE_KEY", &other)], "set WECHATPAY_CERTIFICATE to apiclient_cert.pem");
    // The download has both in one folder.
    let wrong = write("apiclient_key.pem", &other);
    write("apiclient_cert.pem", env.sandbox.merchant_certificate_pem());
    sign_error(&[("WECHATPAY_PRIVATE_KEY", &wrong)], "the private key is not that of");
    let right = write("apiclient_key.pem", own);
    sign_error(
        &[("WECHATPAY_PRIVATE_KEY", &right), ("WECHATPAY_SERIAL", MERCHANT_SERIAL)],
        "WECHATPAY_SERIAL is the serial of another certificate",
    );
    sign_error(
        &[("WECHATPAY_PRIVATE_KEY", &right), ("WECHATPAY_MCHID", "1234567890")],
        "is one of the merchant in WECHATPAY_MCHID",
    );
    // The certificate is configured.
    let certificate = env.sandbox.merchant_certificate_pem();
    let done = doctor(&env, &[("WECHATPAY_PRIVATE_KEY", &other), ("WECHATPAY_CERTIFICATE", certificate)]);
    expect(&done, "merchant certificate", "failed", "does not belong to the private key", "of one download");
    write("apiclient_cert.pem", "nothing");
    sign_error(
        &[("WECHATPAY_PRIVATE_KEY", &right), ("WECHATPAY_SERIAL", MERCHANT_SERIAL)],
        "cannot be read as a certificate",
    );
}

#[test]
fn a_fault_is_told_once() {
    let env = TestEnv::new();
    let other = Sandbox::start().unwrap();
    let alone = [
        ("WECHATPAY_PUBLIC_KEY", ""),
        ("WECHATPAY_PUBLIC_KEY_ID", ""),
        ("WECHATPAY_PLATFORM_SERIAL", ""),
        ("WECHATPAY_PLATFORM_CERTIFICATE", ""),
        ("WECHATPAY_AUTOMATIC_CERTIFICATES", "1"),
    ];
    let wrong = "f".repeat(32);
    let closed = format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let apiv3 = [&alone[..], &[("WECHATPAY_APIV3_KEY", &wrong)]].concat();
    let signature = [&alone[..], &[("WECHATPAY_SERIAL", MERCHANT_SERIAL)]].concat();
    for (variables, name) in [
        (&apiv3[..], "APIv3 key"),
        (&signature, "echo"),
        (&[("WECHATPAY_SERIAL", MERCHANT_SERIAL)], "echo"),
        (&[("WECHATPAY_PUBLIC_KEY", other.platform_public_key_pem())], "echo"),
        (&[("WECHATPAY_APIV3_KEY", &wrong)], "APIv3 key"),
        (&[("WECHATPAY_BASE_URL", &closed)], "host"),
    ] {
        let done = doctor(&env, variables);
        assert_eq!(failed(&done), [name], "{done:?}");
        let all = checks(&done);
        assert_eq!(all.iter().filter(|check| check["check"] == "APIv3 key").count(), 1, "{done:?}");
        assert!(!done.out.contains("firewall"), "{done:?}");
    }
    let sandbox = sandbox_builder().clock_skew(-1000).start().unwrap();
    let done = Done::of(wxpay(env.home.path()).envs(variables(&sandbox)).arg("doctor"));
    assert_eq!(failed(&done), ["clock"], "{done:?}");
    expect(&done, "echo", "skipped", "with this clock", "");
    // A failure of the download alone is told under its own name.
    env.sandbox.on("GET", "v3/certificates", 400, json!({"code": "PARAM_ERROR", "message": "m"})).unwrap();
    let done = doctor(&env, &[]);
    assert_eq!(failed(&done), ["APIv3 key"], "{done:?}");
}

#[test]
fn another_key_and_a_changed_response_are_told_apart() {
    let (env, other) = (TestEnv::new(), Sandbox::start().unwrap());
    let done = doctor(&env, &[("WECHATPAY_PUBLIC_KEY", other.platform_public_key_pem())]);
    expect(&done, "echo", "failed", "another key made it", "download the platform key");
    env.sandbox.inject_always(Fault::WrongBody);
    let done = doctor(&env, &[]);
    expect(&done, "echo", "failed", "this key made it for another message", "check the proxy");
}

#[test]
fn a_refused_port_of_this_machine_is_not_a_firewall() {
    let env = TestEnv::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::1]", "127.0.0.2"] {
        for scheme in ["http", "https"] {
            let done = doctor(&env, &[("WECHATPAY_BASE_URL", &format!("{scheme}://{host}:{port}/"))]);
            let fix = format!(
                "start the server (such as `wxpay sandbox`), or correct the base URL: nothing listens on port {port}"
            );
            expect(&done, "host", "failed", "refused", &fix);
            // The serials of the other checks are random, and so is the port: each can have a 443 in it.
            let host = check(&done, "host").to_string().replace(&port.to_string(), "PORT");
            assert!(!done.out.contains("firewall") && !host.contains("443"), "{done:?}");
            assert_eq!((done.code, failed(&done)), (Some(3), vec!["host".to_owned()]));
        }
    }
    // The sandbox has no TLS.
    let https = env.sandbox.base_url().replace("http://", "https://");
    let done = doctor(&env, &[("WECHATPAY_BASE_URL", &https)]);
    expect(&done, "host", "failed", "", "http:// for a sandbox");
    // It listens, and is not HTTP.
    let server =
        TestServer::start(|mut stream, _| std::io::Write::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.9\r\n"));
    let done = doctor(&env, &[("WECHATPAY_BASE_URL", &server.base)]);
    expect(&done, "host", "failed", "", "HTTP server");
    // A proxy that does not apply is not asked; one that applies and fails is told once.
    let proxy = format!("http://127.0.0.1:{port}");
    let away = [("WECHATPAY_BASE_URL", "https://nowhere.invalid/"), ("HTTPS_PROXY", &proxy)];
    assert_eq!(failed(&doctor(&env, &away)), ["proxy"]);
    for list in ["nowhere.invalid", ".invalid", "invalid", "*", "example.com, nowhere.invalid"] {
        let done = doctor(&env, &[&away[..], &[("NO_PROXY", list)]].concat());
        expect(&done, "proxy", "ok", "none", "");
        assert_eq!(failed(&done), ["DNS"], "{list}");
    }
}
