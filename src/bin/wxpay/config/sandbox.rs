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
