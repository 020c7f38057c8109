//! The connection pools: one HTTP client for each runtime.

use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use tokio::runtime::{self, Handle};
use url::Url;

use super::failure::environment_proxy;
use super::network::{NetworkSettings, is_local};
use crate::error::Error;
use crate::runtime::IoRuntime;

/// The most runtimes that have a connection pool at the same time.
const MAX_RUNTIMES: usize = 8;

/// One HTTP client for each runtime: a pooled connection lives on the runtime that opened it, and stops with it.
pub(super) struct Pools {
    base: Url,
    settings: NetworkSettings,
    runtime_clients: RwLock<Vec<(runtime::Id, reqwest::Client)>>,
    /// Built at construction, so that a wrong setting shows there; the first runtime takes it.
    prebuilt: Mutex<Option<reqwest::Client>>,
    background_client: OnceLock<reqwest::Client>,
}

impl Pools {
    pub(super) fn new(base: &Url, settings: NetworkSettings) -> Result<Pools, Error> {
        let prebuilt = Mutex::new(Some(settings.http_client(base)?));
        let (runtime_clients, background_client) = (RwLock::default(), OnceLock::new());
        Ok(Pools { base: base.clone(), settings, runtime_clients, prebuilt, background_client })
    }

    /// The HTTP client of a runtime.
    pub(super) fn client(&self, runtime: IoRuntime) -> Result<reqwest::Client, Error> {
        match runtime {
            IoRuntime::Caller => self.client_of(Handle::try_current().map_err(no_runtime)?.id()),
            IoRuntime::Background => match self.background_client.get() {
                Some(client) => Ok(client.clone()),
                None => {
                    let client = self.build()?;
                    Ok(self.background_client.get_or_init(|| client).clone())
                }
            },
        }
    }

    /// Host and port of the proxy that requests to `url` go through, for errors.
    pub(super) fn proxy_of(&self, url: &Url) -> Option<String> {
        let NetworkSettings { proxy_host, no_proxy, .. } = &self.settings;
        match proxy_host {
            Some(host) => Some(host.clone()),
            None if *no_proxy || is_local(&self.base) => None,
            None => environment_proxy(url),
        }
    }

    fn client_of(&self, runtime: runtime::Id) -> Result<reqwest::Client, Error> {
        let known = self.runtime_clients.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known.iter().find(|(id, _)| *id == runtime) {
            return Ok(client.clone());
        }
        drop(known);
        let client = self.build()?;
        let mut known = self.runtime_clients.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known.iter().find(|(id, _)| *id == runtime) {
            return Ok(client.clone());
        }
        // Tests create runtimes by the hundred. A client that is dropped only loses its idle connections.
        if known.len() == MAX_RUNTIMES {
            known.remove(0);
        }
        known.push((runtime, client.clone()));
        Ok(client)
    }

    fn build(&self) -> Result<reqwest::Client, Error> {
        let prebuilt = self.prebuilt.lock().unwrap_or_else(PoisonError::into_inner).take();
        prebuilt.map_or_else(|| self.settings.http_client(&self.base), Ok)
    }
}

fn no_runtime(_: tokio::runtime::TryCurrentError) -> Error {
    Error::config("runtime", "has ended: the call was started inside a tokio runtime")
}
