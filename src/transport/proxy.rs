//! The proxy: its URL, and how errors name it.

use std::borrow::Cow;

use http::StatusCode;
use url::Url;

use super::failure::{Failure, causes};
use super::send::CallInfo;
use crate::error::{Error, Excerpt};

/// A configured proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(super) http: reqwest::Proxy,
    /// Without user name and password.
    host: String,
}

impl Proxy {
    /// `http://[user:password@]host:port`; without a scheme it is http. Errors do not repeat the URL, which may contain a
    /// password.
    pub(crate) fn parse(text: &str) -> Result<Proxy, Error> {
        let refuse = |reason: String| Error::config("proxy", reason);
        let url = Url::parse(&with_scheme(text))
            .map_err(|_| refuse("is not the URL of a proxy (http://host:port)".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = Excerpt(url.scheme());
            return Err(refuse(format!("has the scheme {scheme}; only http:// and https:// are supported")));
        }
        let host = host_and_port(&url);
        let http = reqwest::Proxy::all(url).map_err(|_| refuse("is not the URL of a proxy".to_owned()))?;
        Ok(Proxy { http, host })
    }
}

fn with_scheme(text: &str) -> Cow<'_, str> {
    if text.contains("://") { Cow::Borrowed(text) } else { Cow::Owned(format!("http://{text}")) }
}

fn host_and_port(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(1080);
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

/// The proxies that requests may take, for errors.
pub(super) enum ProxyNames {
    None,
    /// Of the builder.
    Configured(String),
    /// Of the environment, for http and for https.
    Environment(Option<Variable>, Option<Variable>),
}

/// A variable that names a proxy.
pub(super) struct Variable {
    name: &'static str,
    host: String,
}

impl ProxyNames {
    pub(super) fn configured(proxy: &Proxy) -> ProxyNames {
        ProxyNames::Configured(proxy.host.clone())
    }

    /// The variables that the HTTP library reads.
    pub(super) fn of_environment() -> ProxyNames {
        // In a CGI program, `HTTP_PROXY` is a header of its client.
        if std::env::var_os("REQUEST_METHOD").is_some() {
            return ProxyNames::None;
        }
        let all = || Variable::read(&["ALL_PROXY", "all_proxy"]);
        let http = Variable::read(&["HTTP_PROXY", "http_proxy"]).or_else(all);
        let https = Variable::read(&["HTTPS_PROXY", "https_proxy"]).or_else(all);
        ProxyNames::Environment(http, https)
    }

    /// The proxy for a scheme, as errors name it, and whether every request goes through it: `NO_PROXY` may except a host
    /// from one of the environment.
    fn of(&self, https: bool) -> Option<(String, bool)> {
        match self {
            ProxyNames::None => None,
            ProxyNames::Configured(host) => Some((format!("the proxy {}", Excerpt(host)), true)),
            ProxyNames::Environment(http, https_proxy) => {
                let Variable { name, host } = if https { https_proxy } else { http }.as_ref()?;
                Some((format!("the proxy {} of the environment (`{name}`)", Excerpt(host)), false))
            }
        }
    }

    /// What the proxy itself answered instead of the host. Plain http has no tunnel: the proxy's 407 looks like a response
    /// of the host, which never makes one (RFC 9110, section 15.5.8).
    pub(super) fn refusal(&self, status: StatusCode, https: bool) -> Option<Refusal> {
        if https || status != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return None;
        }
        let (proxy, certain) = self.of(https)?;
        let what = Obstacle { proxy, act: Act::WantsPassword }.explain("");
        Some(Refusal { what, certain })
    }

    /// The proxy that a failed connection had in between, and what it did.
    pub(super) fn obstacle(&self, error: &reqwest::Error, https: bool) -> Option<Obstacle> {
        let (proxy, named) = self.of(https)?;
        let said = |text: &str| causes(error).any(|cause| cause.to_string().contains(text));
        // The texts of hyper-util's tunnel, whose error type is not public.
        let act = if said("proxy authorization required") {
            Act::WantsPassword
        } else if said("tunnel error: unsuccessful") {
            Act::Refused
        } else if said("tunnel error: failed to create underlying connection") {
            Act::Unreachable
        } else if said("tunnel error: ") {
            Act::BrokeOff
        } else if error.is_timeout() {
            Act::Unknown
        } else if https {
            // Without a word of the tunnel, it stood: the proxy has done its part.
            return None;
        } else if named {
            Act::Unreachable
        } else {
            // `NO_PROXY` may except the host.
            Act::Unknown
        };
        Some(Obstacle { proxy, act })
    }
}

/// A proxy, and what it did to a connection.
pub(super) struct Obstacle {
    proxy: String,
    act: Act,
}

/// A response of the proxy's own.
pub(super) struct Refusal {
    what: String,
    /// Whether the proxy made it, and so passed nothing on.
    certain: bool,
}

impl Refusal {
    pub(super) fn error(self, call: &CallInfo) -> Error {
        let Refusal { what, certain } = self;
        let failure =
            Failure { what, maybe_sent: !certain, broken: certain, connect: certain, timeout: false };
        call.build_error(failure, None)
    }
}

enum Act {
    WantsPassword,
    Refused,
    Unreachable,
    BrokeOff,
    Unknown,
}

impl Obstacle {
    /// The proxy, if there is no connection with it.
    pub(super) fn unreachable(&self) -> Option<&str> {
        matches!(self.act, Act::Unreachable).then_some(self.proxy.as_str())
    }

    /// The failure of the connection, with the proxy named.
    pub(super) fn explain(&self, failure: &str) -> String {
        let proxy = &self.proxy;
        match self.act {
            Act::WantsPassword => format!("{proxy} asks for a user name and a password"),
            Act::Refused => format!("{proxy} refused to connect to the host"),
            Act::Unreachable => failure.to_owned(),
            Act::BrokeOff => format!("{proxy} closed the connection: {failure}"),
            Act::Unknown => format!("{failure}; {proxy} may be the reason"),
        }
    }
}

impl Variable {
    fn read(names: &[&'static str]) -> Option<Variable> {
        let (name, value) = names.iter().find_map(|name| Some((*name, std::env::var(name).ok()?)))?;
        let url = Url::parse(&with_scheme(&value)).ok()?;
        let host = match url.scheme() {
            "http" | "https" => host_and_port(&url),
            // It is not supported, and the reason for the failure.
            scheme => format!("{scheme}://{}", host_and_port(&url)),
        };
        Some(Variable { name, host })
    }
}
