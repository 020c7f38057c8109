//! The platform: connects the stages of a request (verify, route, log, sign) and sends the events that follow from it.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    api_v2,
    router::{Found, Router},
};
use crate::catalogue::Hint;
use crate::sandbox::{
    auth::{
        sign::{ResponseSigner, SignedResponse},
        verify::{Rejection, SignatureVerdict, Verifier},
    },
    faults::{active::SharedFaults, drawn::Drawn, effects, fault::Fault, hits::HitTarget},
    http::{
        business_clock::BusinessClock, clock::SkewedClock, error_response::ErrorResponse,
        request::IncomingRequest, response::ReadyResponse, sandbox_error::SandboxError, secret_headers,
    },
    keys::{identity::Identity, keyring::Keyring},
    model::{
        documented_event,
        engine::{DocumentedSettings, Engine, holds::Holds},
        scripts::Script,
    },
    notify::{
        envelope::EnvelopeFactory,
        outbox::{DeliverySettings, Job, Outbox},
    },
    store::{
        database::Database,
        event::{Event, QueuedEvent},
        notification_log::NotificationLog,
        payer_log::PayerLog,
        records,
        request_hint::RequestHint,
        request_log::RequestLog,
        seen_request::{EndpointKind, RecordedResponse, SeenRequest, Verdict},
        watcher::Watcher,
    },
};

/// The settings of a sandbox, already checked.
pub(crate) struct Settings {
    /// Further host names of the page and the control endpoint, in lower case.
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) clock_skew: i64,
    pub(crate) sign_errors: bool,
    /// Refuses what differs from the documents, and paths without documents.
    pub(crate) strict: bool,
    /// Of the faults with a share, and of values in responses.
    pub(crate) seed: u64,
    /// A later one takes precedence over an earlier one.
    pub(crate) scripts: Vec<Script>,
    pub(crate) delivery: DeliverySettings,
    pub(crate) database: Database,
    pub(crate) holds: Holds,
    /// The folder with the identity's keys, if it is kept.
    pub(crate) keys_folder: Option<PathBuf>,
    pub(crate) watcher: Watcher,
}

/// Shared by all connections.
pub(crate) struct Platform {
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) keys_folder: Option<PathBuf>,
    /// Of signatures.
    pub(crate) clock: Arc<SkewedClock>,
    pub(crate) business_clock: Arc<BusinessClock>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) faults: SharedFaults,
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) requests: RequestLog,
    pub(crate) outbox: Arc<Outbox>,
    verifier: Verifier,
    database: Arc<Database>,
    signer: Arc<ResponseSigner>,
}

/// A request's number in the log, and when it came.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) number: u64,
    pub(crate) at: SystemTime,
}

/// A response, and the faults of the connection that it is sent over.
pub(crate) struct Served {
    pub(crate) response: Response<Bytes>,
    pub(crate) faults: Vec<Fault>,
}

/// What is known of a request when its response is made.
struct Context {
    arrival: Arrival,
    endpoint: EndpointKind,
    signature: SignatureVerdict,
    signed_message: Vec<u8>,
    faults: Drawn,
    hints: Vec<Hint>,
}

