//! The business clock: it decides what has expired, which notification is due and which bill is there. It can be
//! advanced while the clock of signatures, which clients hold to 300 s, stays.

use tokio::sync::watch;

use super::clock::unix_now;

/// The furthest that the clock can be ahead, in seconds: ten years.
pub(crate) const MAX_ADVANCE: i64 = 3650 * DAY;

const DAY: i64 = 86_400;

/// The units of a period, and their seconds.
const UNITS: [(char, i64); 4] = [('d', DAY), ('h', 3600), ('m', 60), ('s', 1)];

/// The machine's clock plus the seconds that it was advanced by. It never goes back.
#[derive(Debug)]
pub(crate) struct BusinessClock {
    advanced: watch::Sender<i64>,
}

impl BusinessClock {
    /// With the seconds that it was advanced by before, in an earlier run.
    pub(crate) fn new(advanced: i64) -> BusinessClock {
        BusinessClock { advanced: watch::Sender::new(advanced.clamp(0, MAX_ADVANCE)) }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        unix_now().saturating_add(self.advanced())
    }

    /// The seconds ahead of the machine's clock.
    pub(crate) fn advanced(&self) -> i64 {
        *self.advanced.borrow()
    }

    /// The seconds ahead of the machine's clock, now and whenever they change.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.advanced.subscribe()
    }

    /// Sets the seconds ahead of the machine's clock: at most [`MAX_ADVANCE`], and never less than before.
    pub(crate) fn set_advanced(&self, seconds: i64) {
        self.advanced.send_modify(|advanced| *advanced = seconds.clamp(*advanced, MAX_ADVANCE));
    }
}

/// The seconds of a period such as `1d`, `90m` or `1d12h30m`: whole numbers, each with its unit, the larger ones first.
pub(crate) fn parse_period(text: &str) -> Option<i64> {
    let (mut total, mut rest, mut units) = (0_i64, text, &UNITS[..]);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?.chars().next()?;
        let index = units.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(units[index].1)?)?;
        units = &units[index + 1..];
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_parsed() {
        for (text, seconds) in [
            ("1d", Some(86_400)),
            ("15s", Some(15)),
            ("1d12h30m5s", Some(131_405)),
            ("0s", Some(0)),
            ("100d", Some(8_640_000)),
            ("", None),
            ("1", None),
            ("d", None),
            ("1w", None),
            ("1h1d", None),
            ("1d1d", None),
            ("-1d", None),
            ("1.5d", None),
            ("1 d", None),
            ("1天", None),
            ("99999999999999999999d", None),
            ("9223372036854775807d", None),
            ("9223372036854775807s1s", None),
        ] {
            assert_eq!(parse_period(text), seconds, "{text}");
        }
    }

    #[test]
    fn it_only_advances_and_not_too_far() {
        let clock = BusinessClock::new(0);
        for (set, expected) in [(60, 60), (-60, 60), (i64::MAX, MAX_ADVANCE), (61, MAX_ADVANCE)] {
            clock.set_advanced(set);
            assert_eq!(clock.advanced(), expected);
        }
        assert!((clock.now() - unix_now() - MAX_ADVANCE).abs() <= 1);
        assert_eq!(BusinessClock::new(i64::MIN).advanced(), 0);
    }
}
