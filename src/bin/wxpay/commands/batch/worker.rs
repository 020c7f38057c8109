//! One call from its turn to its end: announced, sent, recorded; and again where that is right.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use wechatpay_chain::WeChatPay;

use super::calls::Call;
use super::journal::Journal;
use super::outcome::{self, Outcome};
use super::rate_limiter::Pace;
use super::records::{Ended, Sent};
use super::shutdown::Stop;

/// The pauses before a call is sent again that had no answer (PROTOCOL, Errors and retry).
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

const UNWRITABLE: &str = "the journal cannot be written";

/// What the calls of a batch share.
pub(super) struct Worker {
    pub(super) wx: WeChatPay,
    pub(super) journal: Journal,
    pub(super) pace: Pace,
    pub(super) stop: Stop,
    pub(super) repeat_unknown: bool,
    /// So many calls in a row without an answer of use are enough.
    pub(super) most_failures: u32,
    pub(super) failures: AtomicU32,
}

impl Worker {
    /// Whether a call may be sent again that may have been carried out.
    pub(super) fn may_repeat(&self, call: &Call) -> bool {
        call.is_get() || self.repeat_unknown
    }

    /// What became of the call; `None` when its turn did not come.
    pub(super) async fn run(&self, call: &Call) -> Option<Outcome> {
        let mut pauses = PAUSES.into_iter();
        let mut last = None;
        while self.stop.or(self.pace.turn()).await.is_some() {
            if self.journal.write(&Sent::now(call)).await.is_err() {
                self.stop.raise(UNWRITABLE);
                break;
            }
            let began = Instant::now();
            let result = call.request(&self.wx).await;
            let outcome = Outcome::of(&result);
            if self.journal.tell(&Ended::now(call, outcome, &result)).await.is_err() {
                self.stop.raise(UNWRITABLE);
                return Some(Outcome::Unknown);
            }
            last = Some(outcome);
            self.judge(outcome, outcome::is_general(outcome, &result));
            match outcome {
                Outcome::Limited => {
                    if self.pace.limited(began, outcome::retry_after(&result)).is_err() {
                        self.stop.raise("the platform keeps refusing calls for its rate limit");
                    }
                    continue;
                }
                Outcome::Ok | Outcome::Refused => self.pace.answered(),
                _ => {}
            }
            let again = match outcome {
                Outcome::Unsent => true,
                Outcome::Unknown => self.may_repeat(call),
                _ => false,
            };
            let Some(pause) = pauses.next().filter(|_| again) else { break };
            if self.stop.or(tokio::time::sleep(pause)).await.is_none() {
                break;
            }
        }
        last
    }

    /// Ends a batch in which nothing works any more, before it goes through all of its calls.
    fn judge(&self, outcome: Outcome, general: bool) {
        if !general {
            if outcome != Outcome::Limited {
                self.failures.store(0, Ordering::Relaxed);
            }
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.most_failures {
            self.stop.raise(format!("{} calls in a row had no answer of use", self.most_failures));
        }
    }
}
