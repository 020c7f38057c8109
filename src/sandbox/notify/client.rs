//! The HTTP client that sends notifications.

use std::{error::Error, sync::OnceLock, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use reqwest::{Client, Url};

use super::allowed_hosts::{AllowedHosts, NotAdmitted};
use crate::sandbox::http::body::OutgoingBody;

pub(crate) struct NotifyClient {
    hosts: AllowedHosts,
    /// For a lookup, and for the response.
    timeout: Duration,
    http: OnceLock<Result<Client, String>>,
    https: OnceLock<Result<Client, String>>,
}

impl NotifyClient {
    /// `hosts` are allowed in addition to this machine.
    pub(crate) fn new(hosts: &[String], timeout: Duration) -> Result<NotifyClient, String> {
        let hosts = AllowedHosts::new(hosts)?;
        Ok(NotifyClient { hosts, timeout, http: OnceLock::new(), https: OnceLock::new() })
    }

    /// Parses a `notify_url` and checks its host.
    pub(crate) async fn check(&self, notify_url: &str) -> Result<Url, NotAdmitted> {
        self.hosts.check(notify_url, self.timeout).await
    }

    /// Returns the status of the response. Redirects are not followed: they could lead to a host that is not allowed.
    pub(crate) async fn post(&self, url: Url, headers: HeaderMap, body: OutgoingBody) -> Result<u16, String> {
        let client = self.client(url.scheme() == "https")?;
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .headers(headers)
            .body(reqwest::Body::wrap(body));
        let response = request.send().await.map_err(|e| with_causes(&e.without_url()))?;
        Ok(response.status().as_u16())
    }

    /// Built for the first notification: most sandboxes never send one and should start fast.
    fn client(&self, tls: bool) -> Result<&Client, String> {
        let slot = if tls { &self.https } else { &self.http };
        slot.get_or_init(|| self.build(tls)).as_ref().map_err(Clone::clone)
    }

    #[allow(clippy::disallowed_methods, reason = "the sandbox shares no HTTP client with the SDK's client")]
    fn build(&self, tls: bool) -> Result<Client, String> {
        let builder = Client::builder()
            .user_agent("Mozilla/4.0")
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .http1_title_case_headers()
            .pool_max_idle_per_host(0)
            .timeout(self.timeout)
            .dns_resolver(self.hosts.clone())
            .tls_backend_rustls();
        // Plain HTTP needs no root certificates, which a slim container may lack.
        let builder = if tls { builder } else { builder.tls_certs_only([]) };
        builder.build().map_err(|e| with_causes(&e))
    }
}

/// The text of an error and its causes. The text of reqwest alone omits the cause.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
