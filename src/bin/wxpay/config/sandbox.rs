//! The sandbox of `--sandbox`: started for one command, its merchant's credentials as variables.

use std::path::PathBuf;

use wechatpay_chain::sandbox::Sandbox;

use super::variables;
use crate::failure::Failure;

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
