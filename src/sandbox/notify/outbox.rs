//! Notifications on their way: sent at once, and again as the platform does until they are accepted.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
    },
    task, time,
};
use url::Url;

use super::{
    Attempt, Delivery, Fault, SandboxError, SentNotification, clock, notification, payload::Payload,
    platform::Platform, postman::Postman, seal, sent::Sent,
};

/// The pauses before each repetition, in seconds.
const SCHEDULE: [u64; 15] =
    [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// How long the platform waits for an answer. Faster with the rest, but not below `LEAST_PATIENCE`: the receiver's
/// program is no faster than it is.
const PATIENCE: Duration = Duration::from_secs(5);
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// Notifications that wait for their turn or their repetition. One more is dropped, and recorded as such.
const MOST_UNDELIVERED: usize = 10_000;

/// Connections to receivers at a time.
const AT_ONCE: usize = 64;

/// Something happened that a merchant is to be told.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) notify_url: String,
    pub(super) event_type: String,
    pub(super) original_type: String,
    pub(super) summary: String,
    pub(super) resource: Value,
}

/// An event that has its id and its place in the ring.
pub(super) struct Job {
    number: u64,
    id: String,
    event: Event,
    faults: Vec<Fault>,
    _room: OwnedSemaphorePermit,
}

pub(super) struct Deliveries {
    pub(super) sent: Sent,
    jobs: UnboundedSender<Job>,
    room: Arc<Semaphore>,
    connections: Semaphore,
    postman: Postman,
    time_scale: f64,
}

impl Deliveries {
    /// The other half is for [`run`].
    pub(super) fn new(
        hosts: &[String],
        time_scale: f64,
    ) -> Result<(Deliveries, UnboundedReceiver<Job>), SandboxError> {
        let setting = |name, problem| SandboxError::Setting { name, problem };
        if !(time_scale.is_finite() && time_scale > 0.0) {
            return Err(setting("time_scale", format!("expected a number above zero, found {time_scale}")));
        }
        let patience = scaled(PATIENCE, time_scale).clamp(LEAST_PATIENCE, PATIENCE);
        let postman = Postman::new(hosts, patience).map_err(|problem| setting("notify_host", problem))?;
        let (jobs, receiver) = mpsc::unbounded_channel();
        let deliveries = Deliveries {
            sent: Sent::default(),
            jobs,
            room: Arc::new(Semaphore::new(MOST_UNDELIVERED)),
            connections: Semaphore::new(AT_ONCE),
            postman,
            time_scale,
        };
        Ok((deliveries, receiver))
    }
}

impl Platform {
    /// Sends a notification in the background and gives back its id. Never waits. `asked_for`: by a test, not by a
    /// request; such a one meets the queued faults, too.
    pub(super) fn notify(&self, event: Event, asked_for: bool) -> String {
        let Ok(id) = notification::id() else {
            tracing::error!("the sandbox has no random numbers for a notification's id");
            return String::new();
        };
        self.send(id.clone(), event, asked_for);
        id
    }

    /// Sends one that has its id.
    pub(super) fn send(&self, id: String, event: Event, asked_for: bool) {
        let path = Url::parse(&event.notify_url).map(|url| url.path().to_string()).unwrap_or_default();
        let faults = self.faults().of_notification(&path, asked_for);
        let deliveries = &self.deliveries;
        let number = deliveries.sent.push(SentNotification::new(&id, &event));
        let refuse = |id: &str, why: &str| {
            deliveries.sent.end(number, Delivery::Refused(why.into()));
            self.store.delivered(id);
        };
        match Arc::clone(&deliveries.room).try_acquire_owned() {
            Ok(room) => {
                let job = Job { number, id, event, faults, _room: room };
                // Gone with the server: a state file still has it.
                if deliveries.jobs.send(job).is_err() {
                    deliveries.sent.end(number, Delivery::Refused("the sandbox is ending".into()));
                }
            }
            Err(_) => refuse(&id, "there are too many undelivered notifications"),
        }
    }

    /// Sends again what a former run did not deliver.
    pub(super) fn resume(&self) -> Result<(), SandboxError> {
        let undelivered = self.store.change(|documents| documents.undelivered());
        let undelivered = undelivered.map_err(|refusal| SandboxError::State {
            what: "the undelivered notifications".into(),
            code: refusal.code.into(),
            message: refusal.message,
        })?;
        for (id, event) in undelivered {
            self.send(id, event, false);
        }
        Ok(())
    }
}

