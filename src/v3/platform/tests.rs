use std::sync::Arc;

use super::*;
use crate::crypto::keys::{self, Validity};

const PUBLIC: &str = include_str!("../../../tests/keys/platform_pub.pem");

fn key(serial: &str, from: Option<u64>) -> Arc<PlatformKey> {
    let validity = from.map(|from| Validity { not_before: from, not_after: from + 100 });
    let key = keys::public_key("test", PUBLIC).unwrap().key;
    Arc::new(PlatformKey {
        serial: serial.to_owned(),
        key,
        validity,
        common_name: None,
        fetched: from.is_some(),
    })
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
        common_name: None,
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
