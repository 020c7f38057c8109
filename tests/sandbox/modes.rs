//! Which kinds of platform keys are in service: the public key, certificates, or both; and what a restart keeps.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use wechatpay_chain::{
    Error, WeChatPay, WeChatPayBuilder,
    sandbox::{Rotation, Sandbox, SandboxError, SigningMode, SnippetLanguage},
};

use crate::raw_http::*;
use crate::support::has;

const ECHO: &str = "/v3/security/echo";
const HELLO: &str = r#"{"echo_message":"hello"}"#;
const CERTIFICATES: &str = "/v3/certificates";

/// Fresh keys: nothing is shared with other tests.
fn start(mode: SigningMode) -> Sandbox {
    Sandbox::builder().sign_with(mode).start().unwrap()
}

fn merchant(sandbox: &Sandbox) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .private_key(sandbox.merchant_key_pem())
        .apiv3_key(sandbox.apiv3_key())
        .base_url(sandbox.base_url())
}

pub(crate) fn echo(wx: &WeChatPay) -> Result<(), Error> {
    wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"})).map(drop)
}

fn notified(sandbox: &Sandbox, wx: &WeChatPay) -> Result<(), Error> {
    let (headers, body) =
        sandbox.notification("TRANSACTION.SUCCESS", "transaction", &json!({"a": 1})).unwrap();
    wx.notification(&headers, body).wait().map(drop)
}

/// A transfer whose name is encrypted with the key that the client prefers.
fn transfer(wx: &WeChatPay, number: &str) -> Result<(), Error> {
    let body = json!({
        "appid": "wxd678efh567hg6787", "out_bill_no": number, "transfer_scene_id": "1000", "openid": "oUpF8uMuAJO",
        "user_name": "张三", "transfer_amount": 200_000, "transfer_remark": "奖金",
        "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "新会员有礼"},
            {"info_type": "奖励说明", "info_content": "注册会员抽奖一等奖"}],
    });
    wx["v3/fund-app/mch-transfer/transfer-bills"].post(body).encrypt(&["/user_name"]).wait().map(drop)
}

pub(crate) fn control(sandbox: &Sandbox, body: &Value) -> (u16, Value) {
    control_at(sandbox, "keys", body)
}

/// Posts to the control endpoint.
pub(crate) fn control_at(sandbox: &Sandbox, path: &str, body: &Value) -> (u16, Value) {
    let (host, text) =
        (sandbox.base_url().trim_start_matches("http://").trim_end_matches('/'), body.to_string());
    let head =
        format!("POST /_sandbox/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", text.len());
    let reply = send_bytes(sandbox, &[head.as_bytes(), text.as_bytes()].concat()).unwrap();
    (reply.status, reply.json())
}

#[test]
fn a_client_with_the_public_key_only_works_by_default() {
    if !has("openssl") {
        return;
    }
    let by_default = Sandbox::start().unwrap();
    assert_eq!(by_default.mode(), SigningMode::Migration);
    let reply = post(&by_default, &export(&by_default), ECHO, HELLO);
    assert_eq!(reply.header("Wechatpay-Serial"), Some(by_default.platform_public_key_id()));
    let (headers, _) = by_default.notification("A.B", "x", &json!({})).unwrap();
    assert_eq!(headers["wechatpay-serial"], by_default.platform_public_key_id());
    // It follows a client that downloads the certificates, and says so to one that names a key.
    echo(&by_default.client().unwrap()).unwrap();
    let automatic = merchant(&by_default).automatic_certificates().build().unwrap();
    echo(&automatic).unwrap();
    notified(&by_default, &automatic).unwrap();
    let reply = post(&by_default, &export(&by_default), ECHO, HELLO);
    assert_eq!(reply.header("Wechatpay-Serial"), Some(by_default.platform_certificate_serial()));

    let sandbox = start(SigningMode::PublicKey);
    let wx = merchant(&sandbox)
        .platform_key(sandbox.platform_public_key_id(), sandbox.platform_public_key_pem())
        .build()
        .unwrap();
    echo(&wx).unwrap();
    notified(&sandbox, &wx).unwrap();
    transfer(&wx, "T1").unwrap();

    // Without `Wechatpay-Serial`, too.
    let keys = export(&sandbox);
    let id = sandbox.platform_public_key_id();
    let reply = post(&sandbox, &keys, ECHO, HELLO);
    assert!(reply.header("Wechatpay-Serial") == Some(id) && reply.verifies(&keys), "{reply:?}");
    let (headers, body) = sandbox.notification("A.B", "x", &json!({})).unwrap();
    assert_eq!(headers["wechatpay-serial"], id);
    assert!(!body.is_empty());

    // What the platform says to a merchant without certificates; and it has none that a request could name.
    let reply = get(&sandbox, &keys, CERTIFICATES);
    assert_eq!((reply.status, reply.code().as_str()), (404, "RESOURCE_NOT_EXISTS"));
    assert!(reply.message().contains("无可用的平台证书") && reply.verifies(&keys), "{reply:?}");
    let certificate = sandbox.platform_certificate_serial();
    let reply = send(
        &sandbox,
        &keys,
        &Plan::new(&sandbox, "POST", ECHO, HELLO).header("Wechatpay-Serial", certificate),
    );
    assert_eq!((reply.status, reply.code().as_str()), (400, "PARAM_ERROR"));
    assert!(reply.message().contains("public-key mode"), "{}", reply.message());
    assert_eq!(sandbox.decrypt(certificate, "AAAA"), None);
    let wrong =
        merchant(&sandbox).platform_key(certificate, sandbox.platform_certificate_pem()).build().unwrap();
    assert!(transfer(&wrong, "T2").is_err() && notified(&sandbox, &wrong).is_err());
}

