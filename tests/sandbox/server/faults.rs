//! Faults that are injected once: of the signature, of the connection.

use std::time::{Duration, Instant};

use wechatpay_chain::sandbox::{Fault, Verdict};

use super::*;
use crate::raw_http::*;

#[test]
fn faults_of_the_signature() {
    let (sandbox, keys) = sandbox!();
    let with = |fault: Fault| {
        sandbox.inject(fault);
        get(&sandbox, &keys, CERTIFICATES)
    };
    assert!(!with(Fault::BadSignature).verifies(&keys));

    let serial = with(Fault::UnknownSerial).header("Wechatpay-Serial").unwrap().to_string();
    assert!(serial.len() == 40 && serial != sandbox.platform_certificate_serial(), "{serial}");

    for name in ["Wechatpay-Nonce", "wechatpay-signature", "Request-ID", "Date"] {
        assert_eq!(with(Fault::MissingHeader(name.into())).header(name), None);
    }

    let old = with(Fault::OldTimestamp);
    let age = now() - old.header("Wechatpay-Timestamp").unwrap().parse::<i64>().unwrap();
    assert!((301..304).contains(&age) && old.verifies(&keys), "{age}");

    let probe = with(Fault::SignatureProbe);
    let signature = probe.header("Wechatpay-Signature").unwrap();
    assert!(signature.starts_with("WECHATPAY/SIGNTEST/") && signature.len() == 344, "{signature}");
    assert!(!probe.verifies(&keys));

    let wrong = with(Fault::WrongBody);
    assert!(!wrong.verifies(&keys) && wrong.verifies_over(&keys, wrong.body.trim_ascii_end()));
    sandbox.on("GET", "v3/empty", 204, serde_json::Value::Null).unwrap();
    sandbox.inject(Fault::WrongBody);
    let wrong = get(&sandbox, &keys, "/v3/empty");
    assert!(wrong.status == 200 && !wrong.body.is_empty() && !wrong.verifies(&keys));
    assert!(get(&sandbox, &keys, CERTIFICATES).verifies(&keys), "each fault serves once");
    let seen = sandbox.requests();
    assert!(seen.iter().all(|request| request.passed()));
    // Only the last one got the right response.
    let (last, spoilt) = seen.split_last().unwrap();
    assert_eq!(last.verdict, Verdict::Accepted);
    assert!(spoilt.iter().all(|request| request.verdict == Verdict::Disturbed && request.faults.len() == 1));
}

#[test]
fn faults_of_the_connection() {
    let (sandbox, keys) = sandbox!();
    let plan = || Plan::new(&sandbox, "GET", CERTIFICATES, "");
    sandbox.inject(Fault::HtmlBadGateway);
    sandbox.inject(Fault::CutConnection);
    sandbox.inject(Fault::CutBody);
    sandbox.inject(Fault::Delay(Duration::from_millis(300)));
    let reply = send(&sandbox, &keys, &plan());
    assert_eq!((reply.status, reply.header("Content-Type")), (502, Some("text/html")));
    assert!(reply.header("Wechatpay-Signature").is_none());
    assert!(try_send(&sandbox, &keys, &plan()).is_none());
    let reply = send(&sandbox, &keys, &plan());
    assert!(!reply.whole && !reply.body.is_empty() && reply.status == 200, "{reply:?}");
    let start = Instant::now();
    assert!(send(&sandbox, &keys, &plan()).verifies(&keys));
    assert!(start.elapsed() >= Duration::from_millis(300));

    sandbox.inject_always(Fault::UnknownSerial);
    sandbox.inject(Fault::MissingHeader("Date".into()));
    let serial = sandbox.platform_certificate_serial();
    for date in [false, true, true] {
        let reply = send(&sandbox, &keys, &plan());
        assert_ne!(reply.header("Wechatpay-Serial"), Some(serial));
        assert_eq!(reply.header("Date").is_some(), date);
    }
    sandbox.inject(Fault::CutConnection);
    sandbox.clear_faults();
    assert!(send(&sandbox, &keys, &plan()).verifies(&keys));
    assert_eq!(sandbox.requests().len(), 8);
}
