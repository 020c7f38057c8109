//! The GETs whose successful responses the platform does not sign. The client has its own table.

use crate::sandbox::http::{path_template, request::IncomingRequest};

const UNSIGNED: [&str; 4] =
    ["v3/billdownload/file", "v3/transferdownload/elecvoucherfile", "v3/transferdownload/signfile", OPEN];

/// On another host; needs no `Authorization`.
const OPEN: &str = "v3/new-tax-control-fapiao/download";

/// Followed by a media id, which can contain slashes.
const IMAGES: [&str; 2] = ["v3/merchant-service/images/", "v3/global/merchant-service/images/"];

/// The signature covers the digest in [`STATEMENT_SHA1`] instead of the large file.
const STATEMENTS: [&str; 2] = ["v3/statements", "v3/global/statements"];

pub(crate) const STATEMENT_SHA1: &str = "Wechatpay-Statement-Sha1";

/// Whether a successful response to this request is unsigned.
pub(crate) fn is_unsigned(request: &IncomingRequest) -> bool {
    let path = path(&request.target);
    let image = IMAGES.iter().find_map(|images| path.strip_prefix(images));
    request.method == "GET" && (UNSIGNED.contains(&path.as_str()) || image.is_some_and(is_media_id))
}

/// `upload` and what follows it is no id, nor is a path that leads elsewhere.
fn is_media_id(id: &str) -> bool {
    let mut first = None;
    for part in id.split(&['/', '\\'][..]) {
        match part {
            "" => {}
            "." | ".." => return false,
            part => _ = first.get_or_insert(part),
        }
    }
    first.is_some_and(|part| part != "upload")
}

/// Whether the request may omit `Authorization`.
pub(crate) fn needs_no_authorization(request: &IncomingRequest) -> bool {
    request.method == "GET" && path(&request.target) == OPEN
}

pub(crate) fn is_statement(request: &IncomingRequest) -> bool {
    request.method == "GET" && STATEMENTS.contains(&path(&request.target).as_str())
}

/// Whether a client without any key of the platform must be able to verify the response.
pub(crate) fn is_certificate_list(request: &IncomingRequest) -> bool {
    request.method == "GET" && path(&request.target) == "v3/certificates"
}

/// In lower case and without the path of the base URL, for comparison.
fn path(target: &str) -> String {
    let lower = target.to_ascii_lowercase();
    let segments = path_template::decode_segments(&lower).unwrap_or_default();
    path_template::strip_base_path(&segments).join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> IncomingRequest {
        IncomingRequest {
            method: http::Method::GET,
            target: target.into(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
        }
    }

    #[test]
    fn unsigned_paths() {
        for target in [
            "/v3/billdownload/file?token=x",
            "/V3/BillDownload/File",
            "/hk/v3/billdownload/file",
            "/v3/merchant-service/images/a%2Fb%3D",
            "/v3/global/merchant-service/images/abc",
            "/v3/merchant-service/images/ChsyMDAw/AbCd+EF==",
            "/hk/v3/merchant-service/images/a/b/c",
            "/v3/merchant-service/images/a//b/upload?x=1",
            "/v3/merchant-service/images/uploaded",
            "/v3/transferdownload/signfile",
        ] {
            assert!(is_unsigned(&get(target)), "{target}");
        }
        for target in [
            "/v3/billdownload/files",
            "/v3/billdownload",
            "/v3/merchant-service/images/upload",
            "/v3/merchant-service/images/Upload",
            "/v3/merchant-service/images//upload/a",
            "/v3/merchant-service/images/%75pload",
            "/v3/merchant-service/images/a/%2E%2e/pay",
            "/v3/merchant-service/images/..%2fpay",
            "/v3/merchant-service/images/",
            "/v3/merchant-service/images/%2F",
            "/x?y=/v3/billdownload/file",
            "/a/b/c/v3/billdownload/file",
        ] {
            assert!(!is_unsigned(&get(target)), "{target}");
        }
        assert!(is_statement(&get("/hk/v3/statements?date=1")));
        assert!(is_certificate_list(&get("/hk/v3/certificates")));
        assert!(!is_certificate_list(&get("/v3/certificates/x")));
    }
}
