//! The network checks: proxy, DNS, TLS, and the server's time.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

use url::{Host, Url};

use super::report::Report;
use crate::exit;
use crate::failure::Failure;
use crate::text::{Excerpt, without_number};

/// For each step.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The proxy variable that applies to this URL, and its value.
fn proxy_variable(url: &Url) -> Option<(&'static str, String)> {
    if is_local(url) || is_excepted(url.host_str().unwrap_or_default()) {
        return None;
    }
    let names: &[&'static str] = match url.scheme() {
        "http" => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
    };
    names.iter().find_map(|name| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((*name, value))
    })
}

/// Whether `NO_PROXY` has this host, or a domain that it is in.
fn is_excepted(host: &str) -> bool {
    let list = ["NO_PROXY", "no_proxy"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    list.split(',').map(|entry| entry.trim().trim_start_matches('.')).any(|entry| {
        let parent = host.strip_suffix(entry).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        entry == "*" || !entry.is_empty() && parent
    })
}

/// Checks the proxy from the environment, which the library uses, too; `false` if it cannot be reached.
pub(super) fn proxy(report: &mut Report, base: &str) -> Result<bool, Failure> {
    let Ok(base) = Url::parse(base) else { return Ok(true) };
    let Some((name, value)) = proxy_variable(&base) else {
        return report.ok("proxy", "none").map(|()| true);
    };
    // Only host and port are shown: the URL may hold a password.
    let with_scheme = if value.contains("://") { value } else { format!("http://{value}") };
    let Some((host, port)) = Url::parse(&with_scheme)
        .ok()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default().unwrap_or(1080))))
    else {
        let found = format!("`{name}` is not a URL");
        report.failed("proxy", exit::USAGE, &found, "set it to http://host:port, or unset it")?;
        return Ok(false);
    };
    let found = format!("{host}:{port}, from `{name}`");
    match resolve(&host, port).and_then(|address| {
        TcpStream::connect_timeout(&address, TIMEOUT).map_err(|e| without_number(&e.to_string()).to_owned())
    }) {
        Ok(_) => report.ok("proxy", &found).map(|()| true),
        Err(reason) => {
            let fix = format!("start the proxy, correct or unset `{name}`, or add the host to NO_PROXY");
            report.failed("proxy", exit::TRANSPORT, &format!("{found}: {reason}"), &fix)?;
            Ok(false)
        }
    }
}

/// Resolves the host of a base URL and sends it a request; `None` without a response, else the server's time in Unix
/// seconds, if there is one.
pub(super) fn host(
    report: &mut Report,
    base: &str,
    proxy_works: bool,
) -> Result<Option<Option<u64>>, Failure> {
    let (url, name) = match Url::parse(base).map(|url| (url.host_str().map(str::to_owned), url)) {
        Ok((Some(name), url)) => (url, name),
        _ => {
            let found = format!("{} is not a URL", Excerpt(base));
            report.failed("base URL", exit::USAGE, &found, "correct the base URL")?;
            return Ok(None);
        }
    };
    let proxied = proxy_variable(&url).is_some();
    let port = url.port_or_known_default().unwrap_or(443);
    match resolve(&name, port) {
        Ok(address) => report.ok("DNS", &format!("{name} resolves to {}", address.ip()))?,
        Err(_) if proxied => report.skipped("DNS", &format!("{name} is resolved by the proxy"))?,
        Err(reason) => {
            let fix = "check the network and /etc/resolv.conf; if a proxy is required, set HTTPS_PROXY";
            report.failed("DNS", exit::TRANSPORT, &format!("{name}: {reason}"), fix)?;
            return Ok(None);
        }
    }
    if proxied && !proxy_works {
        report.skipped("host", &format!("{name} is not asked: the proxy cannot be reached"))?;
        return Ok(None);
    }
    match server_time(&url) {
        Ok(date) => {
            report.ok("host", &format!("{} responds", url.origin().ascii_serialization()))?;
            Ok(Some(date))
        }
        Err(Unreached { fault, reason }) => {
            let fix = fault.fix(&url, port, proxied);
            report.failed("host", exit::TRANSPORT, &format!("{name}:{port}: {reason}"), &fix)?;
            Ok(None)
        }
    }
}

