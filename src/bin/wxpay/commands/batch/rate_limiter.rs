//! Limits the rate at which calls are sent. The platform's rate limit is per merchant, so refusals of several calls slow
//! all down: they halve the rate, and each response raises it a little (additive increase, multiplicative decrease).
//! One call that is refused alone (a limit of its order, for example) waits alone.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync;

/// Pauses without a `Retry-After`: 1 s, 2 s, 4 s (PROTOCOL, Errors and retry), doubled up to the maximum.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The batch gives up at a longer `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// The batch gives up after this number of pauses without a response in between.
const MAX_PAUSES: u32 = 8;

/// The lowest rate apart from pauses, in calls per second.
const MIN_RATE: f64 = 0.2;

/// Seconds in which the rate recovers to that of the first refusal; it grows by at least one call per second each
/// second.
const RECOVERY_TIME: f64 = 30.0;

/// Refusals of different calls within this time mean that the merchant is limited, and not one call.
const TOGETHER: Duration = Duration::from_secs(10);

/// What a refusal by a rate limit means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Limited {
    /// All calls wait: [`RateLimiter::acquire`] does that.
    All,
    /// Only this call waits, for this time at least.
    One(Duration),
    /// This call would have to wait too long.
    TooLong,
    /// The rate limit lets nothing through, or for too long.
    GiveUp,
}

pub(super) struct RateLimiter {
    /// Held by the call that is sent next; the others wait in order.
    turn: sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// When the next call may be sent.
    next: Instant,
    /// Calls per second; unlimited until the first refusal.
    rate: Option<f64>,
    /// Growth of the rate: calls per second, each second.
    growth: f64,
    /// When the rate was last reduced. Refusals of calls that were sent before do not reduce it again.
    last_slowdown: Instant,
    last_refusal: Option<Refusal>,
    /// Pauses since the last response.
    pauses: u32,
    /// How often the rate was reduced.
    slowdowns: u32,
    /// Moving average of the time between two responses, in seconds.
    response_interval: f64,
    last_response: Instant,
}

/// A refusal by a rate limit.
struct Refusal {
    /// The line of the call.
    line: u64,
    at: Instant,
    /// The end of the pause that it asked for.
    until: Instant,
}

impl RateLimiter {
    pub(super) fn new() -> RateLimiter {
        RateLimiter { turn: sync::Mutex::default(), state: Mutex::new(State::new(Instant::now())) }
    }

    /// Waits until a call may be sent.
    pub(super) async fn acquire(&self) {
        let _turn = self.turn.lock().await;
        // Checked again after waiting: a pause may have begun.
        loop {
            let acquired = self.state().try_acquire(Instant::now());
            match acquired {
                Ok(()) => return,
                Err(at) => tokio::time::sleep_until(at.into()).await,
            }
        }
    }

    /// Records a response that is not a refusal by a rate limit.
    pub(super) fn on_response(&self) {
        self.state().on_response(Instant::now());
    }

    /// Records a refusal by a rate limit, of the call on this line, which was sent at this time.
    pub(super) fn on_limited(&self, line: u64, sent: Instant, retry_after: Option<Duration>) -> Limited {
        self.state().on_limited(Instant::now(), line, sent, retry_after)
    }

