//! A process in which no runtime or thread can be started: an error, which goes away with its cause.

use std::future::IntoFuture as _;

use wechatpay_chain::Error;

use super::*;
use crate::support::{Recorder, alone};

fn runtime_error(result: Result<impl std::fmt::Debug, Error>) {
    match result {
        Err(Error::Config(e)) if e.field() == "runtime" => {}
        other => panic!("not an error about the runtime: {other:?}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_runtime_that_failed_to_start_is_tried_again() {
    let output = alone(module_path!(), "without_file_descriptors").args(["--ignored"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The background runtime needs file descriptors.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a process of its own"]
fn without_file_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let server = Recorder::no_content();
    let wx = signed_by(Ready, &server.base).build().unwrap();
    let plenty = getrlimit(Resource::Nofile);
    let full = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), maximum: plenty.maximum }).unwrap();
    runtime_error(wx["v3/x"].get_sync());
    full.block_on(async {
        runtime_error(wx["v3/x"].get_sync());
        runtime_error(wx.sign("a\n").await);
    });
    setrlimit(Resource::Nofile, plenty).unwrap();
    full.block_on(async { assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204) });
    assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204);
    assert_eq!(full.block_on(wx["v3/x"].get().into_future()).unwrap().status(), 204);
}

#[test]
fn without_threads_a_call_fails_and_does_not_panic() {
    // No thread with a stack of this size can be started. One test runs on the main thread.
    let output = alone(module_path!(), "without_threads")
        .args(["--ignored", "--test-threads=1"])
        .env("RUST_MIN_STACK", (1_u64 << 60).to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "needs a process of its own"]
fn without_threads() {
    let wx = signed_by(Ready, "http://127.0.0.1:9/").build().unwrap();
    let local = support::client("http://127.0.0.1:9/");
    let automatic = automatic_at("http://127.0.0.1:9/").build().unwrap();
    assert!(std::thread::Builder::new().spawn(|| ()).is_err(), "a thread can be started");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        runtime_error(wx["v3/x"].get_sync());
        runtime_error(automatic["v3/x"].get().await);
        // Many calls in one task, of which some would go to a signing thread: this thread signs.
        let calls = (0..8).map(|_| local["v3/x"].get().into_future());
        for result in futures_util::future::join_all(calls).await {
            let error = result.unwrap_err();
            assert!(matches!(&error, Error::Transport(e) if !e.maybe_sent()), "{error:?}");
        }
    });
    runtime_error(wx["v3/x"].get_sync());
}

/// A signer that needs nothing.
struct Ready;

impl Signer for Ready {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        Box::pin(async { Ok(vec![1; 256]) })
    }
}
