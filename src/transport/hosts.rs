//! The hosts that may receive an `Authorization` header, and the spare host.

use std::net::Ipv6Addr;

use url::{Host, Url};

use super::host_name::check_host;
use crate::error::{Error, Excerpt};

const PLATFORM_HOST: &str = "api.mch.weixin.qq.com";
const SPARE_URL: &str = "https://api2.mch.weixin.qq.com/";

/// The platform's own hosts, which may receive an `Authorization`, as may the configured base URL's host.
const PLATFORM_HOSTS: &[&str] = &[
    PLATFORM_HOST,
    "api2.mch.weixin.qq.com",
    "apihk.mch.weixin.qq.com",
    "fraud.mch.weixin.qq.com",
    "payapp.weixin.qq.com",
    // Signed links of APIv2 (`papay/entrustweb`).
    "api.weixin.qq.com",
];

/// The hosts that may receive an `Authorization`.
pub(crate) struct Hosts {
    /// As the URL parser writes them.
    allowed: Vec<String>,
    base: Url,
    spare: Option<Url>,
    /// Whether `http://` may go to another machine.
    pub(crate) allow_http: bool,
}

impl Hosts {
    /// The platform's own host has its documented spare host; any other has the configured one, or none.
    pub(crate) fn new(base: &Url, allowed: Vec<String>, spare: Option<Url>, allow_http: bool) -> Hosts {
        let documented = || {
            let mut spare = Url::parse(SPARE_URL).ok().filter(|_| base.host_str() == Some(PLATFORM_HOST))?;
            // It has the same paths.
            spare.set_path(base.path());
            Some(spare)
        };
        Hosts { allowed, base: base.clone(), spare: spare.or_else(documented), allow_http }
    }

    /// `url` on the spare host, and the length of the base path there; `None` if it is not below the base URL.
    /// `base_path_length` is that of `url`.
    pub(crate) fn on_spare(&self, url: &Url, base_path_length: usize) -> Option<(Url, usize)> {
        let spare = self.spare.as_ref().filter(|_| url.origin() == self.base.origin())?;
        let (base, prefix) = (self.base.path(), spare.path());
        let mut on_spare = spare.clone();
        let mut length = base_path_length;
        if base == prefix {
            on_spare.set_path(url.path());
        } else {
            on_spare.set_path(&[prefix, url.path().strip_prefix(base)?].concat());
            length = base_path_length.checked_sub(base.len())? + prefix.len();
        }
        on_spare.set_query(url.query());
        Some((on_spare, length))
    }

    /// Whether a request to `url` may carry an `Authorization`: it has the base URL's origin, or is an allowed host
    /// over https.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        let known =
            |host: &str| PLATFORM_HOSTS.contains(&host) || self.allowed.iter().any(|allowed| allowed == host);
        url.origin() == self.base.origin()
            || self.spare.as_ref().is_some_and(|spare| spare.origin() == url.origin())
            || (url.scheme() == "https"
                && url.port_or_known_default() == Some(443)
                && url.host_str().is_some_and(known))
    }

    /// Whether a URL of this scheme and host may be used: in clear text only on this machine, unless allowed.
    pub(crate) fn accepts_scheme(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.allow_http || is_loopback(url)
    }
}