impl Platform {
    /// The receiver is for the delivery of notifications.
    pub(crate) fn new(
        identity: Identity,
        keyring: Keyring,
        settings: Settings,
    ) -> Result<(Platform, UnboundedReceiver<Job>), SandboxError> {
        let keyring = Arc::new(keyring);
        let identity = Arc::new(identity);
        let clock = Arc::new(SkewedClock::new(settings.clock_skew));
        let database = Arc::new(settings.database);
        let advanced = database.transaction(|documents| documents.advanced());
        let advanced = advanced.map_err(|error| SandboxError::state("the business time", error))?;
        let business_clock = Arc::new(BusinessClock::new(advanced));
        let faults = SharedFaults::new(settings.seed);
        let signer =
            Arc::new(ResponseSigner::new(Arc::clone(&clock), Arc::clone(&keyring), settings.sign_errors));
        let mut requests = RequestLog::new(settings.watcher.clone());
        let mut notifications = NotificationLog::new(settings.watcher);
        let payer_log = PayerLog::default();
        records::load(&database, &mut requests, &mut notifications, &payer_log)?;
        let (outbox, jobs) = Outbox::new(
            settings.delivery,
            EnvelopeFactory::new(Arc::clone(&identity), Arc::clone(&business_clock)),
            Arc::clone(&signer),
            faults.clone(),
            Arc::clone(&database),
            notifications,
        );
        let mut engine = Engine::new(
            Arc::clone(&identity),
            Arc::clone(&keyring),
            Arc::clone(&business_clock),
            Arc::clone(&database),
            settings.holds,
            payer_log,
        );
        engine.documented = DocumentedSettings { strict: settings.strict, seed: settings.seed };
        let platform = Platform {
            allow_hosts: settings.allow_hosts,
            verifier: Verifier::new(Arc::clone(&identity), Arc::clone(&clock), Arc::clone(&keyring)),
            router: Router::new(settings.scripts, settings.strict)?,
            requests,
            outbox: Arc::new(outbox),
            identity,
            keys_folder: settings.keys_folder,
            clock,
            business_clock,
            keyring,
            faults,
            engine,
            signer,
            database,
        };
        Ok((platform, jobs))
    }

    pub(crate) fn serve(&self, request: IncomingRequest, arrival: Arrival) -> Served {
        let found = self.router.find(&request);
        let inspection = self.verifier.inspect(&request);
        let mut context = Context {
            arrival,
            endpoint: found.kind(),
            signature: inspection.signature,
            signed_message: Vec::new(),
            faults: Drawn::none(HitTarget::Request(arrival.number)),
            hints: Vec::new(),
        };
        // Any page in a browser can send requests to this port: they must not use up the faults of a test.
        if inspection.signature == SignatureVerdict::Valid {
            context.faults = self.faults.lock().of_request(&request.target, arrival.number);
        }
        effects::apply_permanent(&mut context.faults, &self.keyring, &self.clock);
        // It has no signature that could be verified. A script of such a path is for signed requests.
        let is_unsigned = !request.headers.contains_key(header::AUTHORIZATION);
        let outcome = match api_v2::error(&request).filter(|_| is_unsigned) {
            Some(error) => Err(error.into()),
            None => self.verifier.verify(&request, &inspection).and_then(|body| {
                let Context { faults, hints, .. } = &mut context;
                self.execute(found, &request, &body, faults, hints).map_err(Rejection::from)
            }),
        };
        context.signed_message = inspection.into_message();
        self.finish(request, context, outcome)
    }

    /// Logs a request that could not be read completely, and responds with this error.
    pub(crate) fn reject(&self, request: IncomingRequest, arrival: Arrival, error: ErrorResponse) -> Served {
        let context = Context {
            arrival,
            endpoint: self.router.find(&request).kind(),
            signature: SignatureVerdict::NotChecked,
            signed_message: Vec::new(),
            faults: Drawn::none(HitTarget::Request(arrival.number)),
            hints: Vec::new(),
        };
        self.finish(request, context, Err(error.into()))
    }

    /// Whether there is a state file.
    pub(crate) fn keeps_records(&self) -> bool {
        self.database.is_file()
    }

    /// Logs a request whose client left before its body was there: nothing can be checked, and no response is sent.
    pub(crate) fn record_unread(&self, request: IncomingRequest, Arrival { number, at }: Arrival) {
        let endpoint = self.router.find(&request).kind();
        self.requests.push(SeenRequest {
            number,
            at,
            duration: Duration::ZERO,
            method: request.method.as_str().to_string(),
            target: request.target,
            headers: secret_headers::marked(request.headers),
            body_length: 0,
            body: Bytes::new(),
            signed_message_length: 0,
            signed_message: Bytes::new(),
            signature: SignatureVerdict::NotChecked,
            endpoint,
            faults: Vec::new(),
            verdict: Verdict::Disturbed,
            response: RecordedResponse::new(StatusCode::BAD_REQUEST, HeaderMap::new(), &Bytes::new()),
            passed: false,
            hints: Vec::new(),
            diagnosis: None,
        });
    }

