//! The connection pools: one HTTP client for each runtime.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use hyper_util::client::legacy::{self, connect::HttpInfo};
use tokio::runtime::{self, Handle};
use url::Url;

use super::network::{HttpClients, NetworkSettings};
use super::proxy::ProxyNames;
use crate::error::Error;
use crate::runtime::IoRuntime;

/// The most runtimes that have a connection pool at the same time. Web frameworks run one for each core; tests create
/// them by the hundred.
const MAX_RUNTIMES: usize = 512;

/// One HTTP client for each runtime: a pooled connection lives on the runtime that opened it, and stops with it.
pub(super) struct Pools {
    clients: HttpClients,
    of_runtimes: RwLock<OfRuntimes>,
    background: OnceLock<Arc<Pool>>,
    unpooled: OnceLock<Arc<Pool>>,
}

#[derive(Default)]
struct OfRuntimes {
    pools: HashMap<runtime::Id, Arc<Pool>>,
    /// Advances with each new pool. A call marks its pool with it, so a mark is written once for each new pool only.
    clock: u64,
}

pub(super) struct Pool {
    pub(super) http: reqwest::Client,
    last_used: AtomicU64,
    used: UsedConnections,
}

/// The connections that have carried a response, by their local ports: a bit each.
struct UsedConnections(Box<[AtomicU64]>);

impl Pool {
    fn new(http: reqwest::Client, now: u64) -> Arc<Pool> {
        let used = UsedConnections((0..1024).map(|_| AtomicU64::new(0)).collect());
        Arc::new(Pool { http, last_used: AtomicU64::new(now), used })
    }

    /// Notes that the connection of `response` is not new any more.
    pub(super) fn mark_used(&self, response: &reqwest::Response) {
        if let Some(info) = response.extensions().get::<HttpInfo>() {
            self.used.insert(info.local_addr().port());
        }
    }

    /// Whether the request failed over a connection that had carried another one.
    pub(super) fn failed_on_used(&self, error: &reqwest::Error) -> bool {
        local_port(error).is_some_and(|port| self.used.contains(port))
    }
}

impl UsedConnections {
    fn place(&self, port: u16) -> Option<(&AtomicU64, u64)> {
        Some((self.0.get(usize::from(port / 64))?, 1 << (port % 64)))
    }

    fn contains(&self, port: u16) -> bool {
        self.place(port).is_some_and(|(bits, bit)| bits.load(Ordering::Relaxed) & bit != 0)
    }

    fn insert(&self, port: u16) {
        if let Some((bits, bit)) = self.place(port).filter(|_| !self.contains(port)) {
            bits.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

/// The local port of the connection over which a request failed.
fn local_port(error: &reqwest::Error) -> Option<u16> {
    let causes = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |e| e.source());
    let connection = causes.filter_map(|e| e.downcast_ref::<legacy::Error>()?.connect_info()).next()?;
    let mut extensions = http::Extensions::new();
    connection.get_extras(&mut extensions);
    Some(extensions.get::<HttpInfo>()?.local_addr().port())
}

impl Pools {
    /// The background runtime's client is built now, so that a wrong setting shows.
    pub(super) fn new(base: &Url, settings: NetworkSettings) -> Result<Pools, Error> {
        Pools::of_clients(HttpClients::new(base, settings)?)
    }

    #[cfg(feature = "v2")]
    pub(super) fn with_certificate(&self, certificate: &super::ClientCertificate) -> Result<Pools, Error> {
        Pools::of_clients(self.clients.with_certificate(certificate))
    }

    fn of_clients(clients: HttpClients) -> Result<Pools, Error> {
        let background = OnceLock::from(Pool::new(clients.build(true)?, 0));
        Ok(Pools { clients, of_runtimes: RwLock::default(), background, unpooled: OnceLock::new() })
    }

    pub(super) fn proxy_names(&self) -> ProxyNames {
        self.clients.proxy_names()
    }

    /// The pool of a runtime.
    pub(super) fn of(&self, runtime: IoRuntime) -> Result<Arc<Pool>, Error> {
        match runtime {
            IoRuntime::Caller => self.of_runtime(Handle::try_current().map_err(no_runtime)?.id()),
            IoRuntime::Background => self.one_of(&self.background, true),
        }
    }

    /// A client whose every request makes a new connection, on any runtime.
    pub(super) fn unpooled(&self) -> Result<Arc<Pool>, Error> {
        self.one_of(&self.unpooled, false)
    }

    fn one_of(&self, place: &OnceLock<Arc<Pool>>, pooled: bool) -> Result<Arc<Pool>, Error> {
        if let Some(pool) = place.get() {
            return Ok(Arc::clone(pool));
        }
        let pool = Pool::new(self.clients.build(pooled)?, 0);
        Ok(Arc::clone(place.get_or_init(|| pool)))
    }

    fn of_runtime(&self, runtime: runtime::Id) -> Result<Arc<Pool>, Error> {
        let known = self.of_runtimes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = known.find(runtime) {
            return Ok(pool);
        }
        drop(known);
        let http = self.clients.build(true)?;
        let mut known = self.of_runtimes.write().unwrap_or_else(PoisonError::into_inner);
        Ok(known.find(runtime).unwrap_or_else(|| known.insert(runtime, http)))
    }
}

impl OfRuntimes {
    fn find(&self, runtime: runtime::Id) -> Option<Arc<Pool>> {
        let pool = self.pools.get(&runtime)?;
        // Written only when it changes: many threads read it at the same time.
        if pool.last_used.load(Ordering::Relaxed) != self.clock {
            pool.last_used.store(self.clock, Ordering::Relaxed);
        }
        Some(Arc::clone(pool))
    }

    /// Makes room by dropping the pool that was not used for the longest time. That closes its idle connections only.
    fn insert(&mut self, runtime: runtime::Id, http: reqwest::Client) -> Arc<Pool> {
        if self.pools.len() >= MAX_RUNTIMES
            && let Some((&oldest, _)) =
                self.pools.iter().min_by_key(|(_, pool)| pool.last_used.load(Ordering::Relaxed))
        {
            self.pools.remove(&oldest);
        }
        self.clock += 1;
        let pool = Pool::new(http, self.clock);
        self.pools.insert(runtime, Arc::clone(&pool));
        pool
    }
}

fn no_runtime(_: tokio::runtime::TryCurrentError) -> Error {
    Error::config("runtime", "has ended: the call was started inside a tokio runtime")
}
