//! One request through the platform: check, route, remember, sign.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use http::{Method, Response, header};
use serde_json::{Value, json};

use super::{
    Answer, Fault, SandboxError, SeenRequest, Verdict,
    answer::Ready,
    check::{self, Arrived},
    clock::{self, Shifting},
    delivery::Deliveries,
    faults,
    keyring::Keyring,
    keys::Identity,
    nonces::Nonces,
    refusal::Refusal,
    routes::{Call, Route, Script},
    rules::Faults,
    seal::{self, Context},
    seen::Ring,
    store::Store,
    template,
};

/// On an answer to a path that nothing models.
const NOT_MODELLED: &str = "Sandbox-Not-Modelled";

/// How a platform is set up.
pub(super) struct Settings {
    pub(super) clock_skew: i64,
    pub(super) sign_errors: bool,
    /// 404 for a path that nothing models.
    pub(super) strict: bool,
    /// Of the faults that hit a share of the requests.
    pub(super) seed: u64,
    /// A later one goes before an earlier one.
    pub(super) scripts: Vec<Script>,
    pub(super) deliveries: Deliveries,
    pub(super) store: Store,
    /// Refunds wait for `Sandbox::settle_refund`.
    pub(super) holds_refunds: bool,
}

/// All that the connections share.
pub(crate) struct Platform {
    pub(super) identity: Identity,
    pub(super) clock: Shifting,
    pub(super) sign_errors: bool,
    pub(super) deliveries: Deliveries,
    strict: bool,
    pub(super) store: Store,
    /// Refunds wait for `Sandbox::settle_refund`.
    pub(super) holds_refunds: bool,
    routes: Vec<Route>,
    nonces: Mutex<Nonces>,
    scripts: Mutex<Vec<Arc<Script>>>,
    seen: Mutex<Ring>,
    faults: Mutex<Faults>,
    keyring: RwLock<Keyring>,
}

/// A panic elsewhere must not take the sandbox down with it: none of these is left half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Platform {
    pub(super) fn new(identity: Identity, settings: Settings) -> Result<Platform, SandboxError> {
        Ok(Platform {
            keyring: RwLock::new(Keyring::new(&identity)),
            identity,
            clock: Shifting::new(settings.clock_skew),
            sign_errors: settings.sign_errors,
            deliveries: settings.deliveries,
            strict: settings.strict,
            store: settings.store,
            holds_refunds: settings.holds_refunds,
            routes: Route::all()?,
            nonces: Mutex::new(Nonces::new()),
            scripts: Mutex::new(settings.scripts.into_iter().map(Arc::new).collect()),
            seen: Mutex::default(),
            faults: Mutex::new(Faults::new(settings.seed)),
        })
    }

    pub(super) fn keyring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keyring_mut(&self) -> RwLockWriteGuard<'_, Keyring> {
        self.keyring.write().unwrap_or_else(PoisonError::into_inner)
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

    /// The latest script wins; an older one for the same route is forgotten.
    pub(super) fn script(&self, script: Script) {
        let mut scripts = lock(&self.scripts);
        scripts.retain(|old| old.method != script.method || old.template != script.template);
        scripts.push(Arc::new(script));
    }

    pub(super) fn serve(&self, request: Arrived, faults: &[Fault]) -> Response<Bytes> {
        faults::change(self, faults);
        let checked = check::check(self, &request);
        let outcome = checked.outcome.and_then(|body| self.execute(&request, &body, faults));
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
        let diagnosis = outcome.as_ref().err().and_then(|refusal| refusal.diagnosis.clone());
        let verdict = outcome.as_ref().map_or_else(Refusal::verdict, |_| Verdict::Accepted);
        let answer =
            outcome.unwrap_or_else(|refusal| refusal.answer().ready().unwrap_or_else(|_| Ready::broken()));

        let mut headers = request.headers;
        if let Some(value) = headers.get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        tracing::debug!(method = %request.method, target = %request.target, ?verdict, "sandbox request");
        self.seen().push(SeenRequest {
            number: 0,
            at: clock::machine(),
            method: request.method.as_str().to_string(),
            target: request.target,
            headers,
            body: request.body,
            signed_message: signed_message.into(),
            verdict,
            diagnosis,
        });
        seal::seal(self, answer, &context, faults)
    }

    /// The faults that stand in for an answer do so around the execution.
    fn execute(&self, request: &Arrived, body: &Value, faults: &[Fault]) -> Result<Ready, Refusal> {
        if let Some(instead) = faults::before(faults) {
            return Ok(instead);
        }
        let answer = self.route(request, body)?;
        Ok(faults::after(faults).unwrap_or(answer))
    }

    fn route(&self, request: &Arrived, body: &Value) -> Result<Ready, Refusal> {
        let path = template::segments(&request.target)
            .ok_or_else(|| Refusal::param("path", "path", "expected percent-encoded UTF-8"))?;
        let bare = template::without_prefix(&path);
        let mut verbs: Vec<Method> = Vec::new();

        let scripts = lock(&self.scripts).clone();
        for script in scripts.iter().rev() {
            if let Some(vars) = script.template.fit(&path).or_else(|| script.template.fit(bare)) {
                if script.method == request.method {
                    return script.answer(&Call::new(self, request, vars, body));
                }
                verbs.push(script.method.clone());
            }
        }
        for route in &self.routes {
            if let Some(vars) = route.template.fit(bare) {
                if route.method == request.method {
                    let call = Call::new(self, request, vars, body);
                    return route.answer(call)?.ready().map_err(|why| Refusal::new(500, "SYSTEM_ERROR", why));
                }
                verbs.push(route.method.clone());
            }
        }
        if verbs.is_empty() && !self.strict && bare.first().is_some_and(|first| first == "v3") {
            let answer = Answer::new(200).json(json!({})).header(NOT_MODELLED, "1");
            return answer.ready().map_err(|why| Refusal::new(500, "SYSTEM_ERROR", why));
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
