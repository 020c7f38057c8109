//! Where a signature is made: in place on one core; on more, off a thread that other calls need.

#![cfg(target_os = "linux")]

use std::future::IntoFuture as _;

use crate::support::{self, Recorder, alone};

/// The names of this process's threads.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path().join("comm"));
    tasks.filter_map(|path| std::fs::read_to_string(path).ok()).map(|name| name.trim().to_owned()).collect()
}

fn signing_threads() -> usize {
    threads().iter().filter(|name| name.starts_with("wechatpay-sign")).count()
}

/// Many calls of one task.
fn call() {
    let server = Recorder::no_content();
    let wx = support::client(&server.base);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..3 {
        let calls = (0..16).map(|_| wx["v3/x"].get().into_future());
        for response in runtime.block_on(futures_util::future::join_all(calls)) {
            assert_eq!(response.unwrap().status(), 204);
        }
    }
}

fn in_a_process(test: &str) {
    let output = alone(module_path!(), test).args(["--ignored"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn on_one_core_no_signing_thread_is_started() {
    in_a_process("pinned");
}

#[test]
fn on_more_cores_signatures_leave_a_thread_that_other_calls_need() {
    in_a_process("unpinned");
}

#[test]
#[ignore = "needs a process of its own"]
fn pinned() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    // Only this thread is pinned, as a worker is by a web server.
    let all = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|core| all.is_set(*core)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    std::thread::spawn(move || {
        sched_setaffinity(None, &one).unwrap();
        call();
    })
    .join()
    .unwrap();
    assert_eq!(signing_threads(), 0, "{:?}", threads());
}

#[test]
#[ignore = "needs a process of its own"]
fn unpinned() {
    let cores = std::thread::available_parallelism().unwrap().get();
    if cores == 1 {
        return;
    }
    call();
    let count = signing_threads();
    assert!((1..=cores).contains(&count), "{count} threads on {cores} cores: {:?}", threads());
}
