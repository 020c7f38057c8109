//! Automatic platform certificates, and platform keys that change while calls are under way.

// Calls and runtimes that end before their download does.
mod dropped;
// Downloads that are held back, and what the errors say.
mod held_back;
// The first download, what starts it, and what happens when it fails.
mod download;
// Later downloads: for an unknown serial number, and every twelve hours.
mod refresh;
// Platform keys that change while calls are under way: no call is lost.
mod rotation;
// Lists of certificates that are accepted, and those that are not.
mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::{Clock, Error, WeChatPay, WeChatPayBuilder};

use crate::support;

/// A client without any platform key of its own.
fn automatic(sandbox: &Sandbox) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .private_key(sandbox.merchant_key_pem())
        .apiv3_key(sandbox.apiv3_key())
        .automatic_certificates()
        .base_url(sandbox.base_url())
}

fn echo(wx: &WeChatPay) -> wechatpay_chain::Request {
    wx["v3/security/echo"].post(json!({"echo_message": "hello"}))
}

/// The targets that were asked for, in order.
fn targets(sandbox: &Sandbox) -> Vec<String> {
    sandbox.requests().into_iter().map(|request| request.target).collect()
}

fn downloads(sandbox: &Sandbox) -> usize {
    targets(sandbox).iter().filter(|target| *target == "/v3/certificates").count()
}

/// The machine's clock, some seconds ahead.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn unix_seconds(&self) -> u64 {
        support::now() + self.0.load(Ordering::SeqCst)
    }
}

/// A clock that the test sets. It begins a minute ahead: what is too old for the machine is too old for it, also after
/// the machine's clock went on.
#[derive(Clone)]
struct Set(Arc<AtomicU64>);

impl Set {
    fn ahead() -> Set {
        Set(Arc::new(AtomicU64::new(support::now() + 60)))
    }

    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Set {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The error of a call whose certificates cannot be downloaded, and its cause: the call itself was not sent.
async fn unsent(wx: &WeChatPay) -> String {
    let mut texts = Vec::new();
    for result in [echo(wx).await, echo(wx).wait()] {
        let Err(error) = result else { panic!("a response") };
        assert_eq!((error.status(), error.code()), (None, None), "no response to this call: {error}");
        let Error::PlatformKeys(e) = &error else { panic!("not a PlatformKeys error: {error}") };
        assert!(e.retry_after().is_some(), "{error}");
        let cause = std::error::Error::source(&error).expect("the cause").to_string();
        assert!(
            error.to_string().ends_with("; nothing was sent") && !error.to_string().contains(&cause),
            "{error}"
        );
        texts.push(format!("{error} / {cause}"));
    }
    texts.remove(0)
}
