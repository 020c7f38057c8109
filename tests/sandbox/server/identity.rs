//! Keys, the keys folder, settings.

use std::{
    fs,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use wechatpay_chain::sandbox::{Sandbox, SandboxError};

use super::*;
use crate::raw_http::*;
use crate::support::openssl;

#[test]
fn openssl_reads_the_exported_keys() {
    let (sandbox, keys) = sandbox!();
    for (pem, serial) in [
        (sandbox.merchant_certificate_pem(), sandbox.serial()),
        (sandbox.platform_certificate_pem(), sandbox.platform_certificate_serial()),
    ] {
        let reported = openssl(&["x509", "-serial", "-noout"], pem.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(reported).unwrap().trim(), format!("serial={serial}"));
        assert!(serial.len() == 40 && serial.starts_with('0'));
    }
    assert!(sandbox.merchant_key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(sandbox.platform_public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----"));
    let id = sandbox.platform_public_key_id().strip_prefix("PUB_KEY_ID_").unwrap();
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()));
    let of_key = fs::read(keys.path().join("merchant.pem")).unwrap();
    let of_key = openssl(&["pkey", "-pubout"], &of_key).unwrap();
    let of_certificate =
        openssl(&["x509", "-pubkey", "-noout"], sandbox.merchant_certificate_pem().as_bytes()).unwrap();
    assert_eq!(of_key, of_certificate);
    let shown = format!("{sandbox:?} {:?}", Sandbox::builder().apiv3_key("k".repeat(32)));
    assert!(!shown.contains(sandbox.apiv3_key()) && !shown.contains("kkk") && !shown.contains("PRIVATE"));
}

#[test]
fn two_sandboxes_share_no_keys() {
    let (one, one_keys) = sandbox!(Sandbox::builder().mchid("1900000001"));
    let (two, two_keys) = sandbox!(Sandbox::builder().mchid("1900000002"));
    assert_eq!(post(&one, &one_keys, ECHO, ECHO_BODY).status, 200);
    assert_eq!(post(&two, &two_keys, ECHO, ECHO_BODY).status, 200);
    let stray = send(&two, &one_keys, &Plan::new(&one, "POST", ECHO, ECHO_BODY));
    assert_eq!(stray.status, 401);
    assert_eq!((one.requests().len(), two.requests().len()), (1, 2));
}

#[test]
fn a_keys_folder_brings_the_identity_back() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("new/keys");
    let start = || Sandbox::builder().keys(&keys).start();
    let first = Sandbox::builder().keys(&keys).mchid("1234567890").start().unwrap();
    let second = start().unwrap();
    let fastest = (0..5).map(|_| {
        let began = Instant::now();
        start().unwrap();
        began.elapsed()
    });
    // The fastest of five: other tests use the processor at the same time.
    assert!(fastest.min().unwrap() < Duration::from_millis(100));
    let identity = |sandbox: &Sandbox| {
        [
            sandbox.mchid(),
            sandbox.serial(),
            sandbox.apiv3_key(),
            sandbox.merchant_key_pem(),
            sandbox.merchant_certificate_pem(),
            sandbox.platform_certificate_pem(),
            sandbox.platform_certificate_serial(),
            sandbox.platform_public_key_pem(),
            sandbox.platform_public_key_id(),
        ]
        .map(str::to_string)
    };
    assert_eq!(identity(&first), identity(&second));
    assert_ne!(first.base_url(), second.base_url());
    for (name, expected) in
        [("apiclient_key.pem", 0o600), ("identity.json", 0o600), ("pub_key_key.pem", 0o600)]
    {
        assert_eq!(mode(&keys.join(name)), expected, "{name}");
    }

    assert!(Sandbox::builder().keys(&keys).mchid("1234567890").start().is_ok());
    let other = Sandbox::builder().keys(&keys).mchid("1234567891").start().unwrap_err();
    assert!(matches!(other, SandboxError::Setting { name: "mchid", .. }), "{other}");

    for name in fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().file_name()) {
        let path = keys.join(&name);
        let name = name.to_str().unwrap();
        let kept = fs::read(&path).unwrap();
        let reported = |result: Result<Sandbox, SandboxError>| result.unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert!(reported(start()).contains(name), "{}", reported(start()));
        for bad in
            [&b""[..], b"garbage", b"\xff", b"-----BEGIN X-----\nAAAA\n-----END X-----\n", &kept[..100]]
        {
            fs::write(&path, bad).unwrap();
            assert!(reported(start()).contains(name), "{}", reported(start()));
        }
        fs::write(&path, &kept).unwrap();
    }
    fs::copy(keys.join("wechatpay_cert.pem"), keys.join("apiclient_cert.pem")).unwrap();
    assert!(start().unwrap_err().to_string().contains("apiclient_cert.pem"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for mchid in ["", "abc", "19-1"] {
        let error = Sandbox::builder().mchid(mchid).start().unwrap_err();
        assert!(matches!(error, SandboxError::Setting { name: "mchid", .. }), "{error}");
    }
    // The last two could not be exported to a shell.
    for key in ["too-short".to_owned(), format!("\"{}", "k".repeat(31)), format!("\\{}", "k".repeat(31))] {
        let error = Sandbox::builder().apiv3_key(key).start().unwrap_err();
        assert!(matches!(error, SandboxError::Setting { name: "apiv3_key", .. }), "{error}");
    }
    let error = Sandbox::builder().apiv3_key("too-short").start().unwrap_err();
    assert!(!error.to_string().contains("too-short"));
}
