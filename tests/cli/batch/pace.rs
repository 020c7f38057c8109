//! Rate limits, and the number of calls in flight.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{BatchEnv, finish};
use crate::support;

/// A platform with a quota, on raw sockets.
#[test]
fn a_rate_limit_slows_all_calls_down_and_none_is_lost() {
    const QUOTA: usize = 10;
    let (times, refusals) = (Mutex::new(VecDeque::<Instant>::new()), Mutex::new(0));
    let server = support::Recorder::start(move |_| {
        let (mut times, mut refusals) = (times.lock().unwrap(), refusals.lock().unwrap());
        let now = Instant::now();
        while times.front().is_some_and(|at| now - *at > Duration::from_secs(1)) {
            times.pop_front();
        }
        if times.len() < QUOTA {
            times.push_back(now);
            return support::signed("200 OK", &[], b"{}");
        }
        *refusals += 1;
        let body = br#"{"code":"FREQUENCY_LIMITED","message":"later"}"#;
        // The first one says how long to wait. The code alone also means a rate limit, whatever the status.
        match *refusals {
            1 => support::signed("429 Too Many Requests", &[("Retry-After", "2")], body),
            n if n % 2 == 0 => support::signed("429 Too Many Requests", &[], body),
            _ => support::signed("403 Forbidden", &[], body),
        }
    });
    let env = BatchEnv::new();
    env.calls("POST", (0..25).map(|id| id.to_string()));
    let began = Instant::now();
    let done = finish(env.elsewhere(&["calls.jsonl", "-j4"]).env("WECHATPAY_BASE_URL", &server.base));
    done.is(0, "25 ok, 0 refused, 0 unknown, 0 left");
    assert!(done.err.contains("slowed down"), "{done:?}");
    assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
    let journal = env.journal();
    let count = |word| journal.records.iter().filter(|record| record["outcome"] == word).count();
    assert_eq!(count("ok"), 25);
    // Two quotas have to be waited for, and only the calls in flight hit each limit.
    assert_eq!(server.seen().len(), 25 + count("limited"));
    assert!((1..=12).contains(&count("limited")), "{}", count("limited"));
    // Apart from the calls in flight, nothing is sent for two seconds.
    let at = |record: &Value| record["at"].as_u64().unwrap();
    let first = journal.records.iter().find(|record| record["outcome"] == "limited").map(at).unwrap();
    let sent = |record: &&Value| !record["sent"].is_null() && (first + 1..first + 2).contains(&at(record));
    assert_eq!(journal.records.iter().filter(sent).count(), 0);
}

#[test]
fn no_more_calls_are_in_flight_than_allowed() {
    let most = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let counted = Arc::clone(&most);
    let server = support::Recorder::start(move |_| {
        let (now, most) = &*counted;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        now.fetch_sub(1, Ordering::SeqCst);
        support::signed("200 OK", &[], b"{}")
    });
    let env = BatchEnv::new();
    env.calls("POST", (0..24).map(|id| id.to_string()));
    finish(env.elsewhere(&["calls.jsonl", "-j6"]).env("WECHATPAY_BASE_URL", &server.base)).is(0, "24 ok");
    assert_eq!((most.1.load(Ordering::SeqCst), server.seen().len()), (6, 24));
}
