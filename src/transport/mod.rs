//! HTTP: connection pools, the hosts that may receive a signature, sending and reading. It knows no protocol: it
//! neither signs nor interprets a response.

mod failure;
mod hosts;
mod network;
mod pools;
mod send;
mod timeout;
mod upload;

use url::Url;

use crate::error::Error;
use crate::runtime::IoRuntime;

pub(crate) use failure::proxy_host;
pub(crate) use hosts::{Hosts, parse_base_url};
pub(crate) use network::NetworkSettings;
use pools::Pools;
pub(crate) use send::{CallInfo, RawResponse, read};
pub(crate) use timeout::{check_timeout, seconds};
pub(crate) use upload::{CHUNK, FileFacts, FileSource, Upload, unreadable_file, upload_error};

/// The HTTP half of a client.
pub(crate) struct Transport {
    pub(crate) hosts: Hosts,
    pools: Pools,
}

impl Transport {
    /// # Errors
    /// [`Error::Config`] for settings that the HTTP library refuses.
    pub(crate) fn new(base: &Url, hosts: Hosts, network: NetworkSettings) -> Result<Transport, Error> {
        Ok(Transport { hosts, pools: Pools::new(base, network)? })
    }

    /// Sends one request. The response's body is still to be read.
    pub(crate) async fn send(
        &self,
        request: reqwest::Request,
        runtime: IoRuntime,
        call: &CallInfo,
    ) -> Result<reqwest::Response, Error> {
        self.pools.client(runtime)?.execute(request).await.map_err(|e| {
            let proxy = e.url().and_then(|url| self.pools.proxy_of(url));
            call.send_error(e, proxy)
        })
    }
}
