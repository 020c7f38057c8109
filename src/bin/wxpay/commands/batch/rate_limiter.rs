//! How fast the calls begin. A rate limit is the merchant's, so it slows all of them down: halved when the platform
//! says so, a little faster with each answer after that (additive increase, multiplicative decrease).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync;

/// Pauses without a `Retry-After`: 1 s, 2 s, 4 s and so on, up to this (PROTOCOL, Errors and retry, and on).
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Who asks for more than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// So many pauses with not one answer between them are enough.
const MOST_PAUSES: u32 = 8;

/// Never slower than this, but for pauses.
const SLOWEST: f64 = 0.2;

/// The rate of the first refusal is reached again in this time, or by one call a second each second.
const RECOVERY: f64 = 30.0;

/// The platform wants no more calls for now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GiveUp;

pub(super) struct Pace {
    /// Who holds it is the next to begin; the others stand in line.
    turn: sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// When the next call may begin.
    next: Instant,
    /// Calls a second; no limit until the platform shows one.
    rate: Option<f64>,
    /// What the rate grows by, calls a second each second.
    growth: f64,
    /// The last time it was slowed down: what began before was too fast by the same mistake.
    slowed: Instant,
    /// Pauses since the last answer.
    pauses: u32,
    /// How often it was slowed down.
    times: u32,
    /// The time between two answers, a moving average in seconds.
    gap: f64,
    answered: Instant,
}

impl Pace {
    pub(super) fn new() -> Pace {
        Pace { turn: sync::Mutex::default(), state: Mutex::new(State::new(Instant::now())) }
    }

    /// Waits until a call may begin.
    pub(super) async fn turn(&self) {
        let _turn = self.turn.lock().await;
        // A pause may begin while this one waits.
        loop {
            let begun = self.state().begin(Instant::now());
            match begun {
                Ok(()) => return,
                Err(at) => tokio::time::sleep_until(at.into()).await,
            }
        }
    }

    /// A call was answered, and not by a rate limit.
    pub(super) fn answered(&self) {
        self.state().answered(Instant::now());
    }

    /// A call that began then was refused by a rate limit, which may ask for a pause.
    pub(super) fn limited(&self, began: Instant, retry_after: Option<Duration>) -> Result<(), GiveUp> {
        self.state().limited(Instant::now(), began, retry_after)
    }

    /// How often it was slowed down.
    pub(super) fn times(&self) -> u32 {
        self.state().times
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
            slowed: now,
            pauses: 0,
            times: 0,
            gap: 0.0,
            answered: now,
        }
    }

    fn begin(&mut self, now: Instant) -> Result<(), Instant> {
        if now < self.next {
            return Err(self.next);
        }
        if let Some(rate) = self.rate {
            self.next = now + Duration::from_secs_f64(1.0 / rate);
        }
        Ok(())
    }

    fn answered(&mut self, now: Instant) {
        self.pauses = 0;
        let gap = now.saturating_duration_since(self.answered).as_secs_f64();
        self.gap = if self.gap == 0.0 { gap } else { self.gap * 0.9 + gap * 0.1 };
        self.answered = now;
        // So much with each answer is `growth` in a second.
        self.rate = self.rate.map(|rate| rate + self.growth / rate.max(1.0));
    }

    fn limited(&mut self, now: Instant, began: Instant, retry_after: Option<Duration>) -> Result<(), GiveUp> {
        let asked = retry_after.unwrap_or_default();
        if asked > PATIENCE {
            return Err(GiveUp);
        }
        self.next = self.next.max(now + asked);
        // The answers to calls that were in flight together tell one thing, not many.
        if self.times > 0 && began < self.slowed {
            return Ok(());
        }
        if self.pauses == MOST_PAUSES {
            return Err(GiveUp);
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(6)).min(LONGEST_PAUSE);
        if retry_after.is_none() {
            self.next = self.next.max(now + pause);
        }
        let reached = self.rate.unwrap_or_else(|| {
            let reached = if self.gap > 0.0 { 1.0 / self.gap } else { 1.0 };
            self.growth = (reached / RECOVERY).max(1.0);
            reached
        });
        self.rate = Some((reached / 2.0).max(SLOWEST));
        self.slowed = now;
        self.pauses += 1;
        self.times += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A hundred answers, ten milliseconds apart.
    fn running(start: Instant) -> (State, Instant) {
        let mut state = State::new(start);
        let mut now = start;
        for _ in 0..100 {
            now += Duration::from_millis(10);
            assert_eq!(state.begin(now), Ok(()));
            state.answered(now);
        }
        (state, now)
    }

    #[test]
    fn a_refusal_halves_the_rate_once_for_all_that_were_in_flight() {
        let (mut state, now) = running(Instant::now());
        assert_eq!(state.limited(now, now, None), Ok(()));
        assert!((state.rate.unwrap() - 50.0).abs() < 1.0, "{:?}", state.rate);
        // Sent before, refused after: the same refusal.
        assert_eq!(state.limited(now + SECOND / 2, now - SECOND / 100, None), Ok(()));
        assert!((state.rate.unwrap() - 50.0).abs() < 1.0);
        assert_eq!(state.begin(now + SECOND / 2), Err(now + SECOND));
        // Sent after: a new one, and a longer pause.
        let later = now + SECOND;
        assert_eq!(state.begin(later), Ok(()));
        assert_eq!(state.limited(later, later, None), Ok(()));
        assert!((state.rate.unwrap() - 25.0).abs() < 1.0);
        assert_eq!(state.begin(later), Err(later + 2 * SECOND));
        assert_eq!(state.times, 2);
    }

    #[test]
    fn answers_let_the_rate_grow_by_as_much_each_second() {
        let (mut state, mut now) = running(Instant::now());
        state.limited(now, now, None).unwrap();
        now = state.next;
        let slow = state.rate.unwrap();
        let second = now + 10 * SECOND;
        while now < second {
            state.begin(now).unwrap();
            state.answered(now);
            now = state.next;
        }
        let grown = state.rate.unwrap() - slow;
        assert!((grown - 10.0 * 100.0 / RECOVERY).abs() < 3.0, "{grown}");
    }

    #[test]
    fn a_wish_to_wait_is_honoured_unless_it_is_for_too_long() {
        let (mut state, now) = running(Instant::now());
        assert_eq!(state.limited(now, now, Some(7 * SECOND)), Ok(()));
        assert_eq!(state.begin(now + SECOND), Err(now + 7 * SECOND));
        // Less than it is waited for already: nothing changes.
        assert_eq!(state.limited(now, now - SECOND, Some(SECOND)), Ok(()));
        assert_eq!(state.begin(now + SECOND), Err(now + 7 * SECOND));
        assert_eq!(state.limited(now, now, Some(PATIENCE + SECOND)), Err(GiveUp));
    }

    #[test]
    fn refusals_without_an_end_are_given_up() {
        let mut now = Instant::now();
        let mut state = State::new(now);
        let start = now;
        for _ in 0..MOST_PAUSES {
            assert_eq!(state.limited(now, now, None), Ok(()));
            now = state.next;
        }
        assert_eq!(state.limited(now, now, None), Err(GiveUp));
        assert_eq!(now - start, (1 + 2 + 4 + 8 + 16 + 32 + 60 + 60) * SECOND);
        assert!(state.rate.unwrap() >= SLOWEST);
        // One answer, and it begins anew.
        state.answered(now);
        assert_eq!(state.limited(now, now, None), Ok(()));
    }
}
