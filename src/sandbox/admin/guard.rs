//! Protects the control endpoint and the page from web pages of other sites, which can make a browser on this machine send
//! requests. `Host` reveals DNS rebinding, `Origin` cross-site requests.

use std::net::SocketAddr;

use http::{StatusCode, header};

use super::control::AdminError;
use crate::sandbox::server::admin_hook::AdminRequest;

/// `allowed` are further host names, which may come with any port.
pub(crate) fn check(request: &AdminRequest, allowed: &[String]) -> Result<(), AdminError> {
    let forbidden = |why: String| AdminError::new(StatusCode::FORBIDDEN, "FORBIDDEN", why);
    let headers = &request.headers;
    let address =
        request.local_address.ok_or_else(|| forbidden("the connection has no local address".into()))?;
    let names = own_names(address);
    let is_own = |host: &str| names.iter().any(|name| name.eq_ignore_ascii_case(host));
    let is_allowed = |host: &str| {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    };
    let single = |name| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().and_then(|value| value.to_str().ok()).unwrap_or("");
        if all.next().is_none() { first } else { "" }
    };
    let host = single(header::HOST);
    if !is_own(host) && !is_allowed(host) {
        return Err(forbidden(format!(
            "wrong Host {host:?}: expected {} or {} (other names: `--allow-host NAME`)",
            names[0], names[1]
        )));
    }
    let origin = single(header::ORIGIN);
    let own_origin = origin.strip_prefix("http://").is_some_and(|host| is_own(host) || is_allowed(host));
    // In front of a forwarded port there may be TLS.
    let allowed_origin = origin.strip_prefix("https://").is_some_and(is_allowed);
    if headers.contains_key(header::ORIGIN) && !own_origin && !allowed_origin {
        return Err(forbidden(format!("wrong Origin {origin:?}: pages of other sites are not allowed")));
    }
    Ok(())
}

/// The values of `Host` that name this address. Clients omit the port 80.
fn own_names(address: SocketAddr) -> Vec<String> {
    let mut names = vec![address.to_string(), format!("localhost:{}", address.port())];
    if address.port() == 80 {
        names.extend([names[0].trim_end_matches(":80").to_owned(), "localhost".into()]);
    }
    names
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    #[test]
    fn a_client_names_the_address_as_it_does() {
        for (address, host, is_own) in [
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "LocalHost:8080", true),
            ("127.0.0.1:8080", "127.0.0.1", false),
            ("127.0.0.1:80", "127.0.0.1", true),
            ("127.0.0.1:80", "localhost", true),
            ("127.0.0.1:80", "localhost:80", true),
            ("127.0.0.1:80", "evil.example", false),
            ("[::1]:80", "[::1]", true),
            ("[::1]:8080", "[::1]:8080", true),
            ("[::1]:8080", "[::1]", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            let mut request = AdminRequest {
                method: Method::GET,
                target: "/".into(),
                headers,
                body: Some(Bytes::new()),
                local_address: Some(address.parse().unwrap()),
            };
            assert_eq!(check(&request, &[]).is_ok(), is_own, "{address} {host}");
            let origin = HeaderValue::try_from(format!("http://{host}")).unwrap();
            request.headers.insert(header::ORIGIN, origin);
            assert_eq!(check(&request, &[]).is_ok(), is_own, "{address} {host}");
        }
    }
}
