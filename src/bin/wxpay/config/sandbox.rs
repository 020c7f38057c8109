//! The sandbox of `--sandbox`: started for one command, its merchant's credentials as variables.

use std::path::PathBuf;

use wechatpay_chain::http::HeaderMap;
use wechatpay_chain::sandbox::Sandbox;

use super::variables;
use crate::failure::Failure;
use crate::output;

pub(super) fn start() -> Result<Sandbox, Failure> {
    let builder = match keys_folder() {
        Some(folder) => Sandbox::builder().keys(folder),
        None => Sandbox::builder(),
    };
    Ok(builder.start()?)
}

/// The folder that keeps the sandbox's keys from one command to the next, if one is set.
pub(crate) fn keys_folder() -> Option<PathBuf> {
    std::env::var_os(variables::SANDBOX_KEYS).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

pub(super) fn credentials(sandbox: &Sandbox) -> [(&'static str, String); 9] {
    [
        (variables::MCHID, sandbox.mchid().to_owned()),
        (variables::SERIAL, sandbox.serial().to_owned()),
        (variables::PRIVATE_KEY, on_one_line(sandbox.merchant_key_pem())),
        (variables::PUBLIC_KEY_ID, sandbox.platform_public_key_id().to_owned()),
        (variables::PUBLIC_KEY, on_one_line(sandbox.platform_public_key_pem())),
        (variables::PLATFORM_SERIAL, sandbox.platform_certificate_serial().to_owned()),
        (variables::PLATFORM_CERTIFICATE, on_one_line(sandbox.platform_certificate_pem())),
        (variables::APIV3_KEY, sandbox.apiv3_key().to_owned()),
        (variables::BASE_URL, sandbox.base_url().to_owned()),
    ]
}

/// Whether a response comes from a sandbox that does not model the path.
pub(crate) fn is_not_modelled(headers: &HeaderMap) -> bool {
    headers.contains_key("Sandbox-Not-Modelled")
}

/// An empty success looks like a real one.
pub(crate) fn warn_not_modelled() {
    output::warn(
        "the path is not modelled: the sandbox checks the signature only, and responds `{}` to everything",
    );
}

/// Warns if the response proves nothing.
pub(crate) fn warn_if_not_modelled(headers: &HeaderMap) {
    if is_not_modelled(headers) {
        warn_not_modelled();
    }
}

/// A PEM as a variable holds it: on one line, with `\n` for line feeds.
fn on_one_line(pem: &str) -> String {
    pem.trim_end().replace('\n', "\\n")
}
