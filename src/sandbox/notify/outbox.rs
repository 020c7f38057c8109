//! The outbox: accepts events, records their notifications in the log, and queues them for delivery.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use url::Url;

use super::{
    client::NotifyClient,
    envelope::{self, EnvelopeFactory},
};
use crate::sandbox::{
    auth::sign::ResponseSigner,
    faults::{active::SharedFaults, drawn::Drawn, fault::Fault},
    http::{error_response::ErrorResponse, sandbox_error::SandboxError},
    store::{
        database::Database,
        event::{self, Event, QueuedEvent},
        notification_log::NotificationLog,
        records,
        sent_notification::{Delivery, SentNotification},
    },
};

/// How long the platform waits for a response. It is divided by the time scale, but not below `MIN_TIMEOUT`: the
/// receiver does not run faster.
const TIMEOUT: Duration = Duration::from_secs(5);
const MIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Notifications that wait for an attempt. Further ones are dropped and recorded as such. A large one counts several
/// times: once for each `SMALL` bytes.
const MAX_UNDELIVERED: usize = 10_000;
const SMALL: usize = 8 << 10;

/// Concurrent connections to receivers.
const MAX_CONNECTIONS: usize = 64;

/// The settings of the delivery, already checked.
pub(crate) struct DeliverySettings {
    client: NotifyClient,
    time_scale: f64,
}

/// A notification that waits for its delivery.
pub(crate) struct Job {
    /// The number in the log.
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) event: Event,
    pub(crate) faults: Drawn,
    /// One attempt only, at the wish of a person; the schedule of the first job goes on.
    pub(crate) once: bool,
    pub(crate) _permit: OwnedSemaphorePermit,
}

pub(crate) struct Outbox {
    pub(crate) log: NotificationLog,
    pub(crate) envelopes: EnvelopeFactory,
    pub(crate) signer: Arc<ResponseSigner>,
    pub(crate) database: Arc<Database>,
    pub(crate) client: NotifyClient,
    pub(crate) connections: Semaphore,
    pub(crate) faults: SharedFaults,
    jobs: UnboundedSender<Job>,
    capacity: Arc<Semaphore>,
    time_scale: f64,
}

impl DeliverySettings {
    /// `hosts` are allowed in addition to this machine.
    pub(crate) fn new(hosts: &[String], time_scale: f64) -> Result<DeliverySettings, SandboxError> {
        let setting = |name, problem| SandboxError::Setting { name, problem };
        if !(time_scale.is_finite() && time_scale > 0.0) {
            return Err(setting("time_scale", format!("expected a number above zero, found {time_scale}")));
        }
        let timeout = scaled(TIMEOUT, time_scale).clamp(MIN_TIMEOUT, TIMEOUT);
        let client = NotifyClient::new(hosts, timeout).map_err(|problem| setting("notify_host", problem))?;
        Ok(DeliverySettings { client, time_scale })
    }
}

impl Outbox {
    /// The receiver is for [`delivery::run`](super::delivery::run).
    pub(crate) fn new(
        settings: DeliverySettings,
        envelopes: EnvelopeFactory,
        signer: Arc<ResponseSigner>,
        faults: SharedFaults,
        database: Arc<Database>,
        log: NotificationLog,
    ) -> (Outbox, UnboundedReceiver<Job>) {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let outbox = Outbox {
            log,
            envelopes,
            signer,
            database,
            client: settings.client,
            connections: Semaphore::new(MAX_CONNECTIONS),
            faults,
            jobs,
            capacity: Arc::new(Semaphore::new(MAX_UNDELIVERED)),
            time_scale: settings.time_scale,
        };
        (outbox, receiver)
    }

    /// Sends a notification in the background, at the explicit wish of a test: it takes from the queue of faults.
    /// Returns its id.
    pub(crate) fn send_explicit(&self, event: Event) -> String {
        let Ok(queued) = event.with_new_id() else {
            tracing::error!("the sandbox has no random numbers for the id of a notification");
            return String::new();
        };
        let id = queued.id.clone();
        self.send(queued, true);
        id
    }

    /// Sends the notifications of a request in the background.
    pub(crate) fn send_all(&self, events: Vec<QueuedEvent>) {
        for event in events {
            self.send(event, false);
        }
    }

    /// Sends the notifications that the previous run did not deliver.
    pub(crate) fn resend_undelivered(&self) -> Result<(), SandboxError> {
        let undelivered = self.database.transaction(|documents| documents.undelivered());
        let undelivered = undelivered
            .map_err(|error: ErrorResponse| SandboxError::state("the undelivered notifications", error))?;
        let ids = undelivered.iter().map(|queued| queued.id.as_str()).collect();
        let mut numbers = self.log.resume(&ids);
        for queued in undelivered {
            // A killed run may not have recorded it.
            let number = numbers.remove(&queued.id).unwrap_or_else(|| self.record(&queued));
            self.enqueue(number, queued, false);
        }
        Ok(())
    }

