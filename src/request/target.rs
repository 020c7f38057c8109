//! The URL of a request, and whether its host may receive a signature.

use http::Method;
use url::Url;

use super::draft::{Body, Draft};
use crate::error::{Error, Excerpt, PathError, shown_template};
use crate::path;
use crate::transport::{Hosts, check_host, remove_final_dot};

/// The URL of a request, as the URL parser wrote it. The same text is signed *and* sent, so the two cannot differ.
pub(super) struct RequestTarget {
    pub(super) url: Url,
    /// The length of the base URL's path: the table of unsigned paths compares paths without it.
    pub(super) base_path_length: usize,
    /// Whether the host may receive a signature.
    pub(super) authorize: bool,
}

impl Draft {
    pub(super) fn target(&self, base: &Url, hosts: &Hosts) -> Result<RequestTarget, Error> {
        let expanded = path::expand(&self.template, &self.vars)?;
        if expanded.contains('#') {
            let reason = "a `#` would cut off the rest of it".to_owned();
            return Err(PathError::Url { url: shown_template(&self.template).into_owned(), reason }.into());
        }
        if path::is_absolute(&expanded) {
            return self.absolute_url(base, hosts, &expanded);
        }
        let (path, literal) = expanded.split_once('?').unwrap_or((&expanded, ""));
        // The base URL is parsed once, at construction, and its host may receive a signature.
        let mut url = base.clone();
        match base.path() {
            "/" => url.set_path(path),
            prefix => url.set_path(&[prefix, path].concat()),
        }
        match (literal, self.query.text.as_str()) {
            ("", "") => {}
            ("", one) | (one, "") => url.set_query(Some(one)),
            (one, other) => url.set_query(Some(&[one, "&", other].concat())),
        }
        check_length(&url, &self.template)?;
        Ok(RequestTarget { url, base_path_length: base.path().len(), authorize: true })
    }

    /// An absolute URL in the chain (of a download, for example). Its host may be a third party's.
    fn absolute_url(&self, base: &Url, hosts: &Hosts, text: &str) -> Result<RequestTarget, Error> {
        let refuse =
            |reason: String| Error::from(PathError::Url { url: shown_template(text).into_owned(), reason });
        let mut url = Url::parse(text).map_err(|e| refuse(e.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it has a user name or a password".to_owned()));
        }
        remove_final_dot(&mut url).map_err(|reason| refuse(reason.to_owned()))?;
        check_host(&url).map_err(|reason| refuse(reason.to_owned()))?;
        if !self.query.text.is_empty() {
            let query = url.query().filter(|q| !q.is_empty()).map(|q| [q, "&", &self.query.text].concat());
            url.set_query(Some(query.as_ref().unwrap_or(&self.query.text)));
        }
        check_length(&url, &self.template)?;
        if !hosts.accepts_scheme(&url) {
            return Err(PathError::InsecureHost { url: shown_template(text).into_owned() }.into());
        }
        let authorize = hosts.trusts(&url);
        if !authorize && let Some(found) = self.more_than_a_bare_get() {
            let url = shown_template(text).into_owned();
            return Err(PathError::UntrustedHost { url, found }.into());
        }
        let below_base = url.origin() == base.origin() && url.path().starts_with(base.path());
        let base_path_length = if below_base { base.path().len() } else { 1 };
        Ok(RequestTarget { url, base_path_length, authorize })
    }
}

impl Draft {
    /// The first thing of this request that a foreign host must not get.
    fn more_than_a_bare_get(&self) -> Option<String> {
        if self.method != Method::GET {
            return Some(format!("the method {}", self.method));
        }
        if !matches!(self.body, Body::None) {
            return Some("a body".to_owned());
        }
        if let Some(name) = self.headers.keys().next() {
            return Some(format!("the header {}", Excerpt(name.as_str())));
        }
        (!self.encrypt.is_empty()).then(|| "encrypted fields".to_owned())
    }
}

/// The longest URL that the HTTP library accepts, in bytes.
const MAX_URL_LENGTH: usize = 65_534;

pub(super) fn check_length(url: &Url, template: &str) -> Result<(), Error> {
    match url.as_str().len() {
        ..=MAX_URL_LENGTH => Ok(()),
        length => {
            let reason = format!("it is too long with its values: {length} bytes (limit {MAX_URL_LENGTH})");
            let url = shown_template(template).chars().take(200).collect();
            Err(PathError::Url { url, reason }.into())
        }
    }
}