/// The system's resolver has no timeout, so it runs on a thread that is abandoned when it is slow.
fn resolve(host: &str, port: u16) -> Result<std::net::SocketAddr, String> {
    let (send, receive) = mpsc::channel();
    // Only URLs put an IPv6 address in brackets.
    let host = host.trim_matches(['[', ']']).to_owned();
    std::thread::spawn(move || send.send((host.as_str(), port).to_socket_addrs().map(|mut all| all.next())));
    match receive.recv_timeout(TIMEOUT) {
        Ok(Ok(Some(address))) => Ok(address),
        Ok(Ok(None)) => Err("no address found".to_owned()),
        Ok(Err(e)) => Err(without_number(&e.to_string()).to_owned()),
        Err(_) => Err(format!("no address found within {TIMEOUT:?}")),
    }
}

/// The `Date` of the response. Any status will do: it shows that the host is reachable.
fn server_time(url: &Url) -> Result<Option<u64>, Unreached> {
    let other = |reason| Unreached { fault: Fault::Other, reason };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| other(without_number(&e.to_string()).to_owned()))?;
    let builder =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).http1_only();
    let builder = if is_local(url) { builder.no_proxy() } else { builder };
    // Plain http needs no root certificates, which a slim container may lack.
    let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    let client = builder.build().map_err(|e| other(innermost(&e)))?;
    let response = runtime
        .block_on(async { client.get(url.clone()).send().await })
        .map_err(|e| Unreached { fault: Fault::of(&e), reason: innermost(&e) })?;
    let date = response.headers().get("date").and_then(|value| value.to_str().ok());
    let date = date.and_then(|text| httpdate::parse_http_date(text).ok());
    Ok(date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs()))
}

/// Why a host did not respond.
struct Unreached {
    fault: Fault,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing listens on the port, or a firewall rejects the connection.
    Refused,
    Timeout,
    Tls,
    /// Not HTTP, or closed early.
    Other,
}

impl Fault {
    fn of(error: &reqwest::Error) -> Fault {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(inner) = cause {
            if let Some(e) = inner.downcast_ref::<io::Error>() {
                if e.kind() == io::ErrorKind::ConnectionRefused {
                    return Fault::Refused;
                }
                if contains_tls_error(e) {
                    return Fault::Tls;
                }
            }
            if inner.is::<rustls::Error>() {
                return Fault::Tls;
            }
            cause = inner.source();
        }
        if error.is_timeout() { Fault::Timeout } else { Fault::Other }
    }

    fn fix(self, url: &Url, port: u16, proxied: bool) -> String {
        let local = is_local(url);
        match self {
            _ if proxied => "check the proxy above; it must allow CONNECT to this host and port".to_owned(),
            Fault::Refused if local => {
                format!(
                    "start the server (such as `wxpay sandbox`), or correct the base URL: nothing listens on port {port}"
                )
            }
            Fault::Refused => format!(
                "check host and port of the base URL: nothing listens on port {port}, or a firewall rejects the connection"
            ),
            Fault::Timeout if local => {
                "restart the server: it accepts the connection and does not respond".to_owned()
            }
            Fault::Timeout => {
                format!("allow port {port} in the firewall; if a proxy is required, set HTTPS_PROXY")
            }
            Fault::Tls if local => "use the scheme that the server has: http:// for a sandbox".to_owned(),
            Fault::Tls => {
                "install the system's ca-certificates, check the clock, and whether something between this \
                           machine and the platform replaces certificates"
                    .to_owned()
            }
            Fault::Other => "check that the base URL is that of an HTTP server of the platform".to_owned(),
        }
    }
}

/// The error in an `io::Error` is not its source: the source is that error's own.
fn contains_tls_error(error: &io::Error) -> bool {
    let Some(inner) = error.get_ref() else { return false };
    inner.is::<rustls::Error>() || inner.downcast_ref::<io::Error>().is_some_and(contains_tls_error)
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    without_number(&cause.to_string()).to_owned()
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
