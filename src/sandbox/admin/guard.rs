//! Protects the control endpoint and the page from web pages of other sites, which can make a browser on this machine send
//! requests. `Host` reveals DNS rebinding, `Origin` cross-site requests.

use http::{StatusCode, header};

use super::control::AdminError;
use crate::sandbox::server::admin_hook::AdminRequest;

pub(crate) fn check(request: &AdminRequest) -> Result<(), AdminError> {
    let forbidden = |why: String| AdminError(StatusCode::FORBIDDEN, why);
    let headers = &request.headers;
    let address = request
        .local_address
        .filter(|address| address.ip().is_loopback())
        .ok_or_else(|| forbidden("only connections over the loopback interface are accepted".into()))?;
    let names = [address.to_string(), format!("localhost:{}", address.port())];
    let single = |name| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().and_then(|value| value.to_str().ok()).unwrap_or("");
        if all.next().is_none() { first } else { "" }
    };
    let host = single(header::HOST);
    if !names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return Err(forbidden(format!("wrong Host {host:?}: expected {} or {}", names[0], names[1])));
    }
    let origin = single(header::ORIGIN);
    let same_origin = names.iter().any(|name| origin == format!("http://{name}"));
    if headers.contains_key(header::ORIGIN) && !same_origin {
        return Err(forbidden(format!("wrong Origin {origin:?}: pages of other sites are not allowed")));
    }
    Ok(())
}