/// Runs on the server's runtime, and ends with it.
pub(super) async fn run(platform: Arc<Platform>, mut jobs: UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        let platform = Arc::clone(&platform);
        task::spawn(async move {
            let (number, id) = (job.number, job.id.clone());
            let end = deliver(&platform, job).await.unwrap_or_else(Delivery::Refused);
            platform.deliveries.sent.end(number, end);
            let _ = task::spawn_blocking(move || platform.store.delivered(&id)).await;
        });
    }
}

/// All attempts. `Err`: nothing was sent, and why.
async fn deliver(platform: &Arc<Platform>, job: Job) -> Result<Delivery, String> {
    let deliveries = &platform.deliveries;
    let url = deliveries.postman.admit(&job.event.notify_url).await?;
    let Job { number, id, event, faults, _room } = job;
    let maker = Arc::clone(platform);
    let made = task::spawn_blocking(move || notification::envelope(&maker, &id, &event)).await;
    let body: Bytes = made.ok().and_then(Result::ok).ok_or("the notification could not be encrypted")?.into();
    let message = Message { platform, number, url, body };

    if message.first(&faults).await {
        return Ok(Delivery::Accepted);
    }
    for pause in SCHEDULE {
        time::sleep(scaled(Duration::from_secs(pause), deliveries.time_scale)).await;
        if message.send(&[], &[]).await {
            return Ok(Delivery::Accepted);
        }
    }
    Ok(Delivery::GivenUp)
}

/// What is sent, again and again: the bytes stay, timestamp, nonce and signature are new each time.
struct Message<'a> {
    platform: &'a Arc<Platform>,
    number: u64,
    url: Url,
    body: Bytes,
}

impl Message<'_> {
    /// The first attempt is the one that faults belong to.
    async fn first(&self, faults: &[Fault]) -> bool {
        for fault in faults {
            if let Fault::Delay(time) = fault {
                time::sleep(*time).await;
            }
        }
        let (spoils, line): (Vec<Fault>, Vec<Fault>) = faults.iter().cloned().partition(Fault::spoils);
        if !spoils.is_empty() {
            self.send(&spoils, &[]).await;
        }
        let accepted = self.send(&[], &line).await;
        if accepted && line.contains(&Fault::Duplicate) {
            self.send(&[], &[Fault::Duplicate]).await;
        }
        accepted
    }

    /// Whether it was accepted.
    async fn send(&self, spoils: &[Fault], line: &[Fault]) -> bool {
        let deliveries = &self.platform.deliveries;
        // Closed never; but if it were, sending one more is better than none.
        let _turn = deliveries.connections.acquire().await;
        let at = clock::machine();
        let lost = line.contains(&Fault::CutConnection);
        let result = match self.try_send(spoils, line.contains(&Fault::CutBody)).await {
            Ok(_) if lost => Err("the answer was lost on purpose".into()),
            result => result,
        };
        let accepted = matches!(result, Ok(200 | 204));
        let faults = spoils.iter().chain(line).filter(|fault| fault.is_for_notifications()).cloned();
        deliveries.sent.attempt(self.number, Attempt { at, faults: faults.collect(), result });
        accepted
    }

    async fn try_send(&self, spoils: &[Fault], cut: bool) -> Result<u16, String> {
        let (platform, body, faults) = (Arc::clone(self.platform), self.body.clone(), spoils.to_vec());
        let signed = task::spawn_blocking(move || seal::notification(&platform, &body, &faults)).await;
        let headers = signed.ok().flatten().ok_or("the notification could not be signed")?;
        let body = notification::body(self.body.clone(), spoils);
        self.platform.deliveries.sent.carries(self.number, &headers, &body);
        let body = if cut { Payload::cut(body) } else { Payload::whole(body) };
        self.platform.deliveries.postman.post(self.url.clone(), headers, body).await
    }
}

/// A scale so small that the time has no end means: never within this run.
fn scaled(time: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() / scale).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_ends_after_a_day_and_four_minutes() {
        // What the platform's guide says of it.
        assert_eq!(SCHEDULE.iter().sum::<u64>(), 24 * 3600 + 4 * 60);
    }

    #[test]
    fn times_are_scaled() {
        assert_eq!(scaled(Duration::from_secs(15), 1000.0), Duration::from_millis(15));
        assert_eq!(scaled(Duration::from_secs(15), 0.5), Duration::from_secs(30));
        assert_eq!(scaled(Duration::from_secs(15), 1e-300), Duration::MAX);
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Deliveries::new(&[], scale).is_err(), "{scale}");
        }
    }
}
