//! The engine: runs the actions of the endpoints on the database. It knows resource types and transitions, but no
//! product.
//!
//! An action is one transaction. It returns the response and the events of the merchant's notifications, which the
//! caller sends after the commit.

pub(crate) mod call;
pub(crate) mod error_code;
pub(crate) mod fields;
pub(crate) mod holds;
mod lookup;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod validation;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::shape;
use crate::catalogue::{Hint, Operation};
use crate::sandbox::{
    http::{
        business_clock::{BusinessClock, MAX_ADVANCE},
        error_response::ErrorResponse,
        response::SandboxResponse,
    },
    keys::{identity::Identity, keyring::Keyring},
    store::{
        database::Database,
        documents::{Document, Documents},
        event::{Event, QueuedEvent},
        payer_log::PayerLog,
    },
};
use call::Call;
use holds::Holds;
use schema::{Action, Assignment, AutoTransition, Endpoint, ResourceType, Transition};
use validation::Strictness;

/// The field of a document with the values of its idempotency fields. The name is part of the state file.
pub(crate) const IDEMPOTENCY_VALUES: &str = "asked";

/// The largest body that is stored. A combined order of fifty parts has half of this size.
const MAX_BODY: usize = 128 << 10;

pub(crate) struct Engine {
    pub(crate) identity: Arc<Identity>,
    /// The platform's current keys, for the endpoint that lists them.
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) holds: Holds,
    clock: Arc<BusinessClock>,
    database: Arc<Database>,
    pub(crate) payer_log: PayerLog,
    pub(crate) documented: DocumentedSettings,
}

/// How documented operations are handled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DocumentedSettings {
    /// Whether everything that differs from the documents is refused.
    pub(crate) strict: bool,
    /// What the values of responses without a flow depend on.
    pub(crate) seed: u64,
}

/// One action within its transaction.
pub(crate) struct Session<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) documents: &'a Documents<'a>,
    /// In Unix seconds.
    pub(crate) now: i64,
    /// The sub-merchant, or empty.
    pub(crate) scope: &'a str,
    /// The request's body.
    pub(crate) request_body: &'a Value,
    pub(crate) events: Vec<Event>,
}

impl Engine {
    pub(crate) fn new(
        identity: Arc<Identity>,
        keyring: Arc<Keyring>,
        clock: Arc<BusinessClock>,
        database: Arc<Database>,
        holds: Holds,
        payer_log: PayerLog,
    ) -> Engine {
        let documented = DocumentedSettings::default();
        Engine { identity, keyring, holds, clock, database, payer_log, documented }
    }

    /// Of an operation without a flow.
    pub(crate) fn strictness(&self) -> Strictness {
        if self.documented.strict { Strictness::Strict } else { Strictness::Documented }
    }

    /// The business time, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Advances the business clock by this many seconds. A state file keeps it. See
    /// [`passing_time`](super::passing_time), which ends what is over by then.
    pub(super) fn advance(&self, seconds: i64) -> Result<(), ErrorResponse> {
        let too_far = || {
            let issue = format!("the clock would be more than {} days ahead", MAX_ADVANCE / 86_400);
            ErrorResponse::param_error("body", "/advance", &issue)
        };
        self.database.transaction(|documents| {
            let sum = self.clock.advanced().checked_add(seconds).filter(|sum| *sum <= MAX_ADVANCE);
            let sum = sum.ok_or_else(too_far)?;
            documents.set_advanced(sum)?;
            self.clock.set_advanced(sum);
            Ok(())
        })
    }

    /// Checks the parameters of a request and runs the action of its endpoint.
    pub(crate) fn handle(
        &self,
        endpoint: &Endpoint,
        operation: Operation,
        call: &Call<'_>,
        hints: &mut Vec<Hint>,
    ) -> Result<(SandboxResponse, Vec<QueuedEvent>), ErrorResponse> {
        let clear =
            validation::validate(call, operation, self.strictness().max(Strictness::Modelled), hints)?;
        let call = &call.with(&clear);
        rules::check(call, operation, endpoint.rules)?;
        self.perform(&endpoint.action, operation, call)
    }

