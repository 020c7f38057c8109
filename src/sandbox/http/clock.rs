//! The sandbox's clock, which can be skewed on purpose, and the time formats of the protocol.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use x509_cert::der::DateTime;

/// The platform's clock: the machine's clock plus a skew, which can change while the sandbox runs.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    skew: AtomicI64,
}

impl SkewedClock {
    pub(crate) fn new(skew: i64) -> SkewedClock {
        SkewedClock { skew: AtomicI64::new(skew) }
    }

    pub(crate) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        unix_now().saturating_add(self.skew())
    }
}

/// The machine's time, without skew. The logs record it.
#[allow(clippy::disallowed_methods, reason = "the sandbox shares no clock with the client")]
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}

/// A time in Unix seconds, with their fraction, as JSON shows it.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The machine's time in Unix seconds, without skew.
pub(crate) fn unix_now() -> i64 {
    // A clock before 1970 reads as 1970: the check of the timestamp then rejects, as it should.
    let now = system_time().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// `2018-06-08T10:34:56+08:00`: the platform writes all times in Beijing time.
pub(crate) fn beijing_time(unix: i64) -> String {
    let t = calendar(unix.saturating_add(8 * 3600));
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+08:00",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minutes(),
        t.seconds()
    )
}

/// Parses RFC 3339 into Unix seconds. Fractions of a second are dropped.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| {
        text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u16>().ok()
    };
    let small = |start: usize| u8::try_from(part(start..start + 2)?).ok();
    let marks = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if marks.iter().any(|&(at, mark)| text.get(at..at + 1) != Some(mark)) {
        return None;
    }
    let date_time =
        DateTime::new(part(0..4)?, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?).ok()?;
    let zone = text.get(19..)?;
    let digits =
        zone.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
    let at = 19 + digits;
    let offset = match text.get(at..)? {
        "Z" => 0,
        zone if zone.len() == 6 && zone.get(3..4) == Some(":") => {
            let (hours, minutes) = (i64::from(small(at + 1)?), i64::from(small(at + 4)?));
            let seconds = hours * 3600 + minutes * 60;
            match zone.as_bytes().first() {
                Some(b'+') if hours < 24 && minutes < 60 => seconds,
                Some(b'-') if hours < 24 && minutes < 60 => -seconds,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(i64::try_from(date_time.unix_duration().as_secs()).ok()? - offset)
}

/// The `Date` header: RFC 9110, section 5.6.7.
pub(crate) fn http_date(unix: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let t = calendar(unix);
    // The first of January 1970 was a Thursday.
    let day = DAYS[usize::try_from(t.unix_duration().as_secs() / 86_400 % 7).unwrap_or(0)];
    let month = MONTHS[usize::from(t.month().clamp(1, 12)) - 1];
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        t.day(),
        t.year(),
        t.hour(),
        t.minutes(),
        t.seconds()
    )
}

/// The calendar date of a Unix time, clamped to the years 1970 to 9999.
pub(crate) fn calendar(unix: i64) -> DateTime {
    let since = Duration::from_secs(u64::try_from(unix).unwrap_or(0));
    DateTime::from_unix_duration(since).unwrap_or(DateTime::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_parsed() {
        for (text, expected) in [
            ("2018-06-08T10:34:56+08:00", Some(1_528_425_296)),
            ("2018-06-08T02:34:56Z", Some(1_528_425_296)),
            ("2018-06-08T02:34:56.789Z", Some(1_528_425_296)),
            ("2018-06-07T22:04:56-04:30", Some(1_528_425_296)),
            ("2018-06-08T10:34:56", None),
            ("2018-06-08 10:34:56+08:00", None),
            ("2018-02-30T10:34:56+08:00", None),
            ("2018-06-08T25:34:56+08:00", None),
            ("2018-06-08T10:34:56+8:00", None),
            ("2018-06-08T10:34:56+24:00", None),
            ("20180608103456", None),
            ("２018-06-08T10:34:56Z", None),
            ("", None),
        ] {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_written_as_documented() {
        assert_eq!(beijing_time(1_528_425_296), "2018-06-08T10:34:56+08:00");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(&beijing_time(i64::MAX)[..4], "9999");
        assert_eq!(&beijing_time(-1)[..4], "1970");
    }
}
