use super::*;

#[test]
fn a_call_leaves_its_thread_only_when_it_shares_it() {
    let tracker = CallTracker::default();
    // Alone, and outside any runtime.
    assert!(!CallGuard::new(&tracker).shares_its_thread());
    let one_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let many_threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for runtime in [&one_thread, &many_threads] {
        let _in_runtime = runtime.enter();
        let first = CallGuard::new(&tracker);
        assert!(!first.shares_its_thread());
        assert!(CallGuard::new(&tracker).shares_its_thread(), "two in one task");
        drop(first);
        assert!(!CallGuard::new(&tracker).shares_its_thread());
    }
    assert!(tracker.lock().is_empty());
}

#[test]
fn two_tasks_share_a_thread_on_a_current_thread_runtime_only() {
    static TRACKER: std::sync::LazyLock<CallTracker> = std::sync::LazyLock::new(CallTracker::default);
    for (flavor, shared) in [("current", true), ("multi", false)] {
        let mut builder = match flavor {
            "current" => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        builder.build().unwrap().block_on(async {
            let (held, holds) = tokio::sync::oneshot::channel();
            let (release, released) = tokio::sync::oneshot::channel::<()>();
            let first = task::spawn(async move {
                let _call = CallGuard::new(&TRACKER);
                held.send(()).unwrap();
                released.await.unwrap();
            });
            holds.await.unwrap();
            let second = task::spawn(async { CallGuard::new(&TRACKER).shares_its_thread() });
            assert_eq!(second.await.unwrap(), shared, "{flavor}");
            release.send(()).unwrap();
            first.await.unwrap();
        });
    }
}
