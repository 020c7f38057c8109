//! The administration of a running sandbox: the control endpoint for programs and the page for people.

pub(crate) mod client;
pub(crate) mod control;
pub(crate) mod guard;
pub(crate) mod page;

use std::sync::Arc;

use http::{HeaderMap, Method};
use tokio::task;

use crate::sandbox::server::{
    admin_hook::{AdminHook, AdminRequest, AdminResponse},
    platform::Platform,
};

pub(crate) fn hook() -> AdminHook {
    AdminHook { accepts, handle, max_body }
}

fn accepts(method: &Method, target: &str, headers: &HeaderMap) -> bool {
    page::is_page(method, target, headers) || control::is_control(target)
}

fn max_body(target: &str) -> usize {
    if page::takes_files(target) { page::MAX_FORM } else { control::MAX_BODY }
}

fn handle(platform: Arc<Platform>, request: AdminRequest) -> AdminResponse {
    Box::pin(async move {
        if page::is_page(&request.method, &request.target, &request.headers) {
            return page::respond(platform, request).await;
        }
        task::spawn_blocking(move || control::handle(&platform, &request)).await.ok()
    })
}
