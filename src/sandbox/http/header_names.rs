//! The platform's spelling of header names: `Request-ID`, which hyper would write as `Request-Id`.

use std::{
    io::{self, Cursor},
    sync::{Mutex, PoisonError},
};

use http::{Extensions, Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

use super::body::OutgoingBody;

/// A message that has every name whose spelling is neither title case nor lower case.
const NAMES: &str = "GET / HTTP/1.1\r\nRequest-ID: 1\r\n\r\n";

/// Extensions for a message: with them, hyper spells its header names as the platform does.
///
/// hyper takes the spelling of names from an extension whose type is private: it comes with a message that hyper has
/// parsed, and is meant to be passed on. So this parses one.
pub(crate) async fn spellings() -> Extensions {
    let found = Mutex::new(Extensions::new());
    let service = service_fn(|request: Request<Incoming>| {
        *found.lock().unwrap_or_else(PoisonError::into_inner) = request.into_parts().0.extensions;
        std::future::ready(Err::<Response<OutgoingBody>, _>(io::Error::other("no response")))
    });
    let bytes = TokioIo::new(Cursor::new(NAMES.as_bytes().to_vec()));
    // It ends with the error of the service: nothing is to be answered.
    let _ = http1::Builder::new().preserve_header_case(true).serve_connection(bytes, service).await;
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
