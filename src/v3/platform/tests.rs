use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::crypto::keys::{self, Validity};

const PUBLIC: &str = include_str!("../../../tests/keys/platform_pub.pem");

fn key(serial: &str, from: Option<u64>) -> Arc<PlatformKey> {
    let validity = from.map(|from| Validity { not_before: from, not_after: from + 100 });
    let key = keys::public_key("test", PUBLIC).unwrap().key;
    Arc::new(PlatformKey { serial: serial.to_owned(), key, validity, fetched: from.is_some() })
}

fn serials(keys: &PlatformKeys) -> Vec<&str> {
    keys.serials().collect()
}

#[test]
fn the_newest_key_that_is_valid_encrypts() {
    let serial = |keys: &PlatformKeys, now| keys.preferred_key(now).map(|key| key.serial.clone());
    let keys = PlatformKeys::new(vec![key("B", Some(50)), key("C", Some(500)), key("A", Some(0))]);
    for (now, expected) in [
        (0, Some("A")),
        (49, Some("A")),
        (50, Some("B")),
        (150, Some("B")),
        (151, None),
        (550, Some("C")),
        (601, None),
    ] {
        assert_eq!(serial(&keys, now).as_deref(), expected, "at {now}");
    }
    let bare = keys.with(PlatformKey {
        serial: "D".into(),
        key: keys::public_key("test", PUBLIC).unwrap().key,
        validity: None,
        fetched: false,
    });
    assert_eq!(serial(&bare, 60).as_deref(), Some("B"));
    assert_eq!(serial(&bare, 700).as_deref(), Some("D"));
    assert_eq!(bare.requested, None);
    let public =
        PlatformKeys::new(vec![key("PUB_KEY_ID_1", None), key("A", Some(0)), key("PUB_KEY_ID_2", None)]);
    assert_eq!(serial(&public, 50).as_deref(), Some("PUB_KEY_ID_2"));
    assert_eq!(public.requested.unwrap(), "PUB_KEY_ID_2");
}

#[test]
fn configured_keys_stay_and_downloaded_ones_are_replaced() {
    let keys = PlatformKeys::new(vec![key("GIVEN", None), key("OLD", Some(0))]);
    let fetched = [key("NEW", Some(9)), key("GIVEN", Some(9))];
    assert_eq!(serials(&keys.merged_with(&fetched)), ["GIVEN", "OLD", "NEW"]);
    let replaced = keys.replace_fetched(&fetched);
    assert_eq!(serials(&replaced), ["GIVEN", "NEW"]);
    assert!(!replaced.find("GIVEN").unwrap().fetched, "a given key is not replaced");
}

/// Runs downloads that end as told, and counts them.
fn downloads(
    refresh: &Refresh,
    count: &Arc<AtomicUsize>,
    now: u64,
    without: bool,
    end: Result<(), Error>,
) -> RefreshHandle {
    let count = Arc::clone(count);
    let download = move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(30)).await;
        end
    };
    refresh.start(now, without, download).unwrap()
}

fn broken() -> Error {
    Error::Transport(Box::new(crate::error::TransportError {
        call: String::new(),
        what: String::new(),
        request_id: None,
        maybe_sent: false,
        broken: true,
        timeout: false,
        source: None,
    }))
}

#[test]
fn one_download_at_a_time_and_one_a_minute() {
    let (refresh, count) = (Refresh::default(), Arc::new(AtomicUsize::new(0)));
    let wait = |run: RefreshHandle| blocking_outcome(run);
    let started: Vec<RefreshHandle> =
        (0..20).map(|_| downloads(&refresh, &count, 1_000, true, Ok(()))).collect();
    assert!(started.into_iter().all(|run| wait(run).is_ok()));
    assert_eq!(count.load(Ordering::SeqCst), 1, "one for all");
    assert!(wait(downloads(&refresh, &count, 1_059, false, Ok(()))).is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 1, "not again within the minute");
    assert!(wait(downloads(&refresh, &count, 1_060, false, Err(broken()))).is_err());
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert!(
        wait(downloads(&refresh, &count, 1_061, false, Ok(()))).is_err(),
        "the last one's end, for a minute"
    );
    // Without any key, a connection that was not there is tried for at once; a refusal is not.
    assert!(wait(downloads(&refresh, &count, 1_062, true, Err(Error::config("x", "y")))).is_err());
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert!(wait(downloads(&refresh, &count, 1_063, true, Ok(()))).is_err());
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // A clock that was set back does not stop them.
    assert!(wait(downloads(&refresh, &count, 10, false, Ok(()))).is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[test]
fn a_download_that_panics_is_an_error_and_not_the_last() {
    let refresh = Refresh::default();
    let run = refresh.start(5, true, || async { panic!("a signer's fault") }).unwrap();
    assert!(blocking_outcome(run).is_err());
    let count = Arc::new(AtomicUsize::new(0));
    assert!(blocking_outcome(downloads(&refresh, &count, 6, true, Ok(()))).is_ok());
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

fn blocking_outcome(run: RefreshHandle) -> Result<(), String> {
    crate::runtime::background::wait(async move { Ok(run.outcome().await.map_err(|e| e.to_string())) })
        .unwrap()
}
