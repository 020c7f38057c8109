//! HTTP basics that know nothing of the platform: requests, responses, bodies, path templates; also the clocks with their
//! time formats and the error type, which all layers use.

pub(crate) mod body;
pub(crate) mod business_clock;
pub(crate) mod clock;
pub(crate) mod error_response;
pub(crate) mod header_names;
pub(crate) mod multipart;
pub(crate) mod path_template;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod sandbox_error;
pub(crate) mod secret_headers;