/// A base URL. Its path gets a slash at the end, so that a prefix (`…/hk`) works with or without one.
pub(crate) fn parse_base_url(field: &str, text: &str, allow_http: bool) -> Result<Url, Error> {
    let refuse = |reason: &str| {
        Error::config(field, format!("must be an https:// or http:// URL without query; {reason}"))
    };
    let mut url = Url::parse(text).map_err(|e| refuse(&e.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refuse(&format!("its scheme is {}", Excerpt(url.scheme()))));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it has a query or a fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it has a user name or a password"));
    }
    remove_final_dot(&mut url).map_err(refuse)?;
    check_host(&url).map_err(refuse)?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() == "http" && PLATFORM_HOSTS.contains(&host) {
        return Err(refuse("the platform accepts https only"));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        let reason = format!(
            "must begin with https://: {} is not this machine, and http:// would show it every request in clear text",
            Excerpt(host)
        );
        return Err(Error::config(field, reason).advise("use https://; `allow_http` permits http://"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// A host as the URL parser writes it: lower case, an international name in Punycode, IPv6 in brackets.
pub(crate) fn parse_host(text: &str) -> Option<String> {
    let host = match text.parse::<Ipv6Addr>() {
        Ok(address) => Host::Ipv6(address),
        Err(_) => Host::parse(text).ok()?,
    };
    let name = host.to_string();
    let name = name.strip_suffix('.').unwrap_or(&name);
    // A wildcard would never match.
    let usable = !name.is_empty() && !name.contains('*') && !name.split('.').any(str::is_empty);
    (usable || matches!(host, Host::Ipv6(_))).then(|| name.to_owned())
}

/// `host.` is `host` (RFC 1034 section 3.1). Without its dot, it cannot pass as another host.
pub(crate) fn remove_final_dot(url: &mut Url) -> Result<(), &'static str> {
    let Some(host) = url.host_str().and_then(|host| host.strip_suffix('.')) else { return Ok(()) };
    let host = host.to_owned();
    match host.is_empty() || host.ends_with('.') || url.set_host(Some(&host)).is_err() {
        true => Err("its host ends with two dots"),
        false => Ok(()),
    }
}

/// Whether the host is this machine, by its address or by the name `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_written_as_the_url_parser_writes_it() {
        for (given, written) in [
            ("Gateway.Example.COM", "gateway.example.com"),
            ("gateway.example.com.", "gateway.example.com"),
            // RFC 3492 section 7.1 and the IDNA examples of Unicode: a Punycode name is the same host.
            ("例子.com", "xn--fsqu00a.com"),
            ("xn--fsqu00a.com", "xn--fsqu00a.com"),
            ("例子。com", "xn--fsqu00a.com"),
            ("ＧＡＴＥ.example", "gate.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("0xc0.0.2.1", "192.0.2.1"),
            ("2001:DB8::1", "[2001:db8::1]"),
            ("[2001:db8:0::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(parse_host(given).as_deref(), Some(written), "{given}");
        }
        for wrong in [
            "",
            ".",
            "a..b",
            "a..",
            "*",
            "*.example.com",
            "a.example:443",
            "https://a.example",
            "a.example/",
            "a b",
            "u@a.example",
            "[::1",
            "1.2.3.4.5",
        ] {
            assert_eq!(parse_host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_spare_url_keeps_its_path() {
        let url = |text: &str| Url::parse(text).unwrap();
        let spare = |base: &str, spare: &str, asked: &str, length: usize| {
            let hosts = Hosts::new(&url(base), Vec::new(), Some(url(spare)), false);
            hosts.on_spare(&url(asked), length).map(|(url, length)| (url.to_string(), length))
        };
        let found = |text: &str, length: usize| Some((text.to_owned(), length));
        let (a, b) = ("https://a.example/", "https://b.example/");
        assert_eq!(spare(a, b, "https://a.example/v3/x?q=1", 1), found("https://b.example/v3/x?q=1", 1));
        let gateway = "https://b.example/wechat/";
        assert_eq!(
            spare(a, gateway, "https://a.example/v3/x?q=1", 1),
            found("https://b.example/wechat/v3/x?q=1", 8)
        );
        let hk = "https://a.example/hk/";
        assert_eq!(spare(hk, b, "https://a.example/hk/v3/x", 4), found("https://b.example/v3/x", 1));
        assert_eq!(
            spare(hk, gateway, "https://a.example/hk/v3/%2Fx", 4),
            found("https://b.example/wechat/v3/%2Fx", 8)
        );
        assert_eq!(
            spare(hk, "https://b.example/hk/", "https://a.example/hk/v3/x", 4),
            found("https://b.example/hk/v3/x", 4)
        );
        // Not below the base URL: the spare host is not known to have it.
        assert_eq!(spare(hk, b, "https://a.example/v3/x", 1), None);
        assert_eq!(spare(a, b, "https://a.example:8443/v3/x", 1), None);
        // The documented one has the base URL's path.
        let hosts = Hosts::new(&url("https://api.mch.weixin.qq.com/hk/"), Vec::new(), None, false);
        let on_spare = hosts.on_spare(&url("https://api.mch.weixin.qq.com/hk/v3/x"), 4);
        assert_eq!(on_spare, Some((url("https://api2.mch.weixin.qq.com/hk/v3/x"), 4)));
    }
}
