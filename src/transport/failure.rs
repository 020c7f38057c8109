//! The HTTP library's errors as ours: what failed, in our words, and whether the platform may have received the request.

use std::error::Error as StdError;
use std::io;

use url::Url;

use super::send::CallInfo;
use super::upload::UploadFailure;
use crate::error::{Error, FileError};

/// A failed exchange.
pub(super) struct Failure {
    pub(super) what: String,
    pub(super) maybe_sent: bool,
    /// No connection could be made.
    pub(super) connect: bool,
    /// The connection could not be made, or broke; not a slow response: another host may do better.
    pub(super) broken: bool,
    pub(super) timeout: bool,
}

impl CallInfo {
    /// The HTTP library's error as ours.
    pub(crate) fn transport_error(&self, e: reqwest::Error) -> Error {
        self.send_error(e, None)
    }

    /// The same before the response. `proxy`: the proxy with which no connection could be made.
    pub(super) fn send_error(&self, e: reqwest::Error, proxy: Option<&str>) -> Error {
        if let Some(file) = causes(&e).find_map(|cause| cause.downcast_ref()) {
            return file_error(file);
        }
        let (connect, timeout) = (e.is_connect(), e.is_timeout());
        // Of the operating system, when the peer has been silent for half a minute.
        let dead = timeout && innermost_kind(&e) == Some(io::ErrorKind::TimedOut);
        let what = match (connect, timeout) {
            (true, _) => no_connection(&e, proxy, timeout),
            (false, true) if dead => "the connection timed out: the other side does not react".to_owned(),
            (false, true) => format!("no complete response within {:?}", self.timeout),
            (false, false) if e.is_builder() => "the request could not be built".to_owned(),
            (false, false) => broken_connection(&e).to_owned(),
        };
        let failure = Failure {
            what,
            maybe_sent: !(connect || e.is_builder()),
            connect,
            broken: connect || dead || !(timeout || e.is_builder()),
            timeout,
        };
        // Without the URL, which contains values.
        self.build_error(failure, Some(Box::new(e.without_url())))
    }
}

/// The error and its causes. `io::Error` does not name its content as its source, and may contain another one.
pub(super) fn causes<'e>(
    e: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(e), |&e| match e.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(content) => Some(content as &(dyn StdError + 'static)),
        None => e.source(),
    })
}

/// The request has a length, and ended before it: no server takes it for complete.
fn file_error(failure: &UploadFailure) -> Error {
    let UploadFailure { file, how, kind } = failure;
    Error::File(Box::new(FileError {
        file: file.display().to_string(),
        what: format!("{how} while it was sent; the request was broken off"),
        maybe_sent: false,
        source: kind.map(io::Error::from),
    }))
}

/// The operating system's error is the innermost one.
fn innermost_kind(e: &reqwest::Error) -> Option<io::ErrorKind> {
    causes(e).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

/// Why there is no connection. The libraries below do not export their errors, so their texts are compared; one that
/// they change is told as "no connection".
fn no_connection(e: &reqwest::Error, proxy: Option<&str>, timeout: bool) -> String {
    let host = e.url().and_then(host_and_port).unwrap_or_else(|| "the host".to_owned());
    let peer = proxy.map_or_else(|| format!("`{host}`"), str::to_owned);
    let texts: Vec<String> = causes(e).map(ToString::to_string).collect();
    let says = |part: &str| texts.iter().any(|text| text.contains(part));
    let kind = innermost_kind(e);
    if timeout || kind == Some(io::ErrorKind::TimedOut) {
        return format!("no connection to {peer} within the connect timeout");
    }
    if says("dns error") {
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        return match proxy {
            Some(proxy) => format!("the host name of {proxy} was not found"),
            None => format!("the host name `{name}` was not found"),
        };
    }
    if let Some(why) = untrusted(&texts) {
        return format!("the TLS certificate of `{host}` {why}");
    }
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => format!("connection refused by {peer}"),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            format!("no route to {peer}")
        }
        // The TLS library's own errors.
        Some(io::ErrorKind::InvalidData) if says("InvalidContentType") => {
            format!("`{host}` answers, but not in TLS: its port may be one for http")
        }
        Some(io::ErrorKind::InvalidData) => format!("the TLS handshake with `{host}` failed"),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe) => {
            format!("{peer} closed the connection while it was set up")
        }
        _ => format!("no connection to {peer}"),
    }
}

/// Why a certificate is refused, if that is the cause.
fn untrusted(texts: &[String]) -> Option<&'static str> {
    let text = texts
        .iter()
        .rev()
        .find_map(|text| text.split_once("invalid peer certificate"))
        .map(|(_, why)| why)?;
    Some(match text {
        _ if text.contains("Expired") || text.contains("expired") => {
            "has expired (or the clock of this machine is wrong)"
        }
        _ if text.contains("NotValidYet") || text.contains("not valid yet") => {
            "is not valid yet (or the clock of this machine is wrong)"
        }
        _ if text.contains("NotValidForName") || text.contains("not valid for name") => "is for another host",
        _ => "is not trusted: its root is not among the root certificates",
    })
}

/// The server's alert. In TLS 1.3 it comes after the handshake, when a client's certificate is checked.
fn refused_certificate(alert: rustls::AlertDescription) -> &'static str {
    use rustls::AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => {
            "the server asks for the merchant's certificate: add `.client_certificate()` to the call (PHP's `security`)"
        }
        Alert::CertificateExpired => "the server refused the merchant's certificate: it has expired",
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => {
            "the server refused the merchant's certificate: it is not the one of this merchant, or was replaced"
        }
        _ => "the server broke off the TLS connection",
    }
}

fn broken_connection(e: &reqwest::Error) -> &'static str {
    if let Some(rustls::Error::AlertReceived(alert)) = causes(e).find_map(|cause| cause.downcast_ref()) {
        return refused_certificate(*alert);
    }
    let kind = innermost_kind(e);
    let says = |part: &str| causes(e).any(|cause| cause.to_string().contains(part));
    match kind {
        Some(io::ErrorKind::ConnectionReset) => "the connection was reset",
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => "the response is not valid HTTP",
        _ if says("parsed") || says("invalid URI") || says("message head is too large") => {
            "the response is not valid HTTP"
        }
        _ if says("closed before")
            || kind == Some(io::ErrorKind::UnexpectedEof)
            || says("end of file before") =>
        {
            "the connection closed before the response was complete"
        }
        _ => "the connection broke",
    }
}

fn host_and_port(url: &Url) -> Option<String> {
    // A longer name is none (RFC 1035).
    let host = url.host_str().filter(|host| host.len() <= 253)?;
    Some(format!("{host}:{}", url.port_or_known_default()?))
}