    /// How often the rate was reduced.
    pub(super) fn slowdowns(&self) -> u32 {
        self.state().slowdowns
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(now: Instant) -> State {
        State {
            next: now,
            rate: None,
            growth: 1.0,
            last_slowdown: now,
            last_refusal: None,
            pauses: 0,
            slowdowns: 0,
            response_interval: 0.0,
            last_response: now,
        }
    }

    fn try_acquire(&mut self, now: Instant) -> Result<(), Instant> {
        if now < self.next {
            return Err(self.next);
        }
        if let Some(rate) = self.rate {
            self.next = now + Duration::from_secs_f64(1.0 / rate);
        }
        Ok(())
    }

    fn on_response(&mut self, now: Instant) {
        self.pauses = 0;
        let interval = now.saturating_duration_since(self.last_response).as_secs_f64();
        let average = self.response_interval;
        self.response_interval = if average == 0.0 { interval } else { average * 0.9 + interval * 0.1 };
        self.last_response = now;
        // There are `rate` responses per second, so together they add `growth` each second.
        self.rate = self.rate.map(|rate| rate + self.growth / rate.max(1.0));
    }

    fn on_limited(
        &mut self,
        now: Instant,
        line: u64,
        sent: Instant,
        retry_after: Option<Duration>,
    ) -> Limited {
        let requested = retry_after.unwrap_or_default();
        let refusal = Refusal { line, at: now, until: now + requested.min(MAX_RETRY_AFTER) };
        let Some(before) = self.last_refusal.replace(refusal).filter(|before| {
            let apart = now.saturating_duration_since(before.at) > TOGETHER && self.last_response > before.at;
            before.line != line && !apart
        }) else {
            return match requested > MAX_RETRY_AFTER {
                true => Limited::TooLong,
                false => Limited::One(requested),
            };
        };
        if requested > MAX_RETRY_AFTER {
            return Limited::GiveUp;
        }
        self.next = self.next.max(now + requested).max(before.until);
        // Calls that were in flight at the same time are refused for the same reason: one slowdown is enough.
        if self.slowdowns > 0 && sent < self.last_slowdown {
            return Limited::All;
        }
        if self.pauses == MAX_PAUSES {
            return Limited::GiveUp;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(6)).min(MAX_PAUSE);
        if retry_after.is_none() {
            self.next = self.next.max(now + pause);
        }
        let reached = self.rate.unwrap_or_else(|| {
            let interval = self.response_interval;
            let reached = if interval > 0.0 { 1.0 / interval } else { 1.0 };
            self.growth = (reached / RECOVERY_TIME).max(1.0);
            reached
        });
        self.rate = Some((reached / 2.0).max(MIN_RATE));
        self.last_slowdown = now;
        self.pauses += 1;
        self.slowdowns += 1;
        Limited::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A hundred responses, ten milliseconds apart.
    fn running(start: Instant) -> (State, Instant) {
        let mut state = State::new(start);
        let mut now = start;
        for _ in 0..100 {
            now += Duration::from_millis(10);
            assert_eq!(state.try_acquire(now), Ok(()));
            state.on_response(now);
        }
        (state, now)
    }

    /// As [`running`], and then a first call (line 0) is refused.
    fn refused_once(start: Instant) -> (State, Instant) {
        let (mut state, now) = running(start);
        assert_eq!(state.on_limited(now, 0, now, None), Limited::One(Duration::ZERO));
        (state, now)
    }

    #[test]
    fn refusals_of_several_calls_halve_the_rate_once_for_all_that_were_in_flight() {
        let (mut state, now) = refused_once(Instant::now());
        assert_eq!(state.on_limited(now, 1, now, None), Limited::All);
        assert!((state.rate.unwrap() - 50.0).abs() < 1.0, "{:?}", state.rate);
        // Sent before the slowdown and refused after it: no second slowdown.
        assert_eq!(state.on_limited(now + SECOND / 2, 2, now - SECOND / 100, None), Limited::All);
        assert!((state.rate.unwrap() - 50.0).abs() < 1.0);
        assert_eq!(state.try_acquire(now + SECOND / 2), Err(now + SECOND));
        // Sent after it: a second slowdown, and a longer pause.
        let later = now + SECOND;
        assert_eq!(state.try_acquire(later), Ok(()));
        assert_eq!(state.on_limited(later, 3, later, None), Limited::All);
        assert!((state.rate.unwrap() - 25.0).abs() < 1.0);
        assert_eq!(state.try_acquire(later), Err(later + 2 * SECOND));
        assert_eq!(state.slowdowns, 2);
    }

    #[test]
    fn a_call_that_is_refused_alone_slows_no_other_down() {
        let (mut state, mut now) = refused_once(Instant::now());
        for _ in 0..3 {
            now += SECOND;
            assert_eq!(state.on_limited(now, 0, now, Some(7 * SECOND)), Limited::One(7 * SECOND));
        }
        assert_eq!(state.on_limited(now, 0, now, Some(MAX_RETRY_AFTER + SECOND)), Limited::TooLong);
        // Another one, but long after, and the other calls had responses meanwhile.
        state.on_response(now + SECOND);
        now += TOGETHER + 2 * SECOND;
        assert_eq!(state.on_limited(now, 1, now, None), Limited::One(Duration::ZERO));
        assert_eq!((state.rate, state.slowdowns, state.try_acquire(now)), (None, 0, Ok(())));
        // Without any response in between, time does not matter.
        now += 60 * SECOND;
        assert_eq!(state.on_limited(now, 2, now, None), Limited::All);
    }

    #[test]
    fn responses_raise_the_rate_by_the_same_amount_each_second() {
        let (mut state, mut now) = refused_once(Instant::now());
        assert_eq!(state.on_limited(now, 1, now, None), Limited::All);
        now = state.next;
        let slow = state.rate.unwrap();
        let second = now + 10 * SECOND;
        while now < second {
            state.try_acquire(now).unwrap();
            state.on_response(now);
            now = state.next;
        }
        let grown = state.rate.unwrap() - slow;
        assert!((grown - 10.0 * 100.0 / RECOVERY_TIME).abs() < 3.0, "{grown}");
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_maximum() {
        let (mut state, now) = refused_once(Instant::now());
        assert_eq!(state.on_limited(now, 1, now, Some(7 * SECOND)), Limited::All);
        assert_eq!(state.try_acquire(now + SECOND), Err(now + 7 * SECOND));
        // A shorter pause than the current one changes nothing.
        assert_eq!(state.on_limited(now, 2, now - SECOND, Some(SECOND)), Limited::All);
        assert_eq!(state.try_acquire(now + SECOND), Err(now + 7 * SECOND));
        assert_eq!(state.on_limited(now, 3, now, Some(MAX_RETRY_AFTER + SECOND)), Limited::GiveUp);
        // The pause that the first of several refusals asked for holds for all.
        let (mut state, now) = running(Instant::now());
        assert_eq!(state.on_limited(now, 0, now, Some(5 * SECOND)), Limited::One(5 * SECOND));
        assert_eq!(state.on_limited(now, 1, now, None), Limited::All);
        assert_eq!(state.try_acquire(now + SECOND), Err(now + 5 * SECOND));
    }

    #[test]
    fn gives_up_after_refusals_without_a_response() {
        let mut now = Instant::now();
        let mut state = State::new(now);
        let start = now;
        assert_eq!(state.on_limited(now, 100, now, None), Limited::One(Duration::ZERO));
        for line in 0..u64::from(MAX_PAUSES) {
            assert_eq!(state.on_limited(now, line, now, None), Limited::All);
            now = state.next;
        }
        assert_eq!(state.on_limited(now, 50, now, None), Limited::GiveUp);
        assert_eq!(now - start, (1 + 2 + 4 + 8 + 16 + 32 + 60 + 60) * SECOND);
        assert!(state.rate.unwrap() >= MIN_RATE);
        // One response resets the count.
        state.on_response(now);
        assert_eq!(state.on_limited(now, 51, now, None), Limited::All);
    }
}
