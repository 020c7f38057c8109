//! How long a call may take, and on which threads a caller's own code runs.

// `timeout` is the longest that the caller waits.
mod deadline;
// Signers and clocks that block, and what they must not stop.
mod foreign_code;
// A process in which no runtime or thread can be started.
mod no_runtime;
// Where signatures are made: on one core, and on more.
mod signing;

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::signer::{SignFuture, Signer};
use wechatpay_chain::{WeChatPay, WeChatPayBuilder};

use crate::support::{self, MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, key};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// The same, of the platform at `base`.
fn automatic_at(base: &str) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .apiv3_key(support::APIV3_KEY)
        .automatic_certificates()
        .base_url(base)
}

/// A client of the platform at `base` whose key is elsewhere.
fn signed_by(signer: impl Signer, base: &str) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .signer(signer)
        .platform_key(PLATFORM_SERIAL, key("platform_cert.pem"))
        .apiv3_key(support::APIV3_KEY)
        .base_url(base)
}

/// Blocks threads until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Blocks this thread. Whether the gate was opened in time.
    fn pass(&self) -> bool {
        let closed = self.0.0.lock().unwrap();
        !self.0.1.wait_timeout_while(closed, PATIENCE, |open| !*open).unwrap().1.timed_out()
    }
}

/// Blocks its thread, as an HSM library without a timeout does.
#[derive(Clone, Default)]
struct Blocking {
    gate: Gate,
    asked: Arc<Gate>,
}

impl Signer for Blocking {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        let this = self.clone();
        Box::pin(async move {
            this.asked.open();
            Err(format!("the HSM is gone (released: {})", this.gate.pass()).into())
        })
    }
}

/// Runs `work` on a thread. Panics if it does not end.
fn ends<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{what}: {e}"))
}
