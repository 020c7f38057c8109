use std::time::SystemTime;

use serde_json::json;

use super::*;
use crate::sandbox::store::event::Event;

fn event(text: String) -> Event {
    Event { notify_url: text, ..Event::default() }
}

#[test]
fn the_log_is_bounded_and_the_numbers_stay() {
    let log = NotificationLog::default();
    for number in 0..=MAX_NOTIFICATIONS as u64 {
        let notification = SentNotification::new("id", &event(number.to_string()));
        assert_eq!(log.push(notification), number);
    }
    assert_eq!((log.list().len(), log.dropped()), (MAX_NOTIFICATIONS, 1));
    log.finish(0, Delivery::GivenUp);
    log.finish(1, Delivery::Accepted);
    let list = log.list();
    assert_eq!((list[0].url.as_str(), &list[0].delivery), ("1", &Delivery::Accepted));
    assert!(list[1..].iter().all(|other| !other.is_done()));
}

#[test]
fn the_log_is_bounded_in_bytes() {
    let log = NotificationLog::default();
    let failed = |why: String| Attempt::failed(SystemTime::UNIX_EPOCH, why);
    for number in 0..2_000 {
        let number = log.push(SentNotification::new(&number.to_string(), &event("x".repeat(10_000))));
        log.set_content(number, &HeaderMap::new(), &vec![0; MAX_BODY].into());
        for _ in 0..16 {
            log.add_attempt(number, failed("y".repeat(10_000)));
        }
        log.finish(number, Delivery::Refused("z".repeat(10_000)));
        let entries = log.entries();
        let actual: usize = entries.notifications.iter().map(SentNotification::size).sum();
        assert_eq!(entries.bytes, actual);
        assert!(actual <= MAX_BYTES);
    }
    let (dropped, list) = (log.dropped(), log.list());
    assert_eq!((dropped as usize + list.len(), list[0].id.clone()), (2_000, dropped.to_string()));
    assert!(dropped > 500 && list.len() > 500, "{dropped} {}", list.len());
    // A large body is marked as cut.
    let number = log.push(SentNotification::new("id", &event(String::new())));
    log.set_content(number, &HeaderMap::new(), &vec![0; MAX_BODY + 1].into());
    let json = log.newest(1)[0].to_json();
    assert_eq!((&json["body"], &json["body_length"]), (&json!(""), &json!(MAX_BODY + 1)));
}
