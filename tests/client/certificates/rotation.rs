//! Platform keys that change while calls are under way: no call is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use wechatpay_chain::sandbox::Rotation;
use wechatpay_chain::{Error, WeChatPay};

use super::*;
use crate::support::start_sandbox;

/// Async and blocking calls in a loop, and how many were answered.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), Error>>>,
    threads: Vec<thread::JoinHandle<Result<(), Error>>>,
}

impl Load {
    fn start(wx: &WeChatPay) -> Load {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let one = || (wx.clone(), Arc::clone(&stop), Arc::clone(&answered));
        let tasks = (0..6).map(|_| {
            let (wx, stop, answered) = one();
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    echo(&wx).await?;
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            })
        });
        let tasks = tasks.collect();
        let threads = (0..2).map(|_| {
            let (wx, stop, answered) = one();
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    echo(&wx).wait()?;
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            })
        });
        let threads = threads.collect();
        Load { stop, answered, tasks, threads }
    }

    /// Lets it run until a hundred more calls were answered.
    async fn go_on(&self) {
        let until = self.answered.load(Ordering::SeqCst) + 100;
        while self.answered.load(Ordering::SeqCst) < until {
            assert!(!self.tasks.iter().any(|task| task.is_finished()), "a call was lost");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// No call was lost.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap().unwrap();
        }
        for thread in self.threads {
            thread.join().unwrap().unwrap();
        }
        self.answered.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_from_certificate_to_certificate() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    let load = Load::start(&wx);
    load.go_on().await;
    clock.0.store(61, Ordering::SeqCst);
    // At once, without a period in which both are valid: the hardest case for a client.
    let new = sandbox.rotate(Rotation::Certificate).unwrap();
    load.go_on().await;
    sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
    load.go_on().await;
    let answered = load.end().await;
    assert_eq!(downloads(&sandbox), 2, "one for all who met the new serial");
    assert!(answered >= 300 && wx.platform_serials().contains(&new));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_from_public_key_to_public_key() {
    let sandbox = start_sandbox();
    let first = sandbox.platform_public_key_id();
    let wx = sandbox.client().unwrap();
    let load = Load::start(&wx);
    load.go_on().await;
    // The platform makes a key, the operator adds it to the running process, the platform retires the old one.
    let (second, pem) = sandbox.add_public_key().unwrap();
    load.go_on().await;
    wx.add_platform_key(&second, &pem).unwrap();
    assert_eq!(wx.platform_serial().as_deref(), Some(second.as_str()));
    load.go_on().await;
    sandbox.retire(first).unwrap();
    wx.remove_platform_key(first).unwrap();
    load.go_on().await;
    load.end().await;
    let last = sandbox.requests().pop().unwrap();
    assert_eq!(last.headers["wechatpay-serial"], second.as_str());
    assert!(!wx.platform_serials().contains(&first.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_from_certificate_to_public_key() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    let load = Load::start(&wx);
    load.go_on().await;
    let (id, pem) = sandbox.add_public_key().unwrap();
    wx.add_platform_key(&id, &pem).unwrap();
    load.go_on().await;
    sandbox.sign_with(&id).unwrap();
    load.go_on().await;
    sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
    load.go_on().await;
    load.end().await;
    // There are no certificates to download any more; the public key is enough.
    clock.0.store(61, Ordering::SeqCst);
    let Err(Error::PlatformKeys(e)) = wx.refresh_certificates().await else {
        panic!("not a PlatformKeys error")
    };
    assert!(e.is_permanent() && e.to_string().contains("this merchant has none"), "{e}");
    echo(&wx).await.unwrap();
    assert_eq!(wx.platform_serial().as_deref(), Some(id.as_str()));
}

#[test]
fn added_and_removed_keys_are_checked() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let before = wx.platform_serials();
    let field = |result: Result<(), Error>| match result {
        Err(Error::Config(e)) => e.field().to_owned(),
        other => panic!("not a Config error: {other:?}"),
    };
    assert_eq!(
        field(wx.add_platform_key(sandbox.serial(), sandbox.platform_public_key_pem())),
        format!("platform_key[\"{}\"]", sandbox.serial())
    );
    assert_eq!(
        field(wx.add_platform_key("PUB_KEY_ID_9", sandbox.merchant_certificate_pem())),
        "platform_key[\"PUB_KEY_ID_9\"]"
    );
    assert!(matches!(wx.add_platform_key("PUB_KEY_ID_9", "no key"), Err(Error::Key(_))));
    assert_eq!(
        field(wx.add_platform_key("A\r\nB", sandbox.platform_public_key_pem())),
        "platform_key[a text of 4 characters, not shown because it may be a key]"
    );
    assert_eq!(field(wx.remove_platform_key("PUB_KEY_ID_9")), "platform_key[\"PUB_KEY_ID_9\"]");
    assert_eq!(wx.platform_serials(), before);
    // The same serial number again replaces the old key, and counts as added last.
    wx.add_platform_key(sandbox.platform_certificate_serial(), sandbox.platform_certificate_pem()).unwrap();
    assert_eq!(wx.platform_serials().len(), 2);
    wx.remove_platform_key(sandbox.platform_certificate_serial()).unwrap();
    let clone = wx.clone();
    assert_eq!(clone.platform_serials(), [sandbox.platform_public_key_id()]);
    assert!(
        matches!(clone.remove_platform_key(sandbox.platform_public_key_id()), Err(Error::Config(_))),
        "the last one"
    );
    echo(&wx).wait().unwrap();
}
