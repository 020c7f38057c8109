use std::sync::atomic::AtomicUsize;

use super::super::WantedBy;
use super::*;
use crate::error::{ApiError, TransportError};

/// Downloads whose ends the test decides, and their count.
#[derive(Default)]
struct Downloads {
    refresh: Refresh,
    count: Arc<AtomicUsize>,
}

impl Downloads {
    /// The outcome of a wish at `now`; `Err` with the seconds left if it is held back.
    fn wish(&self, now: u64, need: Need, end: Result<(), Error>) -> Result<Outcome, u64> {
        let count = Arc::clone(&self.count);
        let download = || async move {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
            end
        };
        match self.refresh.start(now, need, download).unwrap() {
            Wish::Granted(handle) => Ok(wait(handle)),
            Wish::HeldBack(held) => {
                assert_eq!(held.until, now + held.left);
                Err(held.left)
            }
        }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn wait(handle: RefreshHandle) -> Outcome {
    crate::runtime::background::wait(async move { Ok(handle.outcome().await) }).unwrap()
}

fn transport(maybe_sent: bool) -> Error {
    Error::Transport(Box::new(TransportError {
        call: String::new(),
        what: String::new(),
        request_id: None,
        maybe_sent,
        connect: !maybe_sent,
        broken: true,
        stale: false,
        timeout: false,
        source: None,
    }))
}

fn api(status: u16, code: &str) -> Error {
    Error::Api(Box::new(ApiError {
        status,
        code: code.to_owned(),
        message: String::new(),
        detail: serde_json::Value::Null,
        request_id: None,
        verified: false,
        did_you_mean: Vec::new(),
        retry_after: None,
        body: bytes::Bytes::new(),
    }))
}

/// When failing downloads are made by a client without keys that is called every second, and the end of each.
fn times_without_keys(end: impl Fn() -> Error, seconds: u64) -> Vec<u64> {
    let downloads = Downloads::default();
    let times = (1_000..1_000 + seconds).filter(|now| {
        // More than one call within that second.
        let wishes = (0..3).map(|_| downloads.wish(*now, Need::FirstKeys, Err(end())));
        let outcomes: Vec<_> = wishes.collect();
        assert!(outcomes.iter().all(|outcome| !matches!(outcome, Ok(Ok(())))));
        assert!(outcomes[1..].iter().all(Result::is_err), "one a second");
        outcomes[0].is_ok()
    });
    times.map(|now| now - 1_000).collect()
}

#[test]
fn without_keys_a_failed_download_is_repeated_soon_and_then_less_often() {
    let expected = [0, 1, 3, 7, 15, 31, 63, 123, 183];
    for end in [
        || api(429, "RATELIMIT_EXCEEDED"),
        || api(502, ""),
        || Error::Decrypt("x".into()),
        || transport(true),
    ] {
        assert_eq!(times_without_keys(end, 200), expected);
    }
    // Without a connection nothing reaches the platform, and calls go on as soon as there is one.
    assert_eq!(times_without_keys(|| transport(false), 5), [0, 1, 2, 3, 4]);
}

#[test]
fn a_success_ends_the_backoff() {
    let downloads = Downloads::default();
    for now in [0, 1, 3] {
        assert!(downloads.wish(now, Need::FirstKeys, Err(api(500, "SYSTEM_ERROR"))).unwrap().is_err());
    }
    assert_eq!(downloads.wish(6, Need::FirstKeys, Ok(())).unwrap_err(), 1);
    assert!(downloads.wish(7, Need::FirstKeys, Ok(())).unwrap().is_ok());
    // All keys were removed: the first failure counts as the first.
    let failed = downloads.wish(8, Need::FirstKeys, Err(api(500, "SYSTEM_ERROR"))).unwrap().unwrap_err();
    assert_eq!(failed.held_back, Duration::from_secs(1));
    assert!(downloads.wish(9, Need::FirstKeys, Ok(())).is_ok());
}

#[test]
fn one_download_serves_all_who_wait() {
    let downloads = Downloads::default();
    let handles: Vec<_> = (0..20)
        .map(|_| {
            let count = Arc::clone(&downloads.count);
            let download = || async move {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(())
            };
            match downloads.refresh.start(1_000, Need::FirstKeys, download).unwrap() {
                Wish::Granted(handle) => handle,
                Wish::HeldBack(held) => panic!("{held:?}"),
            }
        })
        .collect();
    assert!(handles.into_iter().all(|handle| wait(handle).is_ok()));
    assert_eq!(downloads.count(), 1);
}

#[test]
fn an_unknown_serial_gets_one_download_more_within_the_minute() {
    for end in [|| Ok(()), || Err(api(500, "SYSTEM_ERROR"))] {
        let downloads = Downloads::default();
        assert!(downloads.wish(1_000, Need::FirstKeys, Ok(())).unwrap().is_ok());
        assert_eq!(downloads.wish(1_000, Need::Newer, Ok(())).unwrap_err(), 3);
        assert_eq!(downloads.wish(1_002, Need::Newer, Ok(())).unwrap_err(), 1);
        assert_eq!(downloads.wish(1_003, Need::Newer, end()).unwrap().is_ok(), end().is_ok());
        assert_eq!(downloads.wish(1_004, Need::Newer, Ok(())).unwrap_err(), 59);
        assert_eq!(downloads.wish(1_062, Need::Newer, Ok(())).unwrap_err(), 1);
        // A renewal may wait.
        assert_eq!(downloads.wish(1_062, Need::Renewal, Ok(())).unwrap_err(), 1);
        assert!(downloads.wish(1_063, Need::Newer, Ok(())).unwrap().is_ok());
        assert_eq!(downloads.count(), 3);
    }
}

#[test]
fn unknown_serials_without_end_cost_two_downloads_a_minute() {
    let downloads = Downloads::default();
    let hour = 3600;
    for now in 0..hour {
        let _ = downloads.wish(now, Need::Newer, Ok(()));
    }
    assert!(downloads.count() as u64 <= 2 * hour / 60, "{}", downloads.count());
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_back_for_long() {
    let downloads = Downloads::default();
    assert!(downloads.wish(1_000_000, Need::FirstKeys, Err(api(500, ""))).unwrap().is_err());
    assert!(downloads.wish(10, Need::FirstKeys, Ok(())).unwrap().is_ok());
    assert!(downloads.wish(5_000_000, Need::Renewal, Ok(())).unwrap().is_ok());
    assert!(downloads.wish(4_000_000, Need::Renewal, Ok(())).unwrap().is_ok());
    assert!(downloads.wish(u64::MAX, Need::Renewal, Ok(())).unwrap().is_ok());
}

#[test]
fn a_download_that_panics_is_an_error_and_not_the_last() {
    let refresh = Refresh::default();
    let panics = || async { panic!("a signer's fault") };
    let Wish::Granted(handle) = refresh.start(5, Need::FirstKeys, panics).unwrap() else { panic!() };
    let failed = wait(handle).unwrap_err();
    assert!(failed.cause.is_none() && failed.held_back == Duration::from_secs(1));
    let error = WantedBy::Call.failed(failed);
    assert!(error.to_string().contains("the download panicked"), "{error}");
    let wish = refresh.start(6, Need::FirstKeys, || async { Ok(()) }).unwrap();
    assert!(matches!(wish, Wish::Granted(handle) if wait(handle.clone()).is_ok()));
}

#[test]
fn twelve_hours_make_it_due() {
    let refresh = Refresh::default();
    assert!(!refresh.is_due(1_000_000), "the first one is waited for, not due");
    refresh.succeeded(1_000_000);
    assert!(!refresh.is_due(1_000_000 + 12 * 3600 - 1));
    assert!(refresh.is_due(1_000_000 + 12 * 3600));
    assert!(refresh.is_due(0), "a clock that was set back");
}

#[test]
fn an_error_says_why_until_when_and_whether_to_try_again() {
    let cases: [(Error, &str, bool); 9] = [
        (Error::Decrypt("CAUSE".into()), "the APIv3 key does not decrypt them", true),
        (api(404, "RESOURCE_NOT_EXISTS"), "this merchant has none", true),
        (api(401, "SIGN_ERROR"), "refused the signature", true),
        (api(403, "NO_AUTH"), "refused the download", true),
        (api(403, "RATELIMIT_EXCEEDED"), "the status 403", false),
        (api(403, ""), "the status 403", false),
        (api(500, "SYSTEM_ERROR"), "the status 500", false),
        (transport(false), "could not be sent", false),
        (transport(true), "broke", false),
    ];
    for (cause, why, permanent) in cases {
        let failed = Failed { cause: Some(Arc::new(cause)), held_back: Duration::from_secs(4) };
        let held = HeldBack { age: 1, left: 3, until: 86_400 + 3_723, failed: Some(failed.clone()) };
        for (error, left) in [(WantedBy::Call.failed(failed), 4), (WantedBy::Call.held_back(held), 3)] {
            let text = error.to_string();
            let Error::PlatformKeys(e) = &error else { panic!("{error}") };
            assert!(
                text.contains(why) && !text.contains("CAUSE") && text.ends_with("; nothing was sent"),
                "{text}"
            );
            assert_eq!(e.is_permanent(), permanent, "{text}");
            assert_eq!(e.retry_after(), Some(Duration::from_secs(left)));
            assert!(std::error::Error::source(&**e).is_some());
            assert_eq!(left == 3, text.contains("held back for 3 s, until 01:02:03 UTC"), "{text}");
        }
    }
}
