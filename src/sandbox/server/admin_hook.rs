//! The hook for requests that are not the platform's: the server passes them to the layer above.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

use super::platform::Platform;

/// `None`: the connection is closed.
pub(crate) type AdminResponse = Pin<Box<dyn Future<Output = Option<Response<Bytes>>> + Send>>;

#[derive(Clone, Copy)]
pub(crate) struct AdminHook {
    /// Whether the hook handles a request with this method, target and headers.
    pub(crate) accepts: fn(&Method, &str, &HeaderMap) -> bool,
    pub(crate) handle: fn(Arc<Platform>, AdminRequest) -> AdminResponse,
    /// The largest body for a target, in bytes.
    pub(crate) max_body: fn(&str) -> usize,
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
