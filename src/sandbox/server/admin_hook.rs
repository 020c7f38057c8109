//! The hook for requests that are not the platform's: the server passes them to the layer above.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

use super::platform::Platform;

#[derive(Clone, Copy)]
pub(crate) struct AdminHook {
    /// Whether the hook handles a request with this method, target and headers.
    pub(crate) accepts: fn(&Method, &str, &HeaderMap) -> bool,
    pub(crate) handle: fn(&Platform, &AdminRequest) -> Response<Bytes>,
    /// The largest body, in bytes.
    pub(crate) max_body: usize,
}

pub(crate) struct AdminRequest {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// `None`: it was too large.
    pub(crate) body: Option<Bytes>,
    /// The address that the client connected to.
    pub(crate) local_address: Option<SocketAddr>,
}
