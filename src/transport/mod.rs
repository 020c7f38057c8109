//! HTTP: one attempt on the wire.

pub(crate) mod send;
