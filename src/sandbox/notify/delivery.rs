//! The delivery of notifications: at once, and again on the platform's schedule until one is accepted.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    task, time,
};
use url::Url;

use super::{
    allowed_hosts::NotAdmitted,
    envelope,
    outbox::{Job, Outbox},
};
use crate::sandbox::{
    faults::{drawn::Drawn, fault::Fault},
    http::{body::OutgoingBody, clock},
    store::sent_notification::{Attempt, Delivery},
};

/// The pause before each repetition, in seconds.
const SCHEDULE: [i64; 15] =
    [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// Runs on the server's runtime and ends with it.
pub(crate) async fn run(outbox: Arc<Outbox>, mut jobs: UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        let outbox = Arc::clone(&outbox);
        task::spawn(async move {
            let (number, id, once) = (job.number, job.id.clone(), job.once);
            let mut faults = None;
            let result = deliver(&outbox, job, &mut faults).await.unwrap_or_else(Delivery::Refused);
            // Nothing was sent: they apply to another notification.
            if let Some(unused) = faults {
                outbox.faults.lock().settle(unused);
            }
            // A failed attempt in between changes nothing.
            if once && result != Delivery::Accepted {
                if let Delivery::Refused(why) = result {
                    let attempt = Attempt::failed(clock::system_time(), why);
                    outbox.log.add_attempt(number, attempt);
                }
                return;
            }
            outbox.log.finish(number, result);
            let _ = task::spawn_blocking(move || outbox.mark_delivered(number, &id)).await;
        });
    }
}

/// Makes all attempts. An error is the reason why nothing more is sent.
async fn deliver(
    outbox: &Arc<Outbox>,
    job: Job,
    // Of the first attempt that is sent, until it is.
    unused: &mut Option<Drawn>,
) -> Result<Delivery, String> {
    let Job { number, id, event, faults, once, _permit } = job;
    *unused = Some(faults);
    let notify_url = event.notify_url.clone();
    let mut url = admit(outbox, number, &notify_url).await?;
    let shared = Arc::clone(outbox);
    let body = task::spawn_blocking(move || shared.envelopes.body(&id, &event)).await;
    let body: Bytes = body.ok().and_then(Result::ok).ok_or("the notification could not be encrypted")?.into();
    let mut pauses = Pauses::new(outbox);

    let schedule = if once { &[][..] } else { &SCHEDULE };
    for pause in schedule.iter().copied().map(Some).chain([None]) {
        if let Some(url) = &url {
            let message = Message { outbox, number, url: url.clone(), body: body.clone() };
            let accepted = match unused.take() {
                Some(drawn) => message.send_first(drawn).await,
                None => message.send(&[], &[]).await,
            };
            if accepted {
                return Ok(Delivery::Accepted);
            }
        }
        let Some(pause) = pause else { break };
        pauses.wait(outbox, pause).await;
        // It was sent again in the meantime, and accepted.
        if let Some(outcome) = outbox.log.outcome(number) {
            return Ok(outcome);
        }
        if url.is_none() {
            url = admit(outbox, number, &notify_url).await?;
        }
    }
    Ok(Delivery::GivenUp)
}

/// Checks the host. `None` if its name could not be resolved: that is a failed attempt, as on the platform.
async fn admit(outbox: &Outbox, number: u64, notify_url: &str) -> Result<Option<Url>, String> {
    let at = clock::system_time();
    match outbox.client.check(notify_url).await {
        Ok(url) => Ok(Some(url)),
        Err(NotAdmitted::Refused(why)) => Err(why),
        Err(NotAdmitted::NotResolved(why)) => {
            outbox.log.add_attempt(number, Attempt::failed(at, why));
            Ok(None)
        }
    }
}

/// The pauses between the attempts, in the business time. Advancing its clock ends them early, and a day at once
/// brings all attempts of that day.
struct Pauses {
    changes: watch::Receiver<i64>,
    /// The part of the clock's advance that earlier pauses have used.
    used: i64,
}

impl Pauses {
    fn new(outbox: &Outbox) -> Pauses {
        let changes = outbox.envelopes.clock.changes();
        let used = *changes.borrow();
        Pauses { changes, used }
    }

