//! The page at `GET /`: shows the state of the sandbox in a browser, and controls it. It is rendered here. A small script
//! fetches it periodically and updates the changed parts; without the script it is plain forms.

mod actions;
mod commands;
mod connect;
mod diagnosis;
mod exchange;
mod explorer;
mod faults;
mod form;
mod language;
mod layout;
mod list;
mod notifications;
mod orders;
mod platform;
mod qr;
mod reasons;
mod requests;
mod states;
mod text;
mod timeline;
mod trigger;
mod view;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::task;

use super::{control::AdminError, guard};
use crate::sandbox::server::{admin_hook::AdminRequest, platform::Platform};
use explorer::Submitted;
use form::Problem;
use view::{Tab, View};

/// The target of its forms.
const PATH: &str = "/_sandbox/";

/// The largest form with a file, in bytes.
pub(crate) const MAX_FORM: usize = 8 << 20;

/// A request with `Authorization` comes from a client and is for the platform, at any path of its own.
pub(crate) fn is_page(method: &Method, target: &str, headers: &HeaderMap) -> bool {
    match target.split('?').next() {
        Some("/_sandbox" | PATH) => true,
        Some("/") => method == Method::GET && !headers.contains_key(header::AUTHORIZATION),
        _ => takes_files(target) && !headers.contains_key(header::AUTHORIZATION),
    }
}

/// Whether a form at this address may have a file.
pub(crate) fn takes_files(target: &str) -> bool {
    explorer::path_of(target).is_some()
}

/// `None` if it failed. A call of the explorer is sent in between, over this server: no thread waits for it.
pub(crate) async fn respond(platform: Arc<Platform>, request: AdminRequest) -> Option<Response<Bytes>> {
    let view = View::of(&request.target, &request.headers);
    let submitted = match is_admitted(&platform, &request) && view.tab == Tab::Endpoints {
        true => explorer::submit(&platform, &view, &request).await,
        false => None,
    };
    task::spawn_blocking(move || handle(&platform, &view, &request, submitted.as_ref())).await.ok()
}

/// Whether a form of the page may be executed.
fn is_admitted(platform: &Platform, request: &AdminRequest) -> bool {
    guard::check(request, &platform.allow_hosts).is_ok() && request.headers.contains_key(header::ORIGIN)
}

fn handle(
    platform: &Platform,
    view: &View,
    request: &AdminRequest,
    submitted: Option<&Submitted>,
) -> Response<Bytes> {
    if let Err(AdminError { message: why, .. }) = guard::check(request, &platform.allow_hosts) {
        return forbidden(view, &why);
    }
    // The guard accepts this sandbox's own names only.
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let base_url = format!("http://{host}/");
    match request.method {
        // Browsers send it with every POST. Other programs use the control endpoint.
        Method::POST if !request.headers.contains_key(header::ORIGIN) => {
            forbidden(view, "the request has no Origin")
        }
        Method::GET | Method::POST if view.tab == Tab::Endpoints => {
            let query = request.target.split_once('?').map_or("", |(_, query)| query);
            let shown = explorer::page(platform, view, query, submitted);
            let too_large = request.method == Method::POST && request.body.is_none();
            let status = if too_large { StatusCode::PAYLOAD_TOO_LARGE } else { shown.status };
            let problem = too_large.then(|| Problem::too_large(view.language));
            let page = layout::page(platform, view, &base_url, problem.as_ref(), Some(&shown)).into_string();
            match (&request.method, status) {
                (&Method::GET, StatusCode::OK) => conditional(page, &request.headers),
                _ => html(status, page),
            }
        }
        Method::GET => {
            conditional(layout::page(platform, view, &base_url, None, None).into_string(), &request.headers)
        }
        Method::POST => match actions::perform(platform, view, request.body.as_deref()) {
            Ok((shown, element)) => redirect(&shown, &element),
            Err(problem) => {
                let page = layout::page(platform, view, &base_url, Some(&problem), None);
                html(problem.status, page.into_string())
            }
        },
        _ => html(StatusCode::METHOD_NOT_ALLOWED, String::new()),
    }
}

fn forbidden(view: &View, why: &str) -> Response<Bytes> {
    html(StatusCode::FORBIDDEN, layout::forbidden(view, why).into_string())
}

/// 304 if the page is unchanged.
fn conditional(page: String, headers: &HeaderMap) -> Response<Bytes> {
    let digest: String = Sha256::digest(&page)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{digest}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response =
        if known { html(StatusCode::NOT_MODIFIED, String::new()) } else { html(StatusCode::OK, page) };
    insert(&mut response, header::ETAG, &tag);
    response
}

fn redirect(view: &View, element: &str) -> Response<Bytes> {
    let mut response = html(StatusCode::SEE_OTHER, String::new());
    insert(&mut response, header::LOCATION, &format!("{}#{element}", view.address()));
    response
}

fn html(status: StatusCode, page: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(page));
    *response.status_mut() = status;
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(layout::STYLE),
        hash(layout::SCRIPT),
    );
    insert(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept-Language"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would make the Origin of the forms `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn insert(response: &mut Response<Bytes>, name: header::HeaderName, value: &str) {
    // All values are ASCII.
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}
