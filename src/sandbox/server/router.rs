//! Chooses what responds to a verified request: a script, a modelled endpoint, or the default.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use serde_json::{Value, json};

use super::api_v2;
use crate::catalogue::{Availability, Catalogue, Hint, Operation, OperationKind, check};
use crate::sandbox::{
    http::{
        error_response::ErrorResponse,
        path_template::{self, PathTemplate, Vars},
        request::IncomingRequest,
        response::{ReadyResponse, SandboxResponse},
        sandbox_error::SandboxError,
    },
    model::{
        self, documented,
        engine::{Engine, call::Call, schema::Endpoint},
        scripts::{self, Script},
    },
    store::{event::QueuedEvent, seen_request::EndpointKind},
};

/// The header of a response to a path that is neither scripted nor modelled.
const NOT_MODELLED: &str = "Sandbox-Not-Modelled";

pub(crate) struct Router {
    routes: Vec<Route>,
    scripts: Mutex<Vec<Arc<Script>>>,
    /// 404 for a path that is neither scripted nor modelled.
    strict: bool,
}

/// What responds to a request.
pub(crate) enum Found<'a> {
    Script(Arc<Script>, Vars),
    Model(&'a Route, Vars),
    /// A documented operation that has no flow.
    Documented(Operation, Vars),
    /// The path exists, with other methods.
    OtherMethods {
        methods: Vec<Method>,
        scripted: bool,
    },
    /// An empty object.
    Default,
    /// The documented path ends in a slash.
    WithoutSlash,
    Nothing,
    /// The path cannot be decoded.
    NoPath,
}

/// One form of an endpoint's path.
pub(crate) struct Route {
    template: PathTemplate,
    endpoint: &'static Endpoint,
    /// Whether this is the service provider's form.
    partner: bool,
}

impl Route {
    fn new(endpoint: &'static Endpoint, template: &str, partner: bool) -> Result<Route, SandboxError> {
        let template = PathTemplate::parse(template)
            .map_err(|problem| SandboxError::Script { route: template.into(), problem })?;
        Ok(Route { template, endpoint, partner })
    }

    fn all() -> Result<Vec<Route>, SandboxError> {
        let mut routes = Vec::new();
        for endpoint in model::endpoints() {
            for (template, partner) in endpoint.templates().zip([false, true]) {
                routes.push(Route::new(endpoint, &template, partner)?);
            }
        }
        Ok(routes)
    }
}

impl Router {
    /// A later script takes precedence over an earlier one.
    pub(crate) fn new(scripts: Vec<Script>, strict: bool) -> Result<Router, SandboxError> {
        let scripts = scripts.into_iter().map(Arc::new).collect();
        Ok(Router { routes: Route::all()?, scripts: Mutex::new(scripts), strict })
    }

    fn scripts(&self) -> MutexGuard<'_, Vec<Arc<Script>>> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces an older script of the same route. An error if there are too many.
    pub(crate) fn add_script(&self, script: Script) -> Result<(), String> {
        let mut scripts = self.scripts();
        let others = scripts.iter().filter(|old| !old.is_for_same_route(&script));
        scripts::check_room(others.map(|other| &**other).chain([&script]))?;
        scripts.retain(|old| !old.is_for_same_route(&script));
        scripts.push(Arc::new(script));
        Ok(())
    }

    /// Finds what responds to a path and method.
    pub(crate) fn find(&self, request: &IncomingRequest) -> Found<'_> {
        let Some(path) = path_template::decode_segments(&request.target) else { return Found::NoPath };
        let bare = path_template::strip_base_path(&path);
        let mut methods: Vec<Method> = Vec::new();

        let scripts = self.scripts().clone();
        for script in scripts.iter().rev() {
            if let Some(vars) = script.template.matches_below_base(&path) {
                if script.method == request.method {
                    return Found::Script(Arc::clone(script), vars);
                }
                methods.push(script.method.clone());
            }
        }
        let scripted = !methods.is_empty();
        for route in &self.routes {
            if let Some(vars) = route.template.matches(bare) {
                if route.endpoint.method == request.method {
                    return Found::Model(route, vars);
                }
                methods.push(route.endpoint.method.clone());
            }
        }
        let is_v3 = bare.first().is_some_and(|first| first == "v3");
        let (method, raw) = (request.method.as_str(), raw_path(&request.target, bare.len()));
        let documented = Catalogue::find(method, &raw).filter(|known| is_v3 && known.verb() == method);
        match documented {
            Some(operation) if !scripted => Found::Documented(operation, vars(operation, bare)),
            _ if !methods.is_empty() => Found::OtherMethods { methods, scripted },
            _ if !is_v3 => Found::Nothing,
            _ if !Catalogue::at(&format!("{raw}/")).is_empty() => Found::WithoutSlash,
            _ if self.strict => Found::Nothing,
            _ => Found::Default,
        }
    }
}

/// What a path that no document has, or not with this method, may mean.
fn path_hints(request: &IncomingRequest) -> Vec<Hint> {
    let url = request.target.split('?').next().unwrap_or_default();
    check::Call { verb: request.method.as_str(), url, query: &[], body: None }.hints()
}

