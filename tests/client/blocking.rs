//! Blocking calls from plain threads, and from inside runtimes of every kind.

use std::time::Duration;

use serde_json::json;
use wechatpay_chain::WeChatPay;

use crate::support::start_sandbox;

fn call(wx: &WeChatPay, text: &str) {
    let response = wx["v3/security/echo"].post_sync(json!({"echo_message": text})).unwrap();
    assert_eq!(response.data()["echo_message"], text);
    let response =
        wx.seg("v3").seg("security").seg("echo").post(json!({"echo_message": text})).wait().unwrap();
    assert_eq!(response.data()["echo_message"], text);
}

fn runtimes() -> [tokio::runtime::Runtime; 3] {
    [
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        // Without its own I/O and time: the call brings what it needs.
        tokio::runtime::Builder::new_current_thread().build().unwrap(),
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
    ]
}

#[test]
fn from_a_plain_thread() {
    let sandbox = start_sandbox();
    call(&sandbox.client().unwrap(), "plain");
}

#[test]
fn every_verb_has_its_twin() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        sandbox.on(method, "v3/verb", 200, json!({"method": method})).unwrap();
    }
    let node = &wx["v3/verb"];
    let responses = [
        node.get_sync(),
        node.post_sync(json!({})),
        node.put_sync(json!({})),
        node.patch_sync(json!({})),
        node.delete_sync(),
    ];
    let methods: Vec<_> = responses.into_iter().map(|a| a.unwrap().data()["method"].clone()).collect();
    assert_eq!(methods, ["GET", "POST", "PUT", "PATCH", "DELETE"]);
}

#[test]
fn from_inside_every_runtime() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    for runtime in runtimes() {
        runtime.block_on(async {
            call(&wx, "in block_on");
            let in_task = wx.clone();
            tokio::spawn(async move { call(&in_task, "in a task") }).await.unwrap();
            let in_blocking = wx.clone();
            tokio::task::spawn_blocking(move || call(&in_blocking, "in spawn_blocking")).await.unwrap();
            // More calls than one task's budget for cooperation, in one poll.
            for _ in 0..200 {
                wx["v3/security/echo"].post_sync(json!({"echo_message": "x"})).unwrap();
            }
        });
    }
}

#[test]
fn a_blocking_call_does_not_wait_for_a_connection_of_the_runtime_that_it_holds_up() {
    let sandbox = start_sandbox();
    let wx = sandbox.client_builder().timeout(Duration::from_secs(5)).build().unwrap();
    let [runtime, ..] = runtimes();
    runtime.block_on(async {
        // Leaves a pooled connection whose task lives on this very thread.
        wx["v3/security/echo"].post(json!({"echo_message": "async"})).await.unwrap();
        call(&wx, "blocking");
        wx["v3/security/echo"].post(json!({"echo_message": "async"})).await.unwrap();
    });
}

#[test]
fn from_many_threads_at_once() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..32 {
            let wx = wx.clone();
            scope.spawn(move || (0..5).for_each(|n| call(&wx, &format!("{thread}/{n}"))));
        }
    });
    assert_eq!(sandbox.requests().len(), 32 * 5 * 2);
}

#[test]
fn a_future_runs_without_tokio_and_across_runtimes() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let echo = || wx["v3/security/echo"].post(json!({"echo_message": "elsewhere"})).into_future();
    // Another executor, without tokio.
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    let mut future = echo();
    let response = loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(result) => break result.unwrap(),
            std::task::Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(response.status(), 200);
    // One client, one runtime after another.
    for runtime in runtimes().into_iter().filter(|r| {
        r.block_on(async { std::panic::catch_unwind(|| tokio::time::sleep(Duration::ZERO)).is_ok() })
    }) {
        for _ in 0..3 {
            assert_eq!(runtime.block_on(echo()).unwrap().status(), 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_in_flight_in_one_task_and_in_many() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let one_task =
        (0..32).map(|n| wx["v3/security/echo"].post(json!({"echo_message": n.to_string()})).into_future());
    for (n, response) in futures_util::future::join_all(one_task).await.into_iter().enumerate() {
        assert_eq!(response.unwrap().data()["echo_message"], n.to_string());
    }
    let many = (0..32).map(|n| {
        tokio::spawn(wx["v3/security/echo"].post(json!({"echo_message": n.to_string()})).into_future())
    });
    for (n, response) in futures_util::future::join_all(many).await.into_iter().enumerate() {
        assert_eq!(response.unwrap().unwrap().data()["echo_message"], n.to_string());
    }
}

#[test]
fn a_call_does_not_wait_for_another_runtimes_connection() {
    let sandbox = start_sandbox();
    let wx = sandbox.client_builder().timeout(Duration::from_secs(5)).build().unwrap();
    let echo = || wx["v3/security/echo"].post(json!({"echo_message": "x"})).into_future();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A runtime that exists but does not run meanwhile: its pooled connections make no progress.
    let standing: Vec<_> = (0..12).map(|_| runtime()).collect();
    for _ in 0..3 {
        for runtime in &standing {
            assert_eq!(runtime.block_on(echo()).unwrap().status(), 200);
        }
    }
}

#[test]
fn signing_does_not_wait_for_the_callers_pool() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build().unwrap();
    // Every thread of the pool waits for a call, and many calls are in flight.
    let handle = runtime.handle().clone();
    runtime.block_on(async {
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let (wx, handle) = (wx.clone(), handle.clone());
                tokio::task::spawn_blocking(move || {
                    let body = json!({"echo_message": n.to_string()});
                    handle.block_on(wx["v3/security/echo"].post(body).into_future()).unwrap().status()
                })
            })
            .collect();
        for status in futures_util::future::join_all(calls).await {
            assert_eq!(status.unwrap(), 200);
        }
    });
}