    /// A notification with its headers and body, without sending it. `None` if it could not be encrypted or signed.
    pub(crate) fn compose(&self, event: &Event) -> Option<(HeaderMap, Bytes)> {
        let id = event::new_id().ok()?;
        let body = self.envelopes.body(&id, event).ok()?;
        let mut drawn = self.faults.lock().of_notification("/", true, &id);
        // Nothing is sent: no connection is cut, and nothing comes twice.
        drawn.apply(Fault::breaks_signature);
        let faults = drawn.applied();
        self.faults.lock().settle(drawn);
        let headers = self.signer.sign_notification(&body, &faults)?;
        Some((headers, envelope::sent_body(body.into(), &faults)))
    }

    fn send(&self, queued: QueuedEvent, explicit: bool) {
        self.enqueue(self.record(&queued), queued, explicit);
    }

    fn record(&self, queued: &QueuedEvent) -> u64 {
        self.log.push(SentNotification::new(&queued.id, &queued.event))
    }

    fn enqueue(&self, number: u64, queued: QueuedEvent, explicit: bool) {
        let QueuedEvent { id, event } = queued;
        let path = Url::parse(&event.notify_url).map(|url| url.path().to_string()).unwrap_or_default();
        let faults = self.faults.lock().of_notification(&path, explicit, &id);
        match Arc::clone(&self.capacity).try_acquire_many_owned(places(&event)) {
            Ok(permit) => {
                let job = Job { number, id, event, faults, once: false, _permit: permit };
                // The server has ended. A state file still has the notification.
                if let Err(job) = self.jobs.send(job) {
                    self.faults.lock().settle(job.0.faults);
                    self.log.finish(number, Delivery::Refused("the sandbox is shutting down".into()));
                }
            }
            Err(_) => {
                self.faults.lock().settle(faults);
                let reason = format!(
                    "too many undelivered notifications (limit {MAX_UNDELIVERED} of up to {SMALL} bytes)"
                );
                self.log.finish(number, Delivery::Refused(reason));
                self.mark_delivered(number, &id);
            }
        }
    }

    /// Deletes a notification that need not be sent again, and writes what became of it. If that fails, it is sent
    /// twice, as the platform may do.
    pub(crate) fn mark_delivered(&self, number: u64, id: &str) {
        if !self.database.is_file() {
            return;
        }
        let marked = self.database.transaction(|documents| {
            documents.delete_undelivered(id)?;
            self.log.get(number).map_or(Ok(()), |sent| records::save_notification(documents, number, &sent))
        });
        if let Err(error) = marked {
            tracing::warn!(error = error.message, "a notification cannot be marked as delivered");
        }
    }

    /// Makes one more attempt for the notification with this id, whatever became of the earlier ones. An error is the
    /// reason why it cannot be sent.
    pub(crate) fn send_again(&self, id: &str) -> Result<(), &'static str> {
        let (number, sent) = self.log.by_id(id).ok_or("there is no such notification")?;
        let event = sent.event().ok_or("the notification is too large to be kept")?;
        let path = Url::parse(&event.notify_url).map(|url| url.path().to_string()).unwrap_or_default();
        let permit = Arc::clone(&self.capacity).try_acquire_many_owned(places(&event));
        let permit = permit.map_err(|_| "too many notifications wait for their delivery")?;
        let faults = self.faults.lock().of_notification(&path, false, &sent.id);
        let job = Job { number, id: sent.id, event, faults, once: true, _permit: permit };
        self.jobs.send(job).map_err(|job| {
            self.faults.lock().settle(job.0.faults);
            "the sandbox is shutting down"
        })
    }

    /// A duration of the platform's schedule, divided by the time scale.
    pub(crate) fn scaled(&self, time: Duration) -> Duration {
        scaled(time, self.time_scale)
    }
}

/// How many places of the queue it takes.
fn places(event: &Event) -> u32 {
    u32::try_from(1 + event.size() / SMALL).unwrap_or(u32::MAX)
}

/// With a tiny scale the time overflows: it is never reached in this run.
fn scaled(time: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() / scale).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_scaled() {
        assert_eq!(scaled(Duration::from_secs(15), 1000.0), Duration::from_millis(15));
        assert_eq!(scaled(Duration::from_secs(15), 0.5), Duration::from_secs(30));
        assert_eq!(scaled(Duration::from_secs(15), 1e-300), Duration::MAX);
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(DeliverySettings::new(&[], scale).is_err(), "{scale}");
        }
    }
}
