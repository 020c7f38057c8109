//! The headers with which a client authenticates. No record, text or page shows their values.

use http::{HeaderMap, HeaderName, header};

const NAMES: [HeaderName; 3] = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

pub(crate) fn is_secret(name: &HeaderName) -> bool {
    NAMES.contains(name)
}

/// The same headers; `Debug` does not show the values of the secret ones.
pub(crate) fn marked(mut headers: HeaderMap) -> HeaderMap {
    headers.iter_mut().filter(|(name, _)| is_secret(name)).for_each(|(_, value)| value.set_sensitive(true));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret_value() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::AUTHORIZATION, "secret-1"),
            (header::AUTHORIZATION, "secret-2"),
            (header::COOKIE, "secret-3"),
            (header::COOKIE, "secret-4"),
            (header::PROXY_AUTHORIZATION, "secret-5"),
            (header::ACCEPT, "application/json"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        let text = format!("{:?}", marked(headers));
        assert!(!text.contains("secret") && text.contains("application/json"), "{text}");
    }
}