    fn perform(
        &self,
        action: &Action,
        operation: Operation,
        call: &Call<'_>,
    ) -> Result<(SandboxResponse, Vec<QueuedEvent>), ErrorResponse> {
        if let Action::Handler(function) = action {
            return Ok((function(call)?, Vec::new()));
        }
        if call.request.body.len() > MAX_BODY {
            let issue = format!("more than {MAX_BODY} bytes");
            return Err(ErrorResponse::param_error("body", "/", &issue));
        }
        self.execute(call.scope(), call.body, |session| match action {
            Action::Handler(function) => function(call),
            Action::Create(resource_type, assignments, auto) => {
                session.create(resource_type, assignments, *auto, operation)
            }
            Action::Query(resource_type, lookup) => match session.find(call, resource_type, lookup)? {
                Some(document) => session.respond(operation, &document.body),
                None => Ok(SandboxResponse::new(204)),
            },
            Action::Transition(resource_type, lookup, transition, auto) => {
                let Some(mut document) = session.find(call, resource_type, lookup)? else {
                    return Ok(SandboxResponse::new(204));
                };
                let changed = session.transition(resource_type, &mut document, transition)?;
                let response = session.respond(operation, &document.body)?;
                if changed {
                    session.auto_transition(resource_type, &mut document, *auto)?;
                }
                Ok(response)
            }
            Action::Delete(resource_type, lookup) => {
                let Some(document) = session.find(call, resource_type, lookup)? else {
                    return Ok(SandboxResponse::new(204));
                };
                session.documents.delete(&document)?;
                session.respond(operation, &document.body)
            }
        })
    }

    /// Runs `work` as one transaction. The events are stored with it, and the caller must send them.
    pub(crate) fn execute<T>(
        &self,
        scope: &str,
        request_body: &Value,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, ErrorResponse>,
    ) -> Result<(T, Vec<QueuedEvent>), ErrorResponse> {
        let now = self.clock.now();
        self.database.transaction(|documents| {
            let mut session =
                Session { engine: self, documents, now, scope, request_body, events: Vec::new() };
            let result = work(&mut session)?;
            let mut queued = Vec::with_capacity(session.events.len());
            for event in session.events {
                let event = event.with_new_id().map_err(fields::no_random_numbers)?;
                documents.save_undelivered(&event)?;
                queued.push(event);
            }
            Ok((result, queued))
        })
    }

    /// As [`execute`](Engine::execute), for work without a transition, which has no events.
    pub(crate) fn access<T>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, ErrorResponse>,
    ) -> Result<T, ErrorResponse> {
        self.execute("", &Value::Null, work).map(|(result, _)| result)
    }
}

