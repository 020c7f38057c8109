//! Every fault of the sandbox gives its own error, async and blocking.

use std::time::Duration;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, Sandbox, SandboxResponse, Verdict};
use wechatpay_chain::{Error, Response, VerifyReason, WeChatPay};

use crate::support::{self, sandbox_builder, start_sandbox};

/// The same call with the same fault, async and blocking.
async fn both(sandbox: &Sandbox, wx: &WeChatPay, fault: Fault) -> [Result<Response, Error>; 2] {
    let request = || wx["v3/security/echo"].post(json!({"echo_message": "hello"}));
    sandbox.inject(fault.clone());
    let first = request().await;
    sandbox.inject(fault);
    [first, request().wait()]
}

fn reason(result: Result<Response, Error>) -> VerifyReason {
    match result {
        Err(Error::Verify(e)) => {
            assert!(e.status.is_some());
            e.reason
        }
        other => panic!("not a Verify error: {other:?}"),
    }
}

#[tokio::test]
async fn each_fault_has_its_error() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let serial = sandbox.platform_public_key_id().to_owned();

    for result in both(&sandbox, &wx, Fault::BadSignature).await {
        assert_eq!(reason(result), VerifyReason::BadSignature { serial: serial.clone() });
    }
    for result in both(&sandbox, &wx, Fault::WrongBody).await {
        assert_eq!(reason(result), VerifyReason::BadSignature { serial: serial.clone() });
    }
    for result in both(&sandbox, &wx, Fault::UnknownSerial).await {
        let VerifyReason::UnknownSerial { serial: other, known, refresh: None } = reason(result) else {
            panic!()
        };
        assert!(
            other != serial
                && known.contains(&serial)
                && known.contains(sandbox.platform_certificate_serial())
        );
    }
    for header in ["Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature", "Wechatpay-Timestamp"] {
        for result in both(&sandbox, &wx, Fault::MissingHeader(header.into())).await {
            assert_eq!(reason(result), VerifyReason::MissingHeader { header });
        }
    }
    for result in both(&sandbox, &wx, Fault::OldTimestamp).await {
        let VerifyReason::ClockSkew { timestamp, now } = reason(result) else { panic!() };
        assert!(now - timestamp > 300);
    }
    for result in both(&sandbox, &wx, Fault::SignatureProbe).await {
        assert_eq!(reason(result), VerifyReason::SignatureProbe);
    }
    for result in both(&sandbox, &wx, Fault::HtmlBadGateway).await {
        let Err(Error::Api(e)) = result else { panic!("{result:?}") };
        assert_eq!((e.status, e.code.as_str(), e.verified), (502, "", false));
        assert!(e.message.contains("text/html"), "{e}");
    }
    for fault in [Fault::CutConnection, Fault::CutBody] {
        for result in both(&sandbox, &wx, fault.clone()).await {
            let Err(Error::Transport(e)) = result else { panic!("{result:?}") };
            assert!(e.maybe_sent(), "{e}");
            assert!(e.to_string().starts_with("POST v3/security/echo: "), "{e}");
        }
    }
    for result in both(&sandbox, &wx, Fault::Delay(Duration::from_millis(20))).await {
        assert_eq!(result.unwrap().status(), 200);
    }
    let hasty = sandbox.client_builder().timeout(Duration::from_millis(50)).build().unwrap();
    for result in both(&sandbox, &hasty, Fault::Delay(Duration::from_millis(400))).await {
        let Err(Error::Transport(e)) = result else { panic!("{result:?}") };
        assert!(e.maybe_sent() && e.to_string().contains("50ms"), "{e}");
    }
    // No file is left behind.
    assert_eq!(wx["v3/security/echo"].post(json!({"echo_message": "hello"})).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_platforms_refusals_come_back_verified() {
    let sandbox = sandbox_builder().strict(true).start().unwrap();
    let wx = sandbox.client().unwrap();
    for result in [wx["v3/security/echo"].post(json!({})).await, wx["v3/security/echo"].post_sync(json!({}))]
    {
        let Err(Error::Api(e)) = result else { panic!("{result:?}") };
        assert_eq!((e.status, e.code.as_str(), e.verified), (400, "PARAM_ERROR", true));
        assert!(e.message.contains("echo_message") && e.request_id.is_some(), "{e}");
    }
    for result in [wx["v3/nowhere"].get().await, wx["v3/nowhere"].get_sync()] {
        let Err(Error::Api(e)) = result else { panic!("{result:?}") };
        assert_eq!((e.status, e.code.as_str()), (404, "RESOURCE_NOT_EXISTS"));
    }
    // A signed error whose signature does not verify is not the platform's.
    sandbox.inject(Fault::BadSignature);
    assert!(matches!(wx["v3/nowhere"].get().await, Err(Error::Verify(_))));
    // Another key than the one that the platform knows, and another clock.
    let stranger = sandbox.client_builder().private_key(support::key("merchant_key.pem")).build().unwrap();
    let late = sandbox.client_builder().clock(Fixed(support::now() - 301)).build().unwrap();
    for wx in [stranger, late] {
        sandbox.clear_requests();
        let result = wx["v3/security/echo"].post(json!({"echo_message": "x"})).await;
        match result {
            Err(Error::Api(e)) => assert_eq!((e.status, e.code.as_str()), (401, "SIGN_ERROR")),
            // The late client cannot trust the response either: its timestamp is in the future.
            Err(Error::Verify(e)) => assert!(matches!(e.reason, VerifyReason::ClockSkew { .. })),
            other => panic!("{other:?}"),
        }
        assert!(format!("{:?}", sandbox.requests()[0].verdict).contains("SIGN_ERROR"));
    }
}

struct Fixed(u64);

impl wechatpay_chain::Clock for Fixed {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}

#[test]
fn the_seeds_call_in_every_spelling() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let body = json!({
        "openid": "o1", "sub_openid": "o2", "service_id": "500001", "appid": "wxd678efh567hg6787",
        "sub_appid": "wxd678efh567hg6788", "sub_mchid": "1230000109", "reason": "reason",
    });
    let path = "v3/payscore/partner/permissions/terminate";
    for chain in [
        wx[path].clone(),
        wx.chain(path),
        wx.seg("v3").seg("payscore").seg("partner").seg("permissions").seg("terminate"),
        wechatpay_chain::chain!(wx->v3->payscore->partner->permissions->terminate),
        wechatpay_chain::chain!(wx.v3.payscore.partner.permissions.terminate),
    ] {
        let response = chain.post_sync(body.clone()).unwrap();
        assert_eq!((response.status(), response.data(), response.verified()), (204, &Value::Null, true));
    }
    for seen in sandbox.requests() {
        assert_eq!(seen.target, format!("/{path}"));
        assert_eq!(serde_json::from_slice::<Value>(&seen.body).unwrap(), body);
    }
    assert_eq!(sandbox.requests().len(), 5);
}

