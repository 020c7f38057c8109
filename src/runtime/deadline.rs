//! `Deadline`: the end of a call's time.

use std::future::Future;
use std::time::{Duration, Instant};

use super::background;
use crate::error::Error;

/// No attempt ends within less, so none is begun.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(10);

/// The end of a call's time, set once when the call begins. Real time: a call may begin in one runtime, whose clock a
/// test has paused, and be carried out in another.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    allowed: Duration,
}

impl Deadline {
    pub(crate) fn after(allowed: Duration) -> Deadline {
        Deadline { started: Instant::now(), allowed }
    }

    /// The whole time of the call, for messages.
    pub(crate) fn allowed(&self) -> Duration {
        self.allowed
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The rest of the time; `None` if there is none.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.allowed.checked_sub(self.elapsed()).filter(|left| !left.is_zero())
    }

    /// Whether another attempt could end in time if it began after `pause`.
    pub(crate) fn has_time_for_an_attempt_after(&self, pause: Duration) -> bool {
        self.left().is_some_and(|left| left >= pause.saturating_add(SHORTEST_ATTEMPT))
    }

    /// The output of `step`, unless the time ends first. For a call's own steps: it needs a runtime with timers.
    pub(crate) async fn bound<T>(self, step: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.left().unwrap_or_default(), step).await.ok()
    }

    /// [`bound`](Self::bound) in any runtime, also one without timers, and in none.
    pub(crate) async fn bound_anywhere<T>(self, step: impl Future<Output = T>) -> Result<Option<T>, Error> {
        let timeout = {
            let _guard = background::enter()?;
            tokio::time::timeout(self.left().unwrap_or_default(), step)
        };
        Ok(timeout.await.ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_needs_time_after_its_pause() {
        let deadline = Deadline::after(Duration::from_secs(60));
        assert_eq!(deadline.allowed(), Duration::from_secs(60));
        assert!(deadline.has_time_for_an_attempt_after(Duration::from_secs(30)));
        assert!(!deadline.has_time_for_an_attempt_after(Duration::from_secs(60)));
        assert!(!deadline.has_time_for_an_attempt_after(Duration::MAX));
        let over = Deadline::after(Duration::from_nanos(1));
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(over.left(), None);
        assert!(!over.has_time_for_an_attempt_after(Duration::ZERO));
    }

    #[tokio::test]
    async fn a_step_that_is_ready_is_not_late() {
        let over = Deadline::after(Duration::from_nanos(1));
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(over.bound(async { 1 }).await, Some(1));
        assert_eq!(over.bound_anywhere(async { 1 }).await.unwrap(), Some(1));
        assert_eq!(over.bound(std::future::pending::<()>()).await, None);
        assert_eq!(over.bound_anywhere(std::future::pending::<()>()).await.unwrap(), None);
    }
}
