//! The way to a host: its name, the proxy, TLS, and what time it is there.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

use url::{Host, Url};

use super::report::Report;
use crate::exit::{self, Failure};

const PATIENCE: Duration = Duration::from_secs(5);

/// The variables that name a proxy, for a URL of this scheme.
fn proxy_of(scheme: &str) -> Option<(&'static str, String)> {
    let names: &[&'static str] = match scheme {
        "http" => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
    };
    names.iter().find_map(|name| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((*name, value))
    })
}

/// The environment's proxy, which the library takes, too.
pub(super) fn proxy(report: &mut Report, base: &str) -> Result<(), Failure> {
    let Ok(base) = Url::parse(base) else { return Ok(()) };
    let Some((name, value)) = proxy_of(base.scheme()).filter(|_| !is_local(&base)) else {
        return report.ok("proxy", "none");
    };
    // Without user name and password.
    let with_scheme = if value.contains("://") { value } else { format!("http://{value}") };
    let Some((host, port)) = Url::parse(&with_scheme)
        .ok()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default().unwrap_or(1080))))
    else {
        return report.failed(
            "proxy",
            exit::USAGE,
            &format!("`{name}` is no URL"),
            "set it to http://host:port, or unset it",
        );
    };
    let found = format!("{host}:{port}, by `{name}`");
    match resolve(&host, port)
        .and_then(|address| TcpStream::connect_timeout(&address, PATIENCE).map_err(|e| e.to_string()))
    {
        Ok(_) => report.ok("proxy", &found),
        Err(why) => {
            let todo = format!("start it, correct or unset `{name}`, or let NO_PROXY name the host");
            report.failed("proxy", exit::TRANSPORT, &format!("{found}: {why}"), &todo)
        }
    }
}

/// Resolves a base URL's host and asks it something; gives its time, Unix seconds.
pub(super) fn host(report: &mut Report, base: &str) -> Result<Option<u64>, Failure> {
    let (url, name) = match Url::parse(base).map(|url| (url.host_str().map(str::to_owned), url)) {
        Ok((Some(name), url)) => (url, name),
        _ => {
            report.failed("host", exit::USAGE, &format!("`{base}` is no URL"), "correct the base URL")?;
            return Ok(None);
        }
    };
    let proxied = !is_local(&url) && proxy_of(url.scheme()).is_some();
    let port = url.port_or_known_default().unwrap_or(443);
    match resolve(&name, port) {
        Ok(address) => report.ok("DNS", &format!("{name} is {}", address.ip()))?,
        Err(_) if proxied => report.skipped("DNS", &format!("{name} is resolved by the proxy"))?,
        Err(why) => {
            let todo = "look at /etc/resolv.conf and the network; a proxy is set by HTTPS_PROXY";
            report.failed("DNS", exit::TRANSPORT, &format!("{name}: {why}"), todo)?;
            return Ok(None);
        }
    }
    match ask(&url) {
        Ok(date) => {
            report.ok("host", &format!("{} answers", url.origin().ascii_serialization()))?;
            Ok(date)
        }
        Err(why) => {
            let todo = "let a firewall pass port 443 to it; behind a proxy set HTTPS_PROXY; TLS needs the system's ca-certificates";
            report.failed("host", exit::TRANSPORT, &format!("{name}: {why}"), todo)?;
            Ok(None)
        }
    }
}

/// The system's resolver knows no timeout of ours, so it is left behind when it is slow.
fn resolve(host: &str, port: u16) -> Result<std::net::SocketAddr, String> {
    let (send, receive) = mpsc::channel();
    // An IPv6 address stands in brackets in a URL only.
    let host = host.trim_matches(['[', ']']).to_owned();
    std::thread::spawn(move || send.send((host.as_str(), port).to_socket_addrs().map(|mut all| all.next())));
    match receive.recv_timeout(PATIENCE) {
        Ok(Ok(Some(address))) => Ok(address),
        Ok(Ok(None)) => Err("no address".to_owned()),
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err(format!("no address within {PATIENCE:?}")),
    }
}

/// An answer of any status shows that the host is there; its `Date`, what time it is there.
fn ask(url: &Url) -> Result<Option<u64>, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let builder =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).http1_only();
    let builder = if is_local(url) { builder.no_proxy() } else { builder };
    let client = builder.build().map_err(|e| innermost(&e))?;
    let answer =
        runtime.block_on(async { client.get(url.clone()).send().await }).map_err(|e| innermost(&e))?;
    let date = answer.headers().get("date").and_then(|value| value.to_str().ok());
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
