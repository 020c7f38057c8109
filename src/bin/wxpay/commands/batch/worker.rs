//! Runs one call: waits for the rate limiter, announces the call in the journal, sends it, records the result, and
//! repeats it if that is safe.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use wechatpay_chain::{Error, Response, WeChatPay};

use super::calls::Call;
use super::journal::Journal;
use super::outcome::{self, Outcome};
use super::rate_limiter::{Limited, RateLimiter};
use super::records::{ResultRecord, SentRecord};
use super::refusals::Refusal;
use super::shutdown::Shutdown;
use super::states;
use crate::config::sandbox::is_not_modelled;
use crate::exit;
use crate::failure::describe_in_line;

/// The pauses before a call without a response is sent again (PROTOCOL, Errors and retry).
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A call is sent this often while a rate limit refuses it (PROTOCOL, Errors and retry).
const MAX_TRIES_LIMITED: u32 = 3;

/// The end of a call.
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    /// For [`Outcome::Refused`].
    pub(super) refusal: Option<Refusal>,
}

const JOURNAL_FAILED: &str = "cannot write the journal";

/// Shared by all calls of a batch.
pub(super) struct Worker {
    pub(super) wx: WeChatPay,
    pub(super) journal: Journal,
    pub(super) rate_limiter: RateLimiter,
    pub(super) shutdown: Shutdown,
    pub(super) repeat_unknown: bool,
    /// The batch stops after this number of consecutive attempts that failed in a way that affects all calls.
    pub(super) max_failures: u32,
    pub(super) failures: AtomicU32,
    /// The exit code of an error that every call would meet until a setting changes.
    pub(super) permanent: OnceLock<u8>,
    /// Responses of a sandbox to paths that it does not model.
    pub(super) not_modelled: AtomicU32,
}

impl Worker {
    /// Whether a call that may have been carried out may be sent again.
    pub(super) fn may_repeat(&self, call: &Call) -> bool {
        call.is_get() || self.repeat_unknown
    }

    /// The outcome of the call; `None` if it was not sent.
    pub(super) async fn run(&self, call: &Call) -> Option<Finished> {
        let mut pauses = PAUSES.into_iter();
        let mut tries_limited = 0;
        let (mut last, mut doubt) = (None, None);
        while self.shutdown.or(self.rate_limiter.acquire()).await.is_some() {
            if self.journal.write_and_sync(&SentRecord::now(call)).await.is_err() {
                self.shutdown.request(JOURNAL_FAILED);
                break;
            }
            let sent = Instant::now();
            let result = call.request(&self.wx).await;
            let outcome = Outcome::of(&result);
            if result.as_ref().is_ok_and(|response| is_not_modelled(response.headers())) {
                self.not_modelled.fetch_add(1, Ordering::Relaxed);
            }
            if self.journal.write(&ResultRecord::now(call, outcome, &result)).await.is_err() {
                self.shutdown.request(JOURNAL_FAILED);
                return Some(Finished { outcome: Outcome::Unknown, refusal: None });
            }
            let refusal = (outcome == Outcome::Refused).then(|| Refusal::of(&result));
            last = Some(Finished { outcome: states::after(doubt, outcome), refusal });
            doubt = outcome.doubt().or(doubt);
            if let Err(error) = &result
                && outcome::is_permanent(error)
            {
                // Only the first one counts, as in `Shutdown`.
                let _ = self.permanent.set(exit::code_of(error));
                self.shutdown.request(describe_in_line(error));
                break;
            }
            self.count_failure(outcome, &result);
            let pause = match outcome {
                Outcome::Limited => {
                    tries_limited += 1;
                    let limited =
                        self.rate_limiter.on_limited(call.line, sent, outcome::retry_after(&result));
                    let pause = match limited {
                        Limited::All => Some(Duration::ZERO),
                        Limited::One(asked) => Some(pauses.next().unwrap_or_default().max(asked)),
                        Limited::TooLong => None,
                        Limited::GiveUp => {
                            self.shutdown.request("the platform's rate limit keeps refusing calls");
                            None
                        }
                    };
                    pause.filter(|_| tries_limited < MAX_TRIES_LIMITED)
                }
                Outcome::Ok | Outcome::Refused => {
                    self.rate_limiter.on_response();
                    None
                }
                Outcome::Unsent if outcome::may_succeed_later(&result) => pauses.next(),
                Outcome::Unknown if self.may_repeat(call) && !outcome::is_final(&result) => pauses.next(),
                Outcome::Unsent | Outcome::Unknown | Outcome::Unverified => None,
            };
            let Some(pause) = pause else { break };
            if self.shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                break;
            }
        }
        last
    }

    /// Stops the batch once every attempt fails, instead of going through all calls. Attempts are counted, not calls: a
    /// call that is repeated takes seconds, and each attempt shows the same.
    fn count_failure(&self, outcome: Outcome, result: &Result<Response, Error>) {
        if !outcome.affects_other_calls() {
            if outcome != Outcome::Limited {
                self.failures.store(0, Ordering::Relaxed);
            }
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= self.max_failures {
            let last = result.as_ref().err().map(describe_in_line).unwrap_or_default();
            self.shutdown
                .request(format!("{} attempts in a row failed; the last one: {last}", self.max_failures));
        }
    }
}
