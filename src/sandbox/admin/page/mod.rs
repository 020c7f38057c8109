//! `GET /` in a browser: the sandbox for people who would rather look. Rendered here; a few lines of script fetch it
//! again and change what changed, and without script it is plain forms.

mod actions;
mod controls;
mod language;
mod layout;
mod notifications;
mod qr;
mod requests;
mod resources;
mod text;

use std::net::SocketAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use sha2::{Digest, Sha256};

use super::{
    control::{self, Asked, Refused},
    platform::Platform,
};
use language::Language;

/// Where its forms are sent.
const PATH: &str = "/_sandbox/";

/// Of each list.
const SHOWN: usize = 50;

/// A client's request for the root is the platform's to answer: it carries a signature.
pub(super) fn is_page(method: &Method, target: &str, headers: &HeaderMap) -> bool {
    match target.split('?').next() {
        Some("/_sandbox" | PATH) => true,
        Some("/") => method == Method::GET && !headers.contains_key(header::AUTHORIZATION),
        _ => false,
    }
}

pub(super) fn answer(platform: &Platform, own: Option<SocketAddr>, asked: &Asked) -> Response<Bytes> {
    let language = Language::of(&asked.target, &asked.headers);
    let answered = control::admit(own, &asked.headers).and_then(|()| match asked.method {
        Method::GET => Ok(None),
        Method::POST => {
            // Browsers send it with every POST; what sends none has the control endpoint.
            if !asked.headers.contains_key(header::ORIGIN) {
                return Err(Refused(StatusCode::FORBIDDEN, "the request has no Origin".into()));
            }
            actions::act(platform, asked.body.as_deref()).map(Some)
        }
        _ => Err(Refused(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not for this page", asked.method))),
    });
    match answered {
        Ok(None) => fresh(layout::page(platform, language, None).into_string(), &asked.headers),
        Ok(Some(section)) => redirect(language, section),
        // To whom the page is not to be shown.
        Err(Refused(StatusCode::FORBIDDEN, why)) => {
            html(StatusCode::FORBIDDEN, layout::message(language, &why).into_string())
        }
        Err(Refused(status, why)) => html(status, layout::page(platform, language, Some(&why)).into_string()),
    }
}

/// Nothing, if the page is as it was.
fn fresh(page: String, asked: &HeaderMap) -> Response<Bytes> {
    let digest: String = Sha256::digest(&page)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{digest}\"");
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response =
        if known { html(StatusCode::NOT_MODIFIED, String::new()) } else { html(StatusCode::OK, page) };
    insert(&mut response, header::ETAG, &tag);
    response
}

fn redirect(language: Language, section: &str) -> Response<Bytes> {
    let mut response = html(StatusCode::SEE_OTHER, String::new());
    insert(&mut response, header::LOCATION, &format!("{}#{section}", language.address()));
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
        // Its forms are sent with an Origin, which `no-referrer` would make `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn insert(response: &mut Response<Bytes>, name: header::HeaderName, value: &str) {
    // All of them are plain ASCII.
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}
