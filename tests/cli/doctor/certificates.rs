//! Certificates that have expired, will soon, or are another merchant's.

use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber, date_time_ymd};

use super::{doctor, expect, failed};
use crate::program::{Done, TestEnv, variables, wxpay};
use crate::support::{MERCHANT_SERIAL, key, now, sandbox_builder};

/// A certificate for this private key. `days` are relative to today.
fn certificate(key_pem: &str, serial: &str, name: &str, from: (i32, u8), to: (i32, u8)) -> String {
    let key = KeyPair::from_pem(key_pem).unwrap();
    let mut params = CertificateParams::default();
    let bytes: Vec<u8> =
        (0..serial.len()).step_by(2).map(|at| u8::from_str_radix(&serial[at..at + 2], 16).unwrap()).collect();
    params.serial_number = Some(SerialNumber::from_slice(&bytes));
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(from.0, from.1, 1);
    params.not_after = date_time_ymd(to.0, to.1, 1);
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn the_merchants_certificate_is_checked() {
    let env = TestEnv::new();
    let mchid = env.sandbox.mchid();
    let make =
        |name: &str, from, to| certificate(env.sandbox.merchant_key_pem(), MERCHANT_SERIAL, name, from, to);
    let check = |pem: &str| doctor(&env, &[("WECHATPAY_SERIAL", ""), ("WECHATPAY_CERTIFICATE", pem)]);
    const CHECK: &str = "merchant certificate";
    let done = check(&make(mchid, (2019, 1), (2024, 1)));
    expect(&done, CHECK, "failed", "expired on Mon, 01 Jan 2024 00:00:00 GMT", "get a new API certificate");
    assert_eq!(done.code, Some(1));
    let done = check(&make(mchid, (4000, 1), (4024, 1)));
    expect(&done, CHECK, "failed", "is not valid before", "check the clock");
    let other = check(&make("1900000999", (2019, 1), (4024, 1)));
    expect(&other, CHECK, "warning", "was issued to `1900000999`, but `WECHATPAY_MCHID` is", "one merchant");
    // The platform's number is the common name; another name says nothing.
    expect(&check(&make("merchant", (2019, 1), (4024, 1))), CHECK, "ok", "valid until", "");
    let own = env.sandbox.merchant_certificate_pem();
    let done = check(own);
    expect(&done, CHECK, "ok", env.sandbox.serial(), "");
    assert_eq!(failed(&done), Vec::<String>::new(), "{done:?}");
    // A key of another kind, and another merchant's certificate for another key.
    let ec = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let ec = CertificateParams::default().self_signed(&ec).unwrap().pem();
    let done = check(&ec);
    expect(&done, CHECK, "failed", "an elliptic-curve public key (P-256)", "");
    let done = check(&key("merchant_cert.pem"));
    let found = format!("has the serial {MERCHANT_SERIAL}, and does not belong to the private key");
    expect(&done, CHECK, "failed", &found, "of one download");
    assert_eq!((done.code, failed(&done)), (Some(1), vec![CHECK.to_owned()]), "{done:?}");
}

#[test]
fn a_certificate_that_expires_soon_is_a_warning() {
    let env = TestEnv::new();
    // Its clock, as the platform's `Date`, decides: 20 days before the end.
    let pem = certificate(
        env.sandbox.merchant_key_pem(),
        MERCHANT_SERIAL,
        env.sandbox.mchid(),
        (2019, 1),
        (2100, 1),
    );
    let end: i64 = 4_102_444_800;
    let now = i64::try_from(now()).unwrap();
    for (days, status, words) in [
        (20, "warning", "(in 20 days)"),
        (0, "warning", "(in less than a day)"),
        (-2, "failed", "(1 day ago)"),
        (40, "ok", "valid until Fri, 01 Jan 2100"),
    ] {
        let skew = end - now - days * 86_400 - 3_600;
        let sandbox = sandbox_builder().clock_skew(skew).start().unwrap();
        let mut command = wxpay(env.home.path());
        command.envs(variables(&sandbox)).env("WECHATPAY_SERIAL", "").env("WECHATPAY_CERTIFICATE", &pem);
        let done = Done::of(command.arg("doctor"));
        expect(&done, "merchant certificate", status, words, "");
    }
}

#[test]
fn a_p12_file_is_checked_too() {
    let env = TestEnv::new();
    let key_file = env.file("key.pem", env.sandbox.merchant_key_pem());
    for (to, status, words) in [(2024, "failed", "expired on"), (4024, "ok", "valid until")] {
        let pem = certificate(
            env.sandbox.merchant_key_pem(),
            MERCHANT_SERIAL,
            env.sandbox.mchid(),
            (2019, 1),
            (to, 1),
        );
        let certificate_file = env.file("certificate.pem", pem);
        let p12 = env.home.path().join("apiclient_cert.p12").to_str().unwrap().to_owned();
        let password = format!("pass:{}", env.sandbox.mchid());
        let made = std::process::Command::new("openssl")
            .args(["pkcs12", "-export", "-inkey", &key_file, "-in", &certificate_file])
            .args(["-passout", &password, "-out", &p12])
            .status();
        assert!(made.unwrap().success());
        let done =
            doctor(&env, &[("WECHATPAY_SERIAL", ""), ("WECHATPAY_PRIVATE_KEY", ""), ("WECHATPAY_P12", &p12)]);
        expect(&done, "merchant certificate", status, words, "");
    }
}

#[test]
fn the_platforms_certificates_are_checked() {
    let env = TestEnv::new();
    const CHECK: &str = "platform certificate";
    let key_pem = key("platform_key.pem");
    let expired = certificate(&key_pem, "5555", "Tenpay.com sign", (2019, 1), (2024, 1));
    let pair = [("WECHATPAY_PLATFORM_SERIAL", "5555"), ("WECHATPAY_PLATFORM_CERTIFICATE", expired.as_str())];
    // Next to a public key it is only in the way.
    let done = doctor(&env, &pair);
    expect(&done, CHECK, "warning", "expired on Mon, 01 Jan 2024", "remove WECHATPAY_PLATFORM_SERIAL");
    assert_eq!((done.code, failed(&done)), (Some(0), Vec::new()), "{done:?}");
    let alone = [("WECHATPAY_PUBLIC_KEY", ""), ("WECHATPAY_PUBLIC_KEY_ID", "")];
    let done = doctor(&env, &[&pair[..], &alone].concat());
    expect(&done, CHECK, "failed", "expired on", "WECHATPAY_AUTOMATIC_CERTIFICATES=1");
    let done = doctor(&env, &[&pair[..], &alone, &[("WECHATPAY_AUTOMATIC_CERTIFICATES", "1")]].concat());
    expect(&done, CHECK, "warning", "expired on", "remove");
    let future = certificate(&key_pem, "5555", "Tenpay.com sign", (4000, 1), (4024, 1));
    let pair = [("WECHATPAY_PLATFORM_SERIAL", "5555"), ("WECHATPAY_PLATFORM_CERTIFICATE", future.as_str())];
    let done = doctor(&env, &[&pair[..], &alone].concat());
    expect(&done, CHECK, "failed", "is not valid before", "check the clock");
    let done = doctor(&env, &alone);
    expect(&done, CHECK, "ok", env.sandbox.platform_certificate_serial(), "");
}
