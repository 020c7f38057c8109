//! The HTTP server: the listener, its connections, and the platform's pipeline from a request to its response.

pub(crate) mod admin_hook;
mod api_v2;
pub(crate) mod body_reader;
pub(crate) mod connection;
pub(crate) mod listener;
pub(crate) mod platform;
pub(crate) mod router;
