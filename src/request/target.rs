//! Where a request goes: the URL, and whether its host may see a signature.

use http::Method;
use url::Url;

use super::Request;
use crate::error::{Error, PathError};
use crate::path;

/// The URL that goes on the wire: what the URL parser made of it is what is signed *and* sent, so the two cannot
/// differ.
pub(super) struct Target {
    pub(super) url: Url,
    /// How much of the path is the base URL's: the table of unsigned paths knows paths without it.
    pub(super) prefix: usize,
    /// Whether the host may see a signature.
    pub(super) authorize: bool,
}

impl Request {
    pub(super) fn target(&self, base: &Url) -> Result<Target, Error> {
        let expanded = path::expand(&self.template, &self.vars)?;
        if expanded.contains('#') {
            let reason = "a `#` would cut off what stands behind it".to_owned();
            return Err(PathError::Url { url: self.template.to_string(), reason }.into());
        }
        if path::is_absolute(&expanded) {
            return self.whole_url(base, &expanded);
        }
        let (path, literal) = expanded.split_once('?').unwrap_or((&expanded, ""));
        // The base URL is parsed once, at construction, and its host is one that may see a signature.
        let mut url = base.clone();
        match base.path() {
            "/" => url.set_path(path),
            prefix => url.set_path(&[prefix, path].concat()),
        }
        match (literal, self.query.as_str()) {
            ("", "") => {}
            ("", one) | (one, "") => url.set_query(Some(one)),
            (one, other) => url.set_query(Some(&[one, "&", other].concat())),
        }
        check_length(&url, &self.template)?;
        Ok(Target { url, prefix: base.path().len(), authorize: true })
    }

    /// A whole URL in the chain (a download's, say), whose host may be anybody's.
    fn whole_url(&self, base: &Url, text: &str) -> Result<Target, Error> {
        let refuse = |reason: String| {
            // Without the query, which may hold a token, and without a user name and password.
            let url = text.split('?').next().unwrap_or_default();
            let url = match url.split_once("://").zip(url.rfind('@')) {
                Some(((scheme, _), at)) => format!("{scheme}://…{}", &url[at..]),
                None => url.to_owned(),
            };
            Error::from(PathError::Url { url, reason })
        };
        let mut url = Url::parse(text).map_err(|e| refuse(e.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it has a user name or a password".to_owned()));
        }
        if !self.query.is_empty() {
            let query = url.query().filter(|q| !q.is_empty()).map(|q| [q, "&", &self.query].concat());
            url.set_query(Some(query.as_ref().unwrap_or(&self.query)));
        }
        check_length(&url, &self.template)?;
        let authorize = self.inner.hosts.trusts(&url);
        if !authorize && url.scheme() != "https" && !is_local(&url) {
            return Err(refuse("another host is asked over https only".to_owned()));
        }
        if !authorize && self.method != Method::GET {
            return Err(refuse("only a GET is sent to a host that may not see a signature".to_owned()));
        }
        let below_base = url.origin() == base.origin() && url.path().starts_with(base.path());
        let prefix = if below_base { base.path().len() } else { 1 };
        Ok(Target { url, prefix, authorize })
    }
}

/// The longest URL that the HTTP library takes.
const LONGEST_URL: usize = 65_534;

fn check_length(url: &Url, template: &str) -> Result<(), Error> {
    match url.as_str().len() {
        ..=LONGEST_URL => Ok(()),
        length => {
            let reason = format!("it is {length} bytes long with its values; {LONGEST_URL} is the most");
            let url = template.chars().take(200).collect();
            Err(PathError::Url { url, reason }.into())
        }
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