/// What names no key of the platform is ignored, so it cannot mean that the client has one.
#[test]
fn a_download_of_the_certificates_with_the_merchants_own_serial_is_followed() {
    if !has("openssl") {
        return;
    }
    let sandbox = Sandbox::start().unwrap();
    let keys = export(&sandbox);
    let certificate = sandbox.platform_certificate_serial();
    let named = |target: &str, serial: &str| {
        let plan = Plan::new(&sandbox, "GET", target, "").header("Wechatpay-Serial", serial);
        send(&sandbox, &keys, &plan).header("Wechatpay-Serial").unwrap().to_owned()
    };
    let other = "/v3/refund/domestic/refunds/R1";
    // A client that names the public key has it.
    let id = sandbox.platform_public_key_id();
    assert_eq!((named(CERTIFICATES, id).as_str(), named(other, "").as_str()), (id, id));
    // Also below the path of a base URL.
    let list = get(&sandbox, &keys, "/hk/v3/certificates");
    assert_eq!((list.status, list.header("Wechatpay-Serial")), (200, Some(certificate)));
    sandbox.sign_with(id).unwrap();
    let list = get(&sandbox, &keys, "/hk/v3/certificates");
    assert_eq!((list.header("Wechatpay-Serial"), named(other, "").as_str()), (Some(certificate), id));

    let sandbox = Sandbox::start().unwrap();
    let keys = export(&sandbox);
    let certificate = sandbox.platform_certificate_serial();
    let named = |target: &str, serial: &str| {
        let plan = Plan::new(&sandbox, "GET", target, "").header("Wechatpay-Serial", serial);
        send(&sandbox, &keys, &plan).header("Wechatpay-Serial").unwrap().to_owned()
    };
    assert_eq!(named(CERTIFICATES, sandbox.serial()), certificate);
    assert_eq!(named(other, sandbox.serial()), certificate);
    let (headers, _) = sandbox.notification("A.B", "x", &json!({})).unwrap();
    assert_eq!(headers["wechatpay-serial"], certificate);
}

#[test]
fn a_client_with_certificates_only_works_in_certificate_mode() {
    if !has("openssl") {
        return;
    }
    let sandbox = start(SigningMode::Certificate);
    let certificate = sandbox.platform_certificate_serial();
    let configured = merchant(&sandbox).platform_key(certificate, sandbox.platform_certificate_pem());
    let automatic = merchant(&sandbox).automatic_certificates();
    for (number, wx) in [("T1", configured.build().unwrap()), ("T2", automatic.build().unwrap())] {
        echo(&wx).unwrap();
        notified(&sandbox, &wx).unwrap();
        transfer(&wx, number).unwrap();
    }
    let keys = export(&sandbox);
    let reply = get(&sandbox, &keys, CERTIFICATES);
    assert_eq!(reply.json()["data"][0]["serial_no"], certificate);
    assert!(reply.header("Wechatpay-Serial") == Some(certificate) && reply.verifies(&keys), "{reply:?}");

    let id = sandbox.platform_public_key_id();
    let reply =
        send(&sandbox, &keys, &Plan::new(&sandbox, "POST", ECHO, HELLO).header("Wechatpay-Serial", id));
    assert_eq!((reply.status, reply.code().as_str()), (400, "PARAM_ERROR"));
    assert!(reply.message().contains("certificate mode"), "{}", reply.message());
    let wrong = merchant(&sandbox).platform_key(id, sandbox.platform_public_key_pem()).build().unwrap();
    assert!(echo(&wrong).is_err() && notified(&sandbox, &wrong).is_err());
}