impl Session<'_> {
    pub(crate) fn create(
        &mut self,
        resource_type: &ResourceType,
        assignments: &[Assignment],
        auto: AutoTransition,
        operation: Operation,
    ) -> Result<SandboxResponse, ErrorResponse> {
        let mut document = self.new_document(resource_type, self.request_body.clone(), assignments)?;
        let existing =
            self.documents.by_merchant_no(resource_type.name, self.scope, &document.merchant_no)?;
        if let Some(mut existing) = existing {
            (resource_type.on_load)(self, &mut existing)?;
            check_repetition(resource_type, &existing, &document)?;
            return self.respond(operation, &existing.body);
        }
        (resource_type.on_create)(self, &mut document)?;
        self.save(resource_type, &mut document)?;
        let (before, after) =
            if auto.is_some_and(|transition| transition.at_once) { (auto, None) } else { (None, auto) };
        self.auto_transition(resource_type, &mut document, before)?;
        let response = self.respond(operation, &document.body)?;
        self.auto_transition(resource_type, &mut document, after)?;
        Ok(response)
    }

    /// A resource from the body of a request. It is not stored yet.
    pub(crate) fn new_document(
        &self,
        resource_type: &ResourceType,
        body: Value,
        assignments: &[Assignment],
    ) -> Result<Document, ErrorResponse> {
        let mut body = if body.is_object() { body } else { json!({}) };
        self.assign(&mut body, assignments)?;
        self.assign(&mut body, resource_type.initial)?;
        let values: Vec<Value> = (resource_type.idempotency_fields.iter())
            .map(|field| body.pointer(field).cloned().unwrap_or(Value::Null))
            .collect();
        body[IDEMPOTENCY_VALUES] = Value::Array(values);
        Ok(Document {
            seq: 0,
            resource_type: resource_type.name.into(),
            scope: self.scope.into(),
            merchant_no: text(&body, resource_type.merchant_no).unwrap_or_default().into(),
            platform_id: None,
            parent_id: None,
            state: String::new(),
            settled_at: None,
            changed_at: self.now,
            body,
        })
    }

    fn auto_transition(
        &mut self,
        resource_type: &ResourceType,
        document: &mut Document,
        auto: AutoTransition,
    ) -> Result<(), ErrorResponse> {
        match auto {
            Some(transition) if transition.hold.is_some_and(|hold| self.engine.holds.get(hold)) => Ok(()),
            Some(transition) => self.transition(resource_type, document, transition).map(drop),
            None => Ok(()),
        }
    }

    /// The documented fields of a resource, its personal data encrypted.
    fn respond(&self, operation: Operation, body: &Value) -> Result<SandboxResponse, ErrorResponse> {
        let status = operation.statuses().next().unwrap_or(200);
        let fields = operation.response();
        if fields.is_empty() {
            return Ok(SandboxResponse::new(status));
        }
        let mut response = shape::select(fields, body, "");
        shape::encrypt(&self.engine.identity, fields, &mut response)?;
        Ok(SandboxResponse::new(status).json(response))
    }

    /// Changes the state, or returns the error of the current state. `false`: it was done before.
    pub(crate) fn transition(
        &mut self,
        resource_type: &ResourceType,
        document: &mut Document,
        transition: &Transition,
    ) -> Result<bool, ErrorResponse> {
        let code =
            transition.errors.iter().find(|(state, _)| *state == document.state).map(|(_, code)| *code);
        let stored = |field: &str| document.body.pointer(field).filter(|value| !value.is_null());
        let was_done = transition.same.first().is_none_or(|first| stored(first).is_some());
        if was_done && transition.done.contains(&document.state.as_str()) {
            let changed =
                transition.same.iter().find(|field| self.request_body.pointer(field) != stored(field));
            let Some(field) = changed else { return Ok(false) };
            let issue = format!("{} was done with another value", describe(resource_type, document));
            return Err(code.unwrap_or(resource_type.conflict).field_response(field, &issue));
        }
        if !transition.from.contains(&document.state.as_str()) {
            return Err(code
                .unwrap_or(transition.default_error)
                .response(&describe(resource_type, document)));
        }
        document.body[resource_type.state] = transition.to.into();
        self.assign(&mut document.body, transition.set)?;
        (transition.rule)(self, document)?;
        if transition.settles {
            document.settled_at = Some(self.now);
        }
        self.save(resource_type, document)?;
        let url = text(&document.body, "notify_url").filter(|url| !url.is_empty());
        if let (Some(notification), Some(url)) = (&transition.notification, url) {
            self.events.push(Event {
                notify_url: url.into(),
                event_type: notification.event_type.into(),
                original_type: notification.original_type.into(),
                resource_type: None,
                summary: notification.summary.into(),
                resource: notification.resource(&document.body),
            });
        }
        Ok(true)
    }

    /// Stores a document. Its columns are taken from its body.
    pub(crate) fn save(
        &self,
        resource_type: &ResourceType,
        document: &mut Document,
    ) -> Result<(), ErrorResponse> {
        let column = |name: &str| text(&document.body, name).map(String::from);
        (document.platform_id, document.parent_id) =
            (column(resource_type.platform_id), column(resource_type.parent_id));
        document.state = column(resource_type.state).unwrap_or_default();
        document.changed_at = self.now;
        self.documents.save(document)
    }
}

/// Whether a request may be repeated for an existing resource.
fn check_repetition(
    resource_type: &ResourceType,
    existing: &Document,
    new: &Document,
) -> Result<(), ErrorResponse> {
    let terminal = resource_type.terminal_states.iter().find(|(state, _)| *state == existing.state);
    if let Some((_, code)) = terminal {
        return Err(code.response(&describe(resource_type, existing)));
    }
    for (index, field) in resource_type.idempotency_fields.iter().enumerate() {
        if existing.body[IDEMPOTENCY_VALUES][index] != new.body[IDEMPOTENCY_VALUES][index] {
            let issue =
                format!("{} {} was created with another value", resource_type.name, existing.merchant_no);
            return Err(resource_type.conflict.field_response(field, &issue));
        }
    }
    Ok(())
}

/// `order P12345 is CLOSED`.
pub(crate) fn describe(resource_type: &ResourceType, document: &Document) -> String {
    format!("{} {} is {}", resource_type.name, document.merchant_no, document.state)
}

/// The named fields of an object, without those that are missing or null.
pub(crate) fn select(body: &Value, fields: &[&str]) -> Value {
    let present =
        |name: &&str| Some((name.to_string(), body.get(*name).filter(|value| !value.is_null())?.clone()));
    Value::Object(fields.iter().filter_map(present).collect::<Map<_, _>>())
}

/// A string field of an object.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name)?.as_str()
}

/// The cents at a pointer, or 0.
pub(crate) fn cents(body: &Value, pointer: &str) -> i64 {
    body.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}
