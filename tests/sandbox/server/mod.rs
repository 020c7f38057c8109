//! The sandbox and the protocol: messages are joined here, `openssl` signs and verifies.

/// A sandbox and its keys as files; without `openssl` the test returns, reported as skipped.
macro_rules! sandbox {
    () => {
        sandbox!(sandbox_builder())
    };
    ($builder:expr) => {{
        if !has("openssl") {
            return;
        }
        let builder: wechatpay_chain::sandbox::SandboxBuilder = $builder;
        let sandbox = builder.start().unwrap();
        let keys = export(&sandbox);
        (sandbox, keys)
    }};
}

// Signatures of requests and responses, the clock, nonces.
mod authorization;
// Connections: garbage, slow and idle ones, several requests, the end of the server.
mod connections;
// Faults that are injected once: of the signature, of the connection.
mod faults;
// Keys, the keys folder, settings.
mod identity;
// Paths, verbs, bodies, built-in and scripted responses.
mod routes;

use crate::raw_http::*;
use crate::support::{has, sandbox_builder};
use tempfile::TempDir;
use wechatpay_chain::sandbox::{Sandbox, Verdict};

const ECHO: &str = "/v3/security/echo";
const ECHO_BODY: &str = r#"{"echo_message":"你好 'quoted' \u4f60"}"#;
const CERTIFICATES: &str = "/v3/certificates";

#[track_caller]
fn assert_refused(sandbox: &Sandbox, keys: &TempDir, reply: &Reply, status: u16, code: &str, part: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.message());
    assert!(reply.message().contains(part), "{}", reply.message());
    assert!(reply.verifies(keys), "an error response is signed");
    assert!(reply.header("Request-ID").is_some());
    match &sandbox.requests().last().unwrap().verdict {
        Verdict::Refused { status: seen, code: reported, message } => {
            assert_eq!((*seen, reported.as_str(), message), (status, code, &reply.message()));
        }
        other => panic!("{other:?}"),
    }
}
