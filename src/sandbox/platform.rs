//! One request through the platform: check, route, remember, sign.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Response, header};
use serde_json::Value;

use super::{
    Fault, SandboxError, SeenRequest, Verdict,
    answer::Ready,
    check::{self, Arrived},
    clock::Clock,
    delivery::Queue,
    faults::Faults,
    keys::Identity,
    nonces::Nonces,
    refusal::Refusal,
    routes::{Call, Route, Script},
    seal::{self, Context},
    seen::Ring,
    store::Store,
    template,
};

/// All that the connections share.
pub(crate) struct Platform {
    pub(super) identity: Identity,
    pub(super) clock: Clock,
    pub(super) sign_errors: bool,
    pub(super) store: Store,
    /// Refunds wait for `Sandbox::settle_refund`.
    pub(super) holds_refunds: bool,
    routes: Vec<Route>,
    nonces: Mutex<Nonces>,
    scripts: Mutex<Vec<Script>>,
    seen: Mutex<Ring>,
    faults: Mutex<Faults>,
    events: Mutex<Queue>,
}

/// A panic elsewhere must not take the sandbox down with it: none of these is left half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Platform {
    pub(super) fn new(
        identity: Identity,
        clock: Clock,
        sign_errors: bool,
        store: Store,
        holds_refunds: bool,
    ) -> Result<Platform, SandboxError> {
        Ok(Platform {
            identity,
            clock,
            sign_errors,
            store,
            holds_refunds,
            routes: Route::all()?,
            nonces: Mutex::new(Nonces::new()),
            scripts: Mutex::default(),
            seen: Mutex::default(),
            faults: Mutex::default(),
            events: Mutex::default(),
        })
    }

    pub(super) fn nonces(&self) -> MutexGuard<'_, Nonces> {
        lock(&self.nonces)
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Ring> {
        lock(&self.seen)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(super) fn events(&self) -> MutexGuard<'_, Queue> {
        lock(&self.events)
    }

    /// The latest script wins; an older one for the same route is forgotten.
    pub(super) fn script(&self, script: Script) {
        let mut scripts = lock(&self.scripts);
        scripts.retain(|old| old.method != script.method || old.template != script.template);
        scripts.push(script);
    }

    pub(super) fn serve(&self, request: Arrived, faults: &[Fault]) -> Response<Bytes> {
        let checked = check::check(self, &request);
        let outcome = checked.outcome.and_then(|body| self.route(&request, &body));
        self.finish(request, checked.signed_message, outcome, faults)
    }

    /// Remembers and answers a request that could not be read to its end.
    pub(super) fn refuse(&self, request: Arrived, refusal: Refusal, faults: &[Fault]) -> Response<Bytes> {
        self.finish(request, Vec::new(), Err(refusal), faults)
    }

    fn finish(
        &self,
        request: Arrived,
        signed_message: Vec<u8>,
        outcome: Result<Ready, Refusal>,
        faults: &[Fault],
    ) -> Response<Bytes> {
        let context = Context::of(self, &request);
        let verdict = outcome.as_ref().map_or_else(Refusal::verdict, |_| Verdict::Accepted);
        let answer =
            outcome.unwrap_or_else(|refusal| refusal.answer().ready().unwrap_or_else(|_| Ready::broken()));

        let mut headers = request.headers;
        if let Some(value) = headers.get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        tracing::debug!(method = %request.method, target = %request.target, ?verdict, "sandbox request");
        self.seen().push(SeenRequest {
            method: request.method.as_str().to_string(),
            target: request.target,
            headers,
            body: request.body,
            signed_message,
            verdict,
        });
        seal::seal(self, answer, &context, faults)
    }

    fn route(&self, request: &Arrived, body: &Value) -> Result<Ready, Refusal> {
        let path = template::segments(&request.target)
            .ok_or_else(|| Refusal::param("path", "path", "expected percent-encoded UTF-8"))?;
        let bare = template::without_prefix(&path);
        let mut verbs: Vec<Method> = Vec::new();

        let scripts = lock(&self.scripts);
        for script in scripts.iter().rev() {
            if script.template.fit(&path).or_else(|| script.template.fit(bare)).is_some() {
                if script.method == request.method {
                    return Ok(script.answer.clone());
                }
                verbs.push(script.method.clone());
            }
        }
        drop(scripts);
        for route in &self.routes {
            if let Some(vars) = route.template.fit(bare) {
                if route.method == request.method {
                    let call = Call::new(self, request, vars, body);
                    return route.answer(call)?.ready().map_err(|why| Refusal::new(500, "SYSTEM_ERROR", why));
                }
                verbs.push(route.method.clone());
            }
        }
        if verbs.is_empty() {
            let message = format!("there is nothing at {}", request.target);
            return Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", message));
        }
        let verbs: Vec<&str> = verbs.iter().map(Method::as_str).collect();
        let message = format!("{} is not for this path, only {}", request.method, verbs.join(", "));
        Err(Refusal { allow: Some(verbs.join(", ")), ..Refusal::new(405, "METHOD_NOT_ALLOWED", message) })
    }
}
