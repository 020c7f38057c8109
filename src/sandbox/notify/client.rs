//! The sandbox's own HTTP client: who may be sent a notification, and the sending.

use std::{
    collections::BTreeSet,
    error::Error,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::{sync::Semaphore, task, time};
use url::Host;

use super::payload::Payload;

/// A name server that is not there takes its time, on a thread that could sign meanwhile.
pub(super) const LOOKUPS: usize = 2;

/// Longer ones are no URL that the platform would take.
const LONGEST_URL: usize = 2048;

/// Hosts by name or address, beyond this machine.
#[derive(Clone, Default)]
struct Hosts(Arc<BTreeSet<String>>);

pub(super) struct Postman {
    resolver: Resolver,
    /// For an answer.
    patience: Duration,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl Postman {
    pub(super) fn new(hosts: &[String], patience: Duration) -> Result<Postman, String> {
        let parse = |host: &String| {
            Host::parse(host).map(|host| host.to_string()).map_err(|e| format!("{host:?} is no host ({e})"))
        };
        let hosts = hosts.iter().map(parse).collect::<Result<_, _>>()?;
        let resolver = Resolver { hosts: Hosts(Arc::new(hosts)), lookups: Arc::new(Semaphore::new(LOOKUPS)) };
        Ok(Postman { resolver, patience, plain: OnceLock::new(), secure: OnceLock::new() })
    }

    /// The URL, or why nothing is sent there.
    pub(super) async fn admit(&self, notify_url: &str) -> Result<Url, String> {
        if notify_url.len() > LONGEST_URL {
            return Err(format!("a notify_url has at most {LONGEST_URL} characters"));
        }
        let url = Url::parse(notify_url).map_err(|e| format!("{notify_url:?} is no URL ({e})"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a notify_url begins http:// or https://, not {}://", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a notify_url carries no user name and no password".into());
        }
        let host = url.host().ok_or("a notify_url names a host")?.to_owned();
        match host {
            Host::Ipv4(address) => self.resolver.hosts.admit_address(address.into())?,
            Host::Ipv6(address) => self.resolver.hosts.admit_address(address.into())?,
            Host::Domain(name) if self.resolver.hosts.0.contains(&name) => {}
            Host::Domain(name) => {
                let found = time::timeout(self.patience, self.resolver.addresses(&name)).await;
                found.map_err(|_| format!("{name} could not be resolved in time"))??;
            }
        }
        Ok(url)
    }

    /// The status of the answer. Redirects are not followed: they could lead to a host that is not allowed.
    pub(super) async fn post(&self, url: Url, headers: HeaderMap, body: Payload) -> Result<u16, String> {
        let client = self.client(url.scheme() == "https")?;
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .headers(headers)
            .body(reqwest::Body::wrap(body));
        let response = request.send().await.map_err(|e| chain(&e.without_url()))?;
        Ok(response.status().as_u16())
    }

    /// Made at the first notification: most sandboxes never send one, and must start fast.
    fn client(&self, secure: bool) -> Result<&Client, String> {
        let place = if secure { &self.secure } else { &self.plain };
        place.get_or_init(|| self.build(secure)).as_ref().map_err(Clone::clone)
    }

    #[allow(clippy::disallowed_methods, reason = "the sandbox shares no client with the client")]
    fn build(&self, secure: bool) -> Result<Client, String> {
        let builder = Client::builder()
            .user_agent("Mozilla/4.0")
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .http1_title_case_headers()
            .pool_max_idle_per_host(0)
            .timeout(self.patience)
            .dns_resolver(self.resolver.clone())
            .tls_backend_rustls();
        // Without TLS no root certificates are needed, which a slim container may not have.
        let builder = if secure { builder } else { builder.tls_certs_only([]) };
        builder.build().map_err(|e| chain(&e))
    }
}

impl Hosts {
    fn admit_address(&self, address: IpAddr) -> Result<(), String> {
        let literal = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        if address.to_canonical().is_loopback() || self.0.contains(&literal) {
            return Ok(());
        }
        Err(format!("{address} is not this machine; `notify_host` allows others"))
    }
}

/// Looks a name up and checks where it leads. The client connects to the addresses that were checked here, so a
/// name that leads somewhere else the second time gets nowhere.
#[derive(Clone)]
struct Resolver {
    hosts: Hosts,
    lookups: Arc<Semaphore>,
}

impl Resolver {
    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, String> {
        let turn = Arc::clone(&self.lookups).acquire_owned().await.map_err(|e| e.to_string())?;
        let asked = name.to_owned();
        let looked_up = task::spawn_blocking(move || {
            // Given back by the thread: a caller that waits no longer does not free it.
            let _turn = turn;
            (asked.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>)
        });
        let found = looked_up.await.map_err(|e| e.to_string())?;
        let found = found.map_err(|e| format!("{name} cannot be resolved ({e})"))?;
        if self.hosts.0.contains(name) {
            return Ok(found);
        }
        for address in &found {
            self.hosts.admit_address(address.ip()).map_err(|_| {
                format!("{name} is {}, not this machine; `notify_host` allows it", address.ip())
            })?;
        }
        if found.is_empty() { Err(format!("{name} has no address")) } else { Ok(found) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// An error and its causes: reqwest's own text leaves out what went wrong.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(postman: &Postman, url: &str) -> String {
        postman.admit(url).await.expect_err(url)
    }

    #[tokio::test]
    async fn only_this_machine_unless_allowed() {
        let postman = Postman::new(&[], Duration::from_secs(5)).unwrap();
        for url in [
            "http://127.0.0.1:80/x",
            "http://127.9.9.9/",
            "https://[::1]:8443/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost:1/",
            "http://0x7f.1/",
        ] {
            assert!(postman.admit(url).await.is_ok(), "{url}");
        }
        for url in [
            "http://8.8.8.8/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://[::]/",
            "http://[fe80::1]/",
            "http://[::ffff:8.8.8.8]/",
        ] {
            assert!(refused(&postman, url).await.contains("not this machine"), "{url}");
        }
        assert!(refused(&postman, "ftp://127.0.0.1/").await.contains("http://"));
        assert!(refused(&postman, "http://a:b@127.0.0.1/").await.contains("user name"));
        assert!(refused(&postman, "v3/pay").await.contains("no URL"));
        assert!(refused(&postman, &format!("http://127.0.0.1/{}", "x".repeat(2048))).await.contains("2048"));
        assert!(refused(&postman, "http://no-such-host.invalid/").await.contains("no-such-host.invalid"));
    }

    #[tokio::test]
    async fn hosts_that_the_user_allows() {
        let hosts = ["10.0.0.1", "Shop.Example", "[fd00::1]"].map(String::from);
        let postman = Postman::new(&hosts, Duration::from_secs(5)).unwrap();
        for url in ["http://10.0.0.1/", "https://shop.example/notify", "http://[fd00::1]:80/"] {
            assert!(postman.admit(url).await.is_ok(), "{url}");
        }
        assert!(postman.admit("http://10.0.0.2/").await.is_err());
        for host in ["", "a b", "http://shop.example", "shop.example:80"] {
            assert!(Postman::new(&[host.into()], Duration::ZERO).is_err(), "{host}");
        }
    }
}