    /// Waits this many business seconds.
    async fn wait(&mut self, outbox: &Outbox, seconds: i64) {
        let begun = time::Instant::now();
        loop {
            let advanced = *self.changes.borrow_and_update();
            let Ok(left @ 1..) = u64::try_from(seconds - (advanced - self.used)) else {
                self.used += seconds;
                return;
            };
            let left = outbox.scaled(Duration::from_secs(left)).saturating_sub(begun.elapsed());
            // The sender is part of the platform, and outlives this task.
            if !matches!(time::timeout(left, self.changes.changed()).await, Ok(Ok(()))) {
                self.used = advanced;
                return;
            }
        }
    }
}

/// The body is the same in every attempt of a job; timestamp, nonce and signature are new.
struct Message<'a> {
    outbox: &'a Arc<Outbox>,
    number: u64,
    url: Url,
    body: Bytes,
}

impl Message<'_> {
    /// The first attempt, with the faults.
    async fn send_first(&self, mut drawn: Drawn) -> bool {
        let faults = drawn.faults();
        drawn.apply(|fault| *fault != Fault::Duplicate);
        // A copy of an accepted notification counts when it is sent. The other faults count before their attempt is seen.
        let mut duplicate = Some(drawn);
        if !faults.contains(&Fault::Duplicate) {
            self.settle(duplicate.take());
        }
        for fault in &faults {
            if let Fault::Delay(time) = fault {
                time::sleep(*time).await;
            }
        }
        let (signature_faults, transport_faults): (Vec<Fault>, Vec<Fault>) =
            faults.iter().cloned().partition(Fault::breaks_signature);
        if !signature_faults.is_empty() {
            self.send(&signature_faults, &[]).await;
        }
        let accepted = self.send(&[], &transport_faults).await;
        if let Some(mut drawn) = duplicate {
            drawn.apply(|_| accepted);
            self.settle(Some(drawn));
            if accepted {
                self.send(&[], &[Fault::Duplicate]).await;
            }
        }
        accepted
    }

    fn settle(&self, drawn: Option<Drawn>) {
        if let Some(drawn) = drawn {
            self.outbox.faults.lock().settle(drawn);
        }
    }

    /// Returns whether the receiver accepted it.
    async fn send(&self, signature_faults: &[Fault], transport_faults: &[Fault]) -> bool {
        // The semaphore is never closed.
        let _permit = self.outbox.connections.acquire().await;
        let at = clock::system_time();
        let lose_response = transport_faults.contains(&Fault::CutConnection);
        let truncate = transport_faults.contains(&Fault::CutBody);
        let result = match self.try_send(signature_faults, truncate).await {
            Ok(_) if lose_response => Err("the response was dropped on purpose".into()),
            result => result,
        };
        let (result, response) = match result {
            Ok((status, response)) => (Ok(status), response),
            Err(why) => (Err(why), String::new()),
        };
        let accepted = matches!(result, Ok(200 | 204));
        let faults = signature_faults.iter().chain(transport_faults);
        let faults = faults.filter(|fault| fault.is_for_notifications()).cloned().collect();
        self.outbox.log.add_attempt(self.number, Attempt { at, faults, result, response });
        accepted
    }

    async fn try_send(&self, signature_faults: &[Fault], truncate: bool) -> Result<(u16, String), String> {
        let (outbox, body, faults) = (Arc::clone(self.outbox), self.body.clone(), signature_faults.to_vec());
        let headers = task::spawn_blocking(move || outbox.signer.sign_notification(&body, &faults)).await;
        let headers = headers.ok().flatten().ok_or("the notification could not be signed")?;
        let body = envelope::sent_body(self.body.clone(), signature_faults);
        self.outbox.log.set_content(self.number, &headers, &body);
        let body = if truncate { OutgoingBody::truncated(body) } else { OutgoingBody::complete(body) };
        self.outbox.client.post(&self.url, headers, body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_ends_after_a_day_and_four_minutes() {
        // As documented by the platform.
        assert_eq!(SCHEDULE.iter().sum::<i64>(), 24 * 3600 + 4 * 60);
    }
}
