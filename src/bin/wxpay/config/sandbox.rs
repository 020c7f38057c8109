//! The embedded sandbox: for `--sandbox`, and on its own.

use std::path::PathBuf;

use wechatpay_chain::sandbox::Sandbox;

use crate::commands::sandbox::server;
use crate::exit::{Failure, usage};

/// The folder that keeps the keys of `--sandbox` from one command to the next.
const KEYS: &str = "WECHATPAY_SANDBOX_KEYS";

/// A sandbox for one command.
pub(crate) fn start() -> Result<Sandbox, Failure> {
    let builder = match keys() {
        Some(folder) => Sandbox::builder().keys(folder),
        None => Sandbox::builder(),
    };
    Ok(builder.start()?)
}

fn keys() -> Option<PathBuf> {
    std::env::var_os(KEYS).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// What makes a client this sandbox's merchant.
pub(crate) fn variables(sandbox: &Sandbox) -> [(&'static str, String); 9] {
    [
        ("WECHATPAY_MCHID", sandbox.mchid().to_owned()),
        ("WECHATPAY_SERIAL", sandbox.serial().to_owned()),
        ("WECHATPAY_PRIVATE_KEY", one_line(sandbox.merchant_key_pem())),
        ("WECHATPAY_PUBLIC_KEY_ID", sandbox.platform_public_key_id().to_owned()),
        ("WECHATPAY_PUBLIC_KEY", one_line(sandbox.platform_public_key_pem())),
        ("WECHATPAY_PLATFORM_SERIAL", sandbox.platform_certificate_serial().to_owned()),
        ("WECHATPAY_PLATFORM_CERTIFICATE", one_line(sandbox.platform_certificate_pem())),
        ("WECHATPAY_APIV3_KEY", sandbox.apiv3_key().to_owned()),
        ("WECHATPAY_BASE_URL", sandbox.base_url().to_owned()),
    ]
}

/// A PEM on one line, its line feeds written out.
fn one_line(pem: &str) -> String {
    pem.trim_end().replace('\n', "\\n")
}

/// `wxpay sandbox`: tells how to reach it, and runs until it is ended.
pub(crate) fn run(mut options: server::Options) -> Result<(), Failure> {
    options.keys = options.keys.or_else(keys);
    server::run(&options)
        .map_err(|error| usage(format!("the sandbox does not start: {}", server::whole(&*error))))
}