/// The last segments of a path, as they were sent: a value can contain an encoded slash.
fn raw_path(target: &str, segments: usize) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let all: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    all[all.len().saturating_sub(segments)..].join("/")
}

/// The values of an operation's path.
fn vars(operation: Operation, path: &[String]) -> Vars {
    let names = operation.template().split('/').map(|name| name.strip_prefix('{')?.strip_suffix('}'));
    let values = names.zip(path).filter_map(|(name, value)| Some((name?.to_owned(), value.clone())));
    values.collect()
}

impl Found<'_> {
    pub(crate) fn kind(&self) -> EndpointKind {
        match self {
            Found::Script(..) | Found::OtherMethods { scripted: true, .. } => EndpointKind::Scripted,
            Found::Model(..) | Found::OtherMethods { scripted: false, .. } => EndpointKind::Modelled,
            Found::Documented(operation, _) if operation.kind() == OperationKind::Upload => {
                EndpointKind::Modelled
            }
            Found::Documented(..) => EndpointKind::Shaped,
            Found::Default | Found::WithoutSlash | Found::Nothing | Found::NoPath => {
                EndpointKind::NotModelled
            }
        }
    }

    /// Returns the response, and the events to send. `hints` has what differs from the documents.
    pub(crate) fn respond(
        self,
        engine: &Engine,
        request: &IncomingRequest,
        body: &Value,
        hints: &mut Vec<Hint>,
    ) -> Result<(ReadyResponse, Vec<QueuedEvent>), ErrorResponse> {
        let nothing = |message: String| Err(ErrorResponse::new(404, "RESOURCE_NOT_EXISTS", message));
        let target = &request.target;
        match self {
            Found::Script(script, vars) => {
                Ok((script.respond(&Call::new(engine, request, vars, body))?, Vec::new()))
            }
            Found::Model(route, vars) => {
                let call = Call::new(engine, request, vars, body);
                let (response, events) =
                    engine.handle(route.endpoint, route.endpoint.operation(route.partner)?, &call, hints)?;
                Ok((response.build().map_err(ErrorResponse::internal)?, events))
            }
            Found::Documented(operation, vars) => {
                if let Availability::Superseded | Availability::Withdrawn(_) = operation.availability() {
                    hints.push(Hint::Outdated { operation });
                }
                let response =
                    documented::respond(operation, &Call::new(engine, request, vars, body), hints)?;
                Ok((response.build().map_err(ErrorResponse::internal)?, Vec::new()))
            }
            Found::Default => {
                hints.extend(path_hints(request));
                let response = SandboxResponse::new(200).json(json!({})).header(NOT_MODELLED, "1");
                Ok((response.build().map_err(ErrorResponse::internal)?, Vec::new()))
            }
            Found::OtherMethods { methods, .. } => Err(method_not_allowed(request, &methods)),
            Found::WithoutSlash => {
                nothing(format!("there is nothing at {target}: the documented path ends in `/`"))
            }
            Found::Nothing => match api_v2::error(request) {
                Some(error) => Err(error),
                None => {
                    hints.extend(path_hints(request));
                    let hint = hints.first().map(|hint| format!(": {hint}")).unwrap_or_default();
                    nothing(format!("there is nothing at {target}{hint}"))
                }
            },
            Found::NoPath => {
                Err(ErrorResponse::param_error("path", "path", "expected percent-encoded UTF-8"))
            }
        }
    }
}

fn method_not_allowed(request: &IncomingRequest, methods: &[Method]) -> ErrorResponse {
    let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let methods = methods.join(", ");
    let message = format!("{} is not allowed here, only {methods}", request.method);
    ErrorResponse { allow: Some(methods), ..ErrorResponse::new(405, "METHOD_NOT_ALLOWED", message) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::sandbox::model::engine::schema::{Action, Location, Lookup};

    fn path_variables(lookup: &Lookup) -> Vec<&'static str> {
        match lookup {
            Lookup::FirstOf(alternatives) | Lookup::Optional(alternatives) => {
                alternatives.iter().flat_map(path_variables).collect()
            }
            Lookup::MerchantNo(Location::Path(name))
            | Lookup::PlatformId(Location::Path(name))
            | Lookup::PlatformIdInAnyScope(Location::Path(name))
            | Lookup::Pair(_, Location::Path(name)) => vec![name],
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_endpoint_can_be_reached() {
        let mut seen = HashSet::new();
        for endpoint in model::endpoints() {
            for template in endpoint.templates() {
                assert!(seen.insert((&endpoint.method, template.clone())), "{template} exists twice");
                if let Action::Query(_, lookup)
                | Action::Transition(_, lookup, ..)
                | Action::Delete(_, lookup) = &endpoint.action
                {
                    for name in path_variables(lookup) {
                        assert!(template.contains(&format!("{{{name}}}")), "{template} has no {name}");
                    }
                }
            }
        }
        let routes = Route::all().unwrap();
        assert_eq!(routes.len(), seen.len());
        assert!(
            routes.iter().all(|route| route.endpoint.operation(route.partner).is_ok()),
            "one is not in the catalogue"
        );
    }
}
