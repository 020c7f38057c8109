//! Which successful GETs the platform does not sign. This sandbox's own table, apart from the client's.

use super::{check::Arrived, template};

const UNSIGNED: [&str; 4] =
    ["v3/billdownload/file", "v3/transferdownload/elecvoucherfile", "v3/transferdownload/signfile", OPEN];

/// Lives on another host, and wants no `Authorization`.
const OPEN: &str = "v3/new-tax-control-fapiao/download";

/// What follows is a media id, which may hold slashes; `upload` is no id.
const IMAGES: [&str; 2] = ["v3/merchant-service/images/", "v3/global/merchant-service/images/"];

/// Their signature is over the digest in [`STATEMENT_SHA1`], because the file itself is too large for that.
const STATEMENTS: [&str; 2] = ["v3/statements", "v3/global/statements"];

pub(super) const STATEMENT_SHA1: &str = "Wechatpay-Statement-Sha1";

/// Whether a success of this request goes out without a signature.
pub(super) fn is_unsigned(request: &Arrived) -> bool {
    let path = path(&request.target);
    let image = IMAGES.iter().find_map(|images| path.strip_prefix(images));
    request.method == "GET"
        && (UNSIGNED.contains(&path.as_str()) || image.is_some_and(|id| !id.is_empty() && id != "upload"))
}

/// Whether the request may come without `Authorization`.
pub(super) fn is_open(request: &Arrived) -> bool {
    request.method == "GET" && path(&request.target) == OPEN
}

pub(super) fn is_statement(request: &Arrived) -> bool {
    request.method == "GET" && STATEMENTS.contains(&path(&request.target).as_str())
}

/// In lower case and without a base's prefix, for comparing.
fn path(target: &str) -> String {
    let lower = target.to_ascii_lowercase();
    let segments = template::segments(&lower).unwrap_or_default();
    template::without_prefix(&segments).join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Arrived {
        Arrived {
            method: http::Method::GET,
            target: target.into(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
        }
    }

    #[test]
    fn the_table() {
        for target in [
            "/v3/billdownload/file?token=x",
            "/V3/BillDownload/File",
            "/hk/v3/billdownload/file",
            "/v3/merchant-service/images/a%2Fb%3D",
            "/v3/global/merchant-service/images/abc",
            "/v3/transferdownload/signfile",
        ] {
            assert!(is_unsigned(&get(target)), "{target}");
        }
        for target in [
            "/v3/billdownload/files",
            "/v3/billdownload",
            "/v3/merchant-service/images/upload",
            "/v3/merchant-service/images/",
            "/x?y=/v3/billdownload/file",
            "/a/b/c/v3/billdownload/file",
        ] {
            assert!(!is_unsigned(&get(target)), "{target}");
        }
        assert!(is_statement(&get("/hk/v3/statements?date=1")));
    }
}
