//! Hosts that the URL parser accepts, but no request can be sent to.

use url::{Host, Url};

/// The longest name and the longest part of one (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;
const MAX_PART: usize = 63;

/// # Errors
/// The reason, if the host is not a DNS name (of letters, digits, `-` and `_`) or an address. The URL parser allows any
/// character that it does not need itself (`a"b`), and the HTTP library and TLS refuse it only when they send.
pub(crate) fn check_host(url: &Url) -> Result<(), &'static str> {
    let name = match url.host() {
        Some(Host::Domain(name)) => name,
        Some(_) => return Ok(()),
        None => return Err("it has no host"),
    };
    let parts = name.strip_suffix('.').unwrap_or(name);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !parts.split('.').all(|part| part.bytes().all(allowed)) {
        return Err("its host has a character that is not allowed in a host name");
    }
    if parts.len() > MAX_NAME || !parts.split('.').all(|part| (1..=MAX_PART).contains(&part.len())) {
        return Err("its host has an empty or a too long part");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        let long = format!("https://{}.com/", "a".repeat(64));
        let longer = format!("https://{}com/", "abcdefgh.".repeat(28));
        for (url, fine) in [
            ("https://api.mch.weixin.qq.com/", true),
            ("https://api.mch.weixin.qq.com./", true),
            ("https://例子.com/", true),
            ("https://a_b.example:8443/", true),
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost/", true),
            ("https://a\"b/", false),
            ("https://a{b/", false),
            ("https://a..b/", false),
            ("https://.a/", false),
            ("https://a,b/", false),
            (&long, false),
            (&longer, false),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(check_host(&parsed).is_ok(), fine, "{url}");
        }
    }
}
