//! Limits the rate at which calls are sent. The platform's rate limit is per merchant, so a refusal slows all calls down:
//! it halves the rate, and each response raises it a little (additive increase, multiplicative decrease).

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

/// The rate limit lets nothing through, or for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GiveUp;

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
    /// Pauses since the last response.
    pauses: u32,
    /// How often the rate was reduced.
    slowdowns: u32,
    /// Moving average of the time between two responses, in seconds.
    response_interval: f64,
    last_response: Instant,
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

    /// Records a refusal by a rate limit, of a call that was sent at this time.
    pub(super) fn on_limited(&self, sent: Instant, retry_after: Option<Duration>) -> Result<(), GiveUp> {
        self.state().on_limited(Instant::now(), sent, retry_after)
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
        sent: Instant,
        retry_after: Option<Duration>,
    ) -> Result<(), GiveUp> {
        let requested = retry_after.unwrap_or_default();
        if requested > MAX_RETRY_AFTER {
            return Err(GiveUp);
        }
        self.next = self.next.max(now + requested);
        // Calls that were in flight at the same time are refused for the same reason: one slowdown is enough.
        if self.slowdowns > 0 && sent < self.last_slowdown {
            return Ok(());
        }
        if self.pauses == MAX_PAUSES {
            return Err(GiveUp);
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
        Ok(())
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

    #[test]
    fn a_refusal_halves_the_rate_once_for_all_that_were_in_flight() {
        let (mut state, now) = running(Instant::now());
        assert_eq!(state.on_limited(now, now, None), Ok(()));
        assert!((state.rate.unwrap() - 50.0).abs() < 1.0, "{:?}", state.rate);
        // Sent before the slowdown and refused after it: no second slowdown.
        assert_eq!(state.on_limited(now + SECOND / 2, now - SECOND / 100, None), Ok(()));
        assert!((state.rate.unwrap() - 50.0).abs() < 1.0);
        assert_eq!(state.try_acquire(now + SECOND / 2), Err(now + SECOND));
        // Sent after it: a second slowdown, and a longer pause.
        let later = now + SECOND;
        assert_eq!(state.try_acquire(later), Ok(()));
        assert_eq!(state.on_limited(later, later, None), Ok(()));
        assert!((state.rate.unwrap() - 25.0).abs() < 1.0);
        assert_eq!(state.try_acquire(later), Err(later + 2 * SECOND));
        assert_eq!(state.slowdowns, 2);
    }

    #[test]
    fn responses_raise_the_rate_by_the_same_amount_each_second() {
        let (mut state, mut now) = running(Instant::now());
        state.on_limited(now, now, None).unwrap();
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
        let (mut state, now) = running(Instant::now());
        assert_eq!(state.on_limited(now, now, Some(7 * SECOND)), Ok(()));
        assert_eq!(state.try_acquire(now + SECOND), Err(now + 7 * SECOND));
        // A shorter pause than the current one changes nothing.
        assert_eq!(state.on_limited(now, now - SECOND, Some(SECOND)), Ok(()));
        assert_eq!(state.try_acquire(now + SECOND), Err(now + 7 * SECOND));
        assert_eq!(state.on_limited(now, now, Some(MAX_RETRY_AFTER + SECOND)), Err(GiveUp));
    }

    #[test]
    fn gives_up_after_refusals_without_a_response() {
        let mut now = Instant::now();
        let mut state = State::new(now);
        let start = now;
        for _ in 0..MAX_PAUSES {
            assert_eq!(state.on_limited(now, now, None), Ok(()));
            now = state.next;
        }
        assert_eq!(state.on_limited(now, now, None), Err(GiveUp));
        assert_eq!(now - start, (1 + 2 + 4 + 8 + 16 + 32 + 60 + 60) * SECOND);
        assert!(state.rate.unwrap() >= MIN_RATE);
        // One response resets the count.
        state.on_response(now);
        assert_eq!(state.on_limited(now, now, None), Ok(()));
    }
}
