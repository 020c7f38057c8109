//! The hosts that may receive an `Authorization` header, and the spare host.

use url::Url;

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
];

/// The hosts that may receive an `Authorization`.
pub(crate) struct Hosts {
    allowed: Vec<String>,
    base: url::Origin,
    spare: Option<Url>,
}

impl Hosts {
    /// The platform's own host has its documented spare host; any other has the configured one, or none.
    pub(crate) fn new(base: &Url, allowed: Vec<String>, spare: Option<Url>) -> Hosts {
        let documented =
            || (base.host_str() == Some(PLATFORM_HOST)).then(|| Url::parse(SPARE_URL).ok()).flatten();
        Hosts { allowed, base: base.origin(), spare: spare.or_else(documented) }
    }

    /// `url` on the spare host, if it is on the base URL's host.
    pub(crate) fn on_spare(&self, url: &Url) -> Option<Url> {
        let spare = self.spare.as_ref().filter(|_| url.origin() == self.base)?;
        let mut on_spare = spare.clone();
        on_spare.set_path(url.path());
        on_spare.set_query(url.query());
        Some(on_spare)
    }

    /// Whether a request to `url` may carry an `Authorization`: it has the base URL's origin, or is an allowed host
    /// over https.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        let known = |host: &str| {
            PLATFORM_HOSTS.contains(&host)
                || self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
        };
        url.origin() == self.base
            || self.spare.as_ref().is_some_and(|spare| spare.origin() == url.origin())
            || (url.scheme() == "https"
                && url.port_or_known_default() == Some(443)
                && url.host_str().is_some_and(known))
    }
}

/// A base URL. Its path gets a slash at the end, so that a prefix (`…/hk`) works with or without one.
pub(crate) fn parse_base_url(field: &str, text: &str) -> Result<Url, Error> {
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
    if url.scheme() == "http" && url.host_str().is_some_and(|host| PLATFORM_HOSTS.contains(&host)) {
        return Err(refuse("the platform accepts https only"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it has a user name or a password"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}
