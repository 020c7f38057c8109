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

/// The schedule of a notification can end after it was sent again, and accepted.
#[test]
fn an_accepted_notification_stays_accepted() {
    let log = NotificationLog::default();
    for late in [Delivery::GivenUp, Delivery::Refused("no".into()), Delivery::Accepted] {
        let number = log.push(SentNotification::new("id", &event("http://localhost/".into())));
        log.finish(number, Delivery::Accepted);
        log.finish(number, late);
        assert_eq!(log.outcome(number), Some(Delivery::Accepted));
    }
    let number = log.push(SentNotification::new("id", &event("http://localhost/".into())));
    log.finish(number, Delivery::GivenUp);
    log.finish(number, Delivery::Accepted);
    assert_eq!(log.outcome(number), Some(Delivery::Accepted));
}

/// A shortened URL leads elsewhere.
#[test]
fn a_notification_with_a_shortened_text_cannot_be_sent_again() {
    let long = "x".repeat(3_000);
    let whole = event("x".repeat(2_048));
    assert_eq!(SentNotification::new("id", &whole).event().unwrap().notify_url, whole.notify_url);
    assert!(SentNotification::new("id", &event(long.clone())).event().is_none());
    for change in [
        |event: &mut Event, text: String| event.event_type = text,
        |event: &mut Event, text: String| event.original_type = text,
        |event: &mut Event, text: String| event.summary = text,
        |event: &mut Event, text: String| event.resource = json!(text.repeat(5)),
    ] {
        let mut changed = whole.clone();
        change(&mut changed, long.clone());
        assert!(SentNotification::new("id", &changed).event().is_none());
    }
}
