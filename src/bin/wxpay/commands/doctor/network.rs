//! The network checks: proxy, DNS, TLS, and the server's time.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

use url::{Host, Url};

use super::report::Report;
use crate::exit;
use crate::failure::Failure;

/// For each step.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The proxy variable that applies to URLs of this scheme, and its value.
fn proxy_variable(scheme: &str) -> Option<(&'static str, String)> {
    let names: &[&'static str] = match scheme {
        "http" => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
    };
    names.iter().find_map(|name| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((*name, value))
    })
}

/// Checks the proxy from the environment, which the library uses, too.
pub(super) fn proxy(report: &mut Report, base: &str) -> Result<(), Failure> {
    let Ok(base) = Url::parse(base) else { return Ok(()) };
    let Some((name, value)) = proxy_variable(base.scheme()).filter(|_| !is_local(&base)) else {
        return report.ok("proxy", "none");
    };
    // Only host and port are shown: the URL may hold a password.
    let with_scheme = if value.contains("://") { value } else { format!("http://{value}") };
    let Some((host, port)) = Url::parse(&with_scheme)
        .ok()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default().unwrap_or(1080))))
    else {
        return report.failed(
            "proxy",
            exit::USAGE,
            &format!("`{name}` is not a URL"),
            "set it to http://host:port, or unset it",
        );
    };
    let found = format!("{host}:{port}, from `{name}`");
    match resolve(&host, port)
        .and_then(|address| TcpStream::connect_timeout(&address, TIMEOUT).map_err(|e| e.to_string()))
    {
        Ok(_) => report.ok("proxy", &found),
        Err(reason) => {
            let fix = format!("start the proxy, correct or unset `{name}`, or add the host to NO_PROXY");
            report.failed("proxy", exit::TRANSPORT, &format!("{found}: {reason}"), &fix)
        }
    }
}

/// Resolves the host of a base URL and sends it a request; returns the server's time in Unix seconds.
pub(super) fn host(report: &mut Report, base: &str) -> Result<Option<u64>, Failure> {
    let (url, name) = match Url::parse(base).map(|url| (url.host_str().map(str::to_owned), url)) {
        Ok((Some(name), url)) => (url, name),
        _ => {
            report.failed(
                "host",
                exit::USAGE,
                "the base URL is not a URL with a host",
                "correct the base URL",
            )?;
            return Ok(None);
        }
    };
    let proxied = !is_local(&url) && proxy_variable(url.scheme()).is_some();
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
    match server_time(&url) {
        Ok(date) => {
            report.ok("host", &format!("{} responds", url.origin().ascii_serialization()))?;
            Ok(date)
        }
        Err(reason) => {
            let fix = "allow port 443 in the firewall; if a proxy is required, set HTTPS_PROXY; for TLS errors, \
                       install the system's ca-certificates";
            report.failed("host", exit::TRANSPORT, &format!("{name}: {reason}"), fix)?;
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
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err(format!("no address found within {TIMEOUT:?}")),
    }
}

/// The `Date` of the response. Any status will do: it shows that the host is reachable.
fn server_time(url: &Url) -> Result<Option<u64>, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let builder =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).http1_only();
    let builder = if is_local(url) { builder.no_proxy() } else { builder };
    // Plain http needs no root certificates, which a slim container may lack.
    let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    let client = builder.build().map_err(|e| innermost(&e))?;
    let response =
        runtime.block_on(async { client.get(url.clone()).send().await }).map_err(|e| innermost(&e))?;
    let date = response.headers().get("date").and_then(|value| value.to_str().ok());
    let date = date.and_then(|text| httpdate::parse_http_date(text).ok());
    Ok(date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs()))
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
