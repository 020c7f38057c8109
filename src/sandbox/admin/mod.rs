//! The administration of a running sandbox: the control endpoint for programs and the page for people.

pub(crate) mod control;
pub(crate) mod guard;
pub(crate) mod page;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

use crate::sandbox::server::{
    admin_hook::{AdminHook, AdminRequest},
    platform::Platform,
};

pub(crate) fn hook() -> AdminHook {
    AdminHook { accepts, handle, max_body: control::MAX_BODY }
}

fn accepts(method: &Method, target: &str, headers: &HeaderMap) -> bool {
    page::is_page(method, target, headers) || control::is_control(target)
}

fn handle(platform: &Platform, request: &AdminRequest) -> Response<Bytes> {
    if page::is_page(&request.method, &request.target, &request.headers) {
        page::handle(platform, request)
    } else {
        control::handle(platform, request)
    }
}