#[test]
fn the_settings_follow_the_mode() {
    for (mode, expected, absent) in [
        (SigningMode::PublicKey, &["PUBLIC_KEY_ID", "PUBLIC_KEY"][..], &["AUTOMATIC", "PLATFORM_SERIAL"][..]),
        (
            SigningMode::Certificate,
            &["AUTOMATIC_CERTIFICATES", "PLATFORM_SERIAL", "PLATFORM_CERTIFICATE"],
            &["PUBLIC_KEY"],
        ),
        (
            SigningMode::Migration,
            &["PUBLIC_KEY_ID", "PUBLIC_KEY", "PLATFORM_SERIAL", "PLATFORM_CERTIFICATE"],
            &["AUTOMATIC"],
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let sandbox = Sandbox::builder().keys(folder.path()).sign_with(mode).start().unwrap();
        // By default, and after a rotation: the program that reads them works at once.
        for rotated in [false, true] {
            if rotated && mode == SigningMode::PublicKey {
                sandbox.rotate(Rotation::PublicKey).unwrap();
                sandbox.retire(sandbox.platform_public_key_id()).unwrap();
            } else if rotated {
                sandbox.rotate(Rotation::Certificate).unwrap();
                sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
            }
            let exports = sandbox.exports(folder.path()).unwrap();
            let exported: Vec<(String, String)> = exports
                .lines()
                .map(|line| line.trim_start_matches("export ").split_once('=').unwrap())
                .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
                .collect();
            let given: Vec<(String, String)> =
                sandbox.variables().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            for variables in [exported, given] {
                let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
                for name in expected {
                    assert!(names.contains(&format!("WECHATPAY_{name}").as_str()), "{mode}: {names:?}");
                }
                for name in absent {
                    assert!(!exports.contains(&format!("WECHATPAY_{name}")), "{mode}: {exports}");
                }
                let value =
                    |name: &str| variables.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
                let wx = WeChatPayBuilder::from_variables(value).unwrap().build().unwrap();
                echo(&wx).unwrap_or_else(|e| panic!("{mode}: {e}"));
                notified(&sandbox, &wx).unwrap_or_else(|e| panic!("{mode}: {e}"));
            }
            let wx = sandbox.client().unwrap();
            echo(&wx).unwrap();
            notified(&sandbox, &wx).unwrap();
            // The files that they name exist.
            let snippets = [SnippetLanguage::Node, SnippetLanguage::Rust]
                .map(|language| sandbox.snippet(language, folder.path()).unwrap())
                .concat();
            for path in snippets.split("readFileSync('").skip(1).map(|rest| rest.split('\'').next().unwrap())
            {
                assert!(Path::new(path).exists(), "{path}");
            }
            assert_eq!(snippets.contains(".automatic_certificates()"), mode == SigningMode::Certificate);
        }
    }
}

#[test]
fn a_merchant_moves_from_certificates_to_the_public_key() {
    let sandbox = start(SigningMode::Certificate);
    let (old, new) = (sandbox.platform_certificate_serial(), sandbox.platform_public_key_id());
    let before = merchant(&sandbox).automatic_certificates().build().unwrap();
    echo(&before).unwrap();
    assert!(control(&sandbox, &json!({"sign_with": new})).0 == 400, "it is not in service yet");

    // Both are in service; the certificate still signs, unless a request names the public key.
    let (status, keys) = control(&sandbox, &json!({"mode": "migration"}));
    assert_eq!((status, &keys["mode"], &keys["signs"]), (200, &json!("migration"), &json!(old)));
    let after = merchant(&sandbox)
        .automatic_certificates()
        .platform_key(new, sandbox.platform_public_key_pem())
        .build()
        .unwrap();
    for wx in [&before, &after] {
        echo(wx).unwrap();
        notified(&sandbox, wx).unwrap();
    }
    transfer(&before, "T1").unwrap();
    transfer(&after, "T2").unwrap();
    // The platform signs with the public key: only the client that moved can verify a notification.
    assert_eq!(control(&sandbox, &json!({"sign_with": new})).1["signs"], new);
    notified(&sandbox, &after).unwrap();
    assert!(notified(&sandbox, &before).is_err());
    let (_, keys) = control(&sandbox, &json!({"mode": "public-key"}));
    assert_eq!((&keys["mode"], &keys["certificates"]), (&json!("public-key"), &json!([])));
    echo(&after).unwrap();
    assert!(echo(&before).is_err());
    // And back.
    sandbox.set_mode(SigningMode::Certificate).unwrap();
    echo(&before).unwrap();
    assert_eq!(control(&sandbox, &json!({"mode": "both"})).0, 400);
    for (name, mode) in [("public-key", SigningMode::PublicKey), ("migration", SigningMode::Migration)] {
        assert_eq!((name.parse::<SigningMode>().unwrap(), mode.to_string()), (mode, name.to_owned()));
    }
    let error = "Public-Key".parse::<SigningMode>().unwrap_err();
    assert!(matches!(error, SandboxError::Setting { name: "sign_with", .. }), "{error}");
}

#[test]
fn a_new_certificate_is_published_before_it_signs() {
    let sandbox = start(SigningMode::Certificate);
    let old = sandbox.platform_certificate_serial();
    let (_, keys) = control(&sandbox, &json!({"publish": "certificate"}));
    let new = keys["added"].as_str().unwrap();
    assert_eq!((keys["signs"].as_str(), keys["certificates"][1]["serial"].as_str()), (Some(old), Some(new)));
    // A client that downloads now knows the new one before it signs.
    let wx = merchant(&sandbox).automatic_certificates().build().unwrap();
    echo(&wx).unwrap();
    assert_eq!(wx.platform_serials().len(), 2);
    assert_eq!(control(&sandbox, &json!({"sign_with": new})).1["signs"], new);
    notified(&sandbox, &wx).unwrap();
    let downloads = sandbox.requests().iter().filter(|request| request.target == CERTIFICATES).count();
    assert_eq!(downloads, 1);

    let sandbox = start(SigningMode::PublicKey);
    let (_, keys) = control(&sandbox, &json!({"publish": "public-key"}));
    assert_eq!(keys["signs"], sandbox.platform_public_key_id());
    assert_eq!(keys["public_keys"][1]["serial"], keys["added"]);
}

#[test]
fn serials_are_numbers_in_both_modes() {
    if !has("openssl") {
        return;
    }
    for (zero, mode) in [
        (true, SigningMode::Certificate),
        (false, SigningMode::Certificate),
        (true, SigningMode::PublicKey),
        (false, SigningMode::PublicKey),
    ] {
        let sandbox = Sandbox::builder().serial_zero(zero).sign_with(mode).start().unwrap();
        for serial in [sandbox.serial(), sandbox.platform_certificate_serial()] {
            assert!(serial.len() == 40 && serial.starts_with('0') == zero, "{serial}");
        }
        let forms = |serial: &str| {
            let short = serial.trim_start_matches('0').to_owned();
            [
                serial.to_owned(),
                serial.to_lowercase(),
                short.clone(),
                short.to_lowercase(),
                format!("00{short}"),
            ]
        };
        let keys = export(&sandbox);
        // The merchant's serial in `Authorization`, and in a `Wechatpay-Serial` that says nothing.
        for serial in forms(sandbox.serial()) {
            let mut plan = Plan::new(&sandbox, "POST", ECHO, HELLO).header("Wechatpay-Serial", &serial);
            plan.serial = serial.clone();
            assert_eq!(send(&sandbox, &keys, &plan).status, 200, "{serial}");
        }
        // A client that is configured with any form.
        for serial in forms(sandbox.serial()) {
            let client = sandbox.client_builder().serial(serial).build().unwrap();
            echo(&client).unwrap();
        }
        if mode == SigningMode::PublicKey {
            continue;
        }
        let certificate = sandbox.platform_certificate_serial();
        for (n, serial) in forms(certificate).iter().enumerate() {
            let plan = Plan::new(&sandbox, "POST", ECHO, HELLO).header("Wechatpay-Serial", serial);
            let reply = send(&sandbox, &keys, &plan);
            assert_eq!(
                (reply.status, reply.header("Wechatpay-Serial")),
                (200, Some(certificate)),
                "{serial}"
            );
            let wx =
                merchant(&sandbox).platform_key(serial, sandbox.platform_certificate_pem()).build().unwrap();
            echo(&wx).unwrap();
            notified(&sandbox, &wx).unwrap();
            transfer(&wx, &format!("T{n}")).unwrap();
            // A response and a notification that name the key in this form.
            let (mut headers, body) = sandbox.notification("A.B", "x", &json!({})).unwrap();
            headers.insert("wechatpay-serial", serial.parse().unwrap());
            sandbox.client().unwrap().notification(&headers, body).wait().unwrap();
        }
        // The list, with serials in another form than the response's.
        let automatic = merchant(&sandbox).automatic_certificates().build().unwrap();
        echo(&automatic).unwrap();
        assert_eq!(automatic.platform_serials(), [certificate]);
    }
    // An existing folder has the serials that it has.
    let folder = TempDir::new().unwrap();
    drop(Sandbox::builder().keys(folder.path()).start().unwrap());
    let error = Sandbox::builder().keys(folder.path()).serial_zero(true).start().unwrap_err();
    assert!(matches!(error, SandboxError::Setting { name: "serial_zero", .. }), "{error}");
}