#[test]
fn both_kinds_of_platform_key_verify_side_by_side() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let echo = |serial: &str| {
        let request =
            wx["v3/security/echo"].post(json!({"echo_message": "x"})).header("Wechatpay-Serial", serial);
        request.wait().unwrap().header("wechatpay-serial").unwrap().to_owned()
    };
    for serial in [sandbox.platform_public_key_id(), sandbox.platform_certificate_serial()] {
        assert_eq!(echo(serial), serial);
    }
}

#[test]
fn unsigned_paths_and_overseas_statements() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    sandbox
        .on_with("GET", "v3/billdownload/file", SandboxResponse::new(200).body("text/csv", "`a").unsigned())
        .unwrap();
    assert!(!wx["v3/billdownload/file"].get_sync().unwrap().verified());
    sandbox
        .on_with("POST", "v3/billdownload/file", SandboxResponse::new(200).body("text/csv", "`a").unsigned())
        .unwrap();
    assert!(matches!(wx["v3/billdownload/file"].post_sync(json!({})), Err(Error::Verify(_))));
    sandbox.on_with("GET", "v3/other", SandboxResponse::new(204).unsigned()).unwrap();
    assert!(matches!(wx["v3/other"].get_sync(), Err(Error::Verify(_))), "a forged empty 204");

    let sha1 = "6cc981744e5c893179434506139a3107851b061e"; // of "csv", by sha1sum
    let statement = |body: &'static str| {
        SandboxResponse::new(200).header("Wechatpay-Statement-Sha1", sha1).body("text/csv", body)
    };
    sandbox.on_with("GET", "v3/global/statements", statement("csv")).unwrap();
    assert!(wx["v3/global/statements"].get_sync().unwrap().verified());
    assert_eq!(sandbox.requests().pop().unwrap().verdict, Verdict::Accepted);
    sandbox.on_with("GET", "v3/global/statements", statement("tampered")).unwrap();
    let Err(Error::Verify(e)) = wx["v3/global/statements"].get_sync() else { panic!("not a Verify error") };
    assert!(matches!(&e.reason, VerifyReason::BadDigest { expected, .. } if expected == sha1), "{e}");
}
