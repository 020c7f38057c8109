//! The platform: connects the stages of a request (verify, route, log, sign) and sends the events that follow from it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, header};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{api_v2, router::Router};
use crate::sandbox::{
    auth::{
        sign::ResponseSigner,
        verify::{Rejection, Verification, Verifier},
    },
    faults::{active::SharedFaults, effects, fault::Fault},
    http::{
        business_clock::BusinessClock,
        clock::{self, SkewedClock},
        error_response::ErrorResponse,
        request::IncomingRequest,
        response::ReadyResponse,
        sandbox_error::SandboxError,
    },
    keys::{identity::Identity, keyring::Keyring},
    model::{
        engine::{Engine, holds::Holds},
        scripts::Script,
    },
    notify::{
        envelope::EnvelopeFactory,
        outbox::{DeliverySettings, Job, Outbox},
    },
    store::{
        database::Database,
        event::QueuedEvent,
        request_log::{RequestLog, SeenRequest, Verdict},
    },
};

/// The settings of a sandbox, already checked.
pub(crate) struct Settings {
    pub(crate) clock_skew: i64,
    pub(crate) sign_errors: bool,
    /// 404 for a path that is neither scripted nor modelled.
    pub(crate) strict: bool,
    /// Of the faults with a share.
    pub(crate) seed: u64,
    /// A later one takes precedence over an earlier one.
    pub(crate) scripts: Vec<Script>,
    pub(crate) delivery: DeliverySettings,
    pub(crate) database: Database,
    pub(crate) holds: Holds,
}

/// Shared by all connections.
pub(crate) struct Platform {
    pub(crate) identity: Arc<Identity>,
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
    signer: Arc<ResponseSigner>,
}

impl Platform {
    /// The receiver is for the delivery of notifications.
    pub(crate) fn new(
        identity: Identity,
        settings: Settings,
    ) -> Result<(Platform, UnboundedReceiver<Job>), SandboxError> {
        let keyring = Arc::new(Keyring::new(&identity));
        let identity = Arc::new(identity);
        let clock = Arc::new(SkewedClock::new(settings.clock_skew));
        let database = Arc::new(settings.database);
        let advanced = database.transaction(|documents| documents.advanced());
        let advanced = advanced.map_err(|error| SandboxError::State {
            what: "the business time".into(),
            code: error.code.into(),
            message: error.message,
        })?;
        let business_clock = Arc::new(BusinessClock::new(advanced));
        let faults = SharedFaults::new(settings.seed);
        let signer =
            Arc::new(ResponseSigner::new(Arc::clone(&clock), Arc::clone(&keyring), settings.sign_errors));
        let (outbox, jobs) = Outbox::new(
            settings.delivery,
            EnvelopeFactory::new(Arc::clone(&identity), Arc::clone(&business_clock)),
            Arc::clone(&signer),
            faults.clone(),
            Arc::clone(&database),
        );
        let engine = Engine::new(
            Arc::clone(&identity),
            Arc::clone(&keyring),
            Arc::clone(&business_clock),
            database,
            settings.holds,
        );
        let platform = Platform {
            verifier: Verifier::new(Arc::clone(&identity), Arc::clone(&clock), Arc::clone(&keyring)),
            router: Router::new(settings.scripts, settings.strict)?,
            requests: RequestLog::default(),
            outbox: Arc::new(outbox),
            identity,
            clock,
            business_clock,
            keyring,
            faults,
            engine,
            signer,
        };
        Ok((platform, jobs))
    }

    pub(crate) fn serve(&self, request: IncomingRequest, faults: &[Fault]) -> Response<Bytes> {
        effects::apply_permanent(faults, &self.keyring, &self.clock);
        // It has no signature that could be verified. A script of such a path is for signed requests.
        if !request.headers.contains_key(header::AUTHORIZATION)
            && let Some(error) = api_v2::error(&request)
        {
            return self.finish(request, Vec::new(), Err(error.into()), faults);
        }
        let Verification { signed_message, outcome } = self.verifier.verify(&request);
        let outcome = outcome.and_then(|body| self.execute(&request, &body, faults).map_err(Rejection::from));
        self.finish(request, signed_message, outcome, faults)
    }

    /// Logs a request that could not be read completely, and responds with this error.
    pub(crate) fn reject(
        &self,
        request: IncomingRequest,
        error: ErrorResponse,
        faults: &[Fault],
    ) -> Response<Bytes> {
        self.finish(request, Vec::new(), Err(error.into()), faults)
    }

    /// Runs an action of the engine and sends its events.
    pub(crate) fn perform(
        &self,
        action: impl FnOnce(&Engine) -> Result<(Value, Vec<QueuedEvent>), ErrorResponse>,
    ) -> Result<Value, ErrorResponse> {
        let (value, events) = action(&self.engine)?;
        self.outbox.send_all(events);
        Ok(value)
    }

    /// Some faults replace the response before or after the execution.
    fn execute(
        &self,
        request: &IncomingRequest,
        body: &Value,
        faults: &[Fault],
    ) -> Result<ReadyResponse, ErrorResponse> {
        if let Some(response) = effects::instead_of_execution(faults) {
            return Ok(response);
        }
        let (response, events) = self.router.route(&self.engine, request, body)?;
        self.outbox.send_all(events);
        Ok(effects::after_execution(faults).unwrap_or(response))
    }

    fn finish(
        &self,
        request: IncomingRequest,
        signed_message: Vec<u8>,
        outcome: Result<ReadyResponse, Rejection>,
        faults: &[Fault],
    ) -> Response<Bytes> {
        let context = self.signer.context(&request);
        let (response, verdict, diagnosis) = match outcome {
            Ok(response) => (response, Verdict::Accepted, None),
            Err(Rejection { error, diagnosis }) => {
                let verdict = Verdict::of_error(&error);
                let ready = error.to_response().build().unwrap_or_else(|_| ReadyResponse::internal_error());
                (ready, verdict, diagnosis)
            }
        };

        let mut headers = request.headers;
        if let Some(value) = headers.get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        tracing::debug!(method = %request.method, target = %request.target, ?verdict, "sandbox request");
        self.requests.push(SeenRequest {
            number: 0,
            at: clock::system_time(),
            method: request.method.as_str().to_string(),
            target: request.target,
            headers,
            body: request.body,
            signed_message: signed_message.into(),
            verdict,
            diagnosis,
        });
        self.signer.sign_response(response, &context, faults)
    }
}