    /// Writes the changes of the logs to the state file.
    pub(crate) fn save_records(&self) {
        records::save(&self.database, &self.requests, &self.outbox.log);
    }

    /// Runs an action of the engine and sends its events.
    pub(crate) fn perform<T>(
        &self,
        action: impl FnOnce(&Engine) -> Result<(T, Vec<QueuedEvent>), ErrorResponse>,
    ) -> Result<T, ErrorResponse> {
        let (value, events) = action(&self.engine)?;
        self.outbox.send_all(events);
        Ok(value)
    }

    /// The event of any documented notification, in its documented shape. Each has values of its own, which depend on
    /// the seed and on the number of notifications so far.
    pub(crate) fn documented_event(
        &self,
        notify_url: &str,
        name: &str,
        overrides: &Value,
    ) -> Result<Event, SandboxError> {
        let seed = format!("{} {}", self.faults.lock().seed(), self.outbox.log.total());
        let made = documented_event::make(&self.engine, &seed, notify_url, name, overrides);
        made.map_err(|problem| SandboxError::Event { event: name.into(), problem })
    }

    /// Some faults replace the response before or after the execution.
    fn execute(
        &self,
        found: Found<'_>,
        request: &IncomingRequest,
        body: &Value,
        faults: &mut Drawn,
        hints: &mut Vec<Hint>,
    ) -> Result<ReadyResponse, ErrorResponse> {
        if let Some(response) = effects::instead_of_execution(faults) {
            return Ok(response);
        }
        let (response, events) = found.respond(&self.engine, request, body, hints)?;
        self.outbox.send_all(events);
        Ok(effects::after_execution(faults).unwrap_or(response))
    }

    /// Signs the response and records the request. [`RequestLog::finish`] follows once the response is sent.
    fn finish(
        &self,
        request: IncomingRequest,
        context: Context,
        outcome: Result<ReadyResponse, Rejection>,
    ) -> Served {
        let signing = self.signer.context(&request);
        let (ready, refusal) = match outcome {
            Ok(response) => (response, None),
            Err(rejection) => {
                let ready = rejection.error.to_response().build();
                (ready.unwrap_or_else(|_| ReadyResponse::internal_error()), Some(rejection))
            }
        };
        let Context {
            arrival: Arrival { number, at },
            endpoint,
            signature,
            signed_message,
            faults: mut drawn,
            hints,
        } = context;
        let drawn_faults = drawn.faults();
        let SignedResponse { response, missed, forged } =
            self.signer.sign_response(ready, &signing, &drawn_faults);
        drawn.apply(|fault| fault.is_of_the_response() && !missed.contains(fault));
        let faults = drawn.applied();
        self.faults.lock().settle(drawn);
        let verdict = match &refusal {
            _ if effects::disturb(&faults) => Verdict::Disturbed,
            Some(rejection) => Verdict::of_error(&rejection.error),
            None if forged => Verdict::Disturbed,
            None if response.status().is_client_error() || response.status().is_server_error() => {
                Verdict::of_error_body(response.status(), response.body())
            }
            None => Verdict::Accepted,
        };
        let headers = secret_headers::marked(request.headers);
        tracing::debug!(method = %request.method, target = %request.target, ?verdict, "sandbox request");
        self.requests.push(SeenRequest {
            number,
            at,
            duration: Duration::ZERO,
            method: request.method.as_str().to_string(),
            target: request.target,
            headers,
            body_length: request.body.len(),
            body: request.body,
            signed_message_length: signed_message.len(),
            signed_message: signed_message.into(),
            signature,
            endpoint,
            faults: faults.clone(),
            verdict,
            response: RecordedResponse::new(response.status(), response.headers().clone(), response.body()),
            passed: refusal.is_none(),
            hints: hints.iter().map(RequestHint::new).collect(),
            diagnosis: refusal.and_then(|rejection| rejection.diagnosis),
        });
        Served { response, faults }
    }
}
