//! The hosts that may receive notifications: this machine, and those that the builder allows. This also covers the
//! addresses that a name resolves to.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Semaphore, task, time};
use url::{Host, Url};

use crate::error::Excerpt;

/// The limit of concurrent lookups. A lookup can block for long, on a thread that also signs.
pub(crate) const MAX_LOOKUPS: usize = 2;

/// The platform accepts no longer URLs.
const MAX_URL: usize = 2048;

/// Why a `notify_url` is not admitted.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    /// It never will be.
    Refused(String),
    /// Its name could not be resolved: a later lookup can succeed.
    NotResolved(String),
}

impl NotAdmitted {
    pub(super) fn into_reason(self) -> String {
        match self {
            NotAdmitted::Refused(why) | NotAdmitted::NotResolved(why) => why,
        }
    }
}

impl From<String> for NotAdmitted {
    fn from(why: String) -> NotAdmitted {
        NotAdmitted::Refused(why)
    }
}

impl From<&str> for NotAdmitted {
    fn from(why: &str) -> NotAdmitted {
        NotAdmitted::Refused(why.into())
    }
}

/// Allowed names and addresses besides this machine.
#[derive(Clone, Default)]
struct Hosts(Arc<BTreeSet<String>>);

/// Resolves names and checks the addresses. The client connects to no others.
#[derive(Clone)]
pub(crate) struct AllowedHosts {
    hosts: Hosts,
    lookups: Arc<Semaphore>,
}

impl AllowedHosts {
    pub(crate) fn new(hosts: &[String]) -> Result<AllowedHosts, String> {
        let parse = |host: &String| {
            Host::parse(host)
                .map(|host| host.to_string())
                .map_err(|e| format!("{} is not a host name ({e})", Excerpt(host)))
        };
        let hosts = hosts.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(AllowedHosts { hosts: Hosts(Arc::new(hosts)), lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)) })
    }

    /// Parses a `notify_url` and checks its host.
    pub(crate) async fn check(&self, notify_url: &str, timeout: Duration) -> Result<Url, NotAdmitted> {
        if notify_url.len() > MAX_URL {
            return Err(format!("notify_url is too long (limit {MAX_URL} characters)").into());
        }
        let url = Url::parse(notify_url).map_err(|e| format!("{notify_url:?} is not a URL ({e})"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(
                format!("notify_url must start with http:// or https://, found {}://", url.scheme()).into()
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("notify_url must not contain a user name or password".into());
        }
        let host = url.host().ok_or("notify_url has no host")?.to_owned();
        match host {
            Host::Ipv4(address) => self.hosts.check_address(address.into())?,
            Host::Ipv6(address) => self.hosts.check_address(address.into())?,
            Host::Domain(name) if self.hosts.0.contains(&name) => {}
            Host::Domain(name) => {
                let found = time::timeout(timeout, self.addresses(&name)).await;
                let late = |_| NotAdmitted::NotResolved(format!("{name} could not be resolved in time"));
                found.map_err(late)??;
            }
        }
        Ok(url)
    }

    /// The addresses of a name, checked. Their port is 0.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, NotAdmitted> {
        let failed =
            |why: &dyn fmt::Display| NotAdmitted::NotResolved(format!("{name} cannot be resolved ({why})"));
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(|e| failed(&e))?;
        let owned = name.to_owned();
        let lookup = task::spawn_blocking(move || {
            // The thread releases the permit: a caller that gives up does not free the thread.
            let _permit = permit;
            (owned.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>)
        });
        let found = lookup.await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
        if self.hosts.0.contains(name) {
            return Ok(found);
        }
        for address in &found {
            self.hosts.check_address(address.ip()).map_err(|_| {
                format!("{name} is {}, not this machine; allow it with `notify_host`", address.ip())
            })?;
        }
        if found.is_empty() { Err(failed(&"no address")) } else { Ok(found) }
    }
}

impl Hosts {
    fn check_address(&self, address: IpAddr) -> Result<(), String> {
        let literal = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        if address.to_canonical().is_loopback() || self.0.contains(&literal) {
            return Ok(());
        }
        Err(format!("{address} is not this machine; allow it with `notify_host`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    async fn refused(hosts: &AllowedHosts, url: &str) -> String {
        match hosts.check(url, TIMEOUT).await.expect_err(url) {
            NotAdmitted::Refused(why) => why,
            NotAdmitted::NotResolved(why) => panic!("{why}"),
        }
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_is_not_refused() {
        let hosts = AllowedHosts::new(&[]).unwrap();
        let error = hosts.check("http://no-such-host.invalid/", TIMEOUT).await.unwrap_err();
        assert!(matches!(&error, NotAdmitted::NotResolved(why) if why.contains("no-such-host")), "{error:?}");
    }

    #[tokio::test]
    async fn only_this_machine_unless_allowed() {
        let hosts = AllowedHosts::new(&[]).unwrap();
        for url in [
            "http://127.0.0.1:80/x",
            "http://127.9.9.9/",
            "https://[::1]:8443/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost:1/",
            "http://0x7f.1/",
        ] {
            assert!(hosts.check(url, TIMEOUT).await.is_ok(), "{url}");
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
            assert!(refused(&hosts, url).await.contains("not this machine"), "{url}");
        }
        assert!(refused(&hosts, "ftp://127.0.0.1/").await.contains("http://"));
        assert!(refused(&hosts, "http://a:b@127.0.0.1/").await.contains("user name"));
        assert!(refused(&hosts, "v3/pay").await.contains("not a URL"));
        assert!(refused(&hosts, &format!("http://127.0.0.1/{}", "x".repeat(2048))).await.contains("2048"));
    }

    #[tokio::test]
    async fn allowed_hosts_are_accepted() {
        let hosts = ["10.0.0.1", "Shop.Example", "[fd00::1]"].map(String::from);
        let hosts = AllowedHosts::new(&hosts).unwrap();
        for url in ["http://10.0.0.1/", "https://shop.example/notify", "http://[fd00::1]:80/"] {
            assert!(hosts.check(url, TIMEOUT).await.is_ok(), "{url}");
        }
        assert!(hosts.check("http://10.0.0.2/", TIMEOUT).await.is_err());
        for host in ["", "a b", "http://shop.example", "shop.example:80"] {
            assert!(AllowedHosts::new(&[host.into()]).is_err(), "{host}");
        }
    }
}
