//! `wxpay certs`.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use wechatpay_chain::PlatformCertificate;

use crate::cli::{Certs, Global};
use crate::config;
use crate::exit::{Failure, usage};
use crate::output::Output;

pub(crate) fn run(global: &Global, certs: &Certs) -> Result<(), Failure> {
    config::check_host(global)?;
    if let Some(folder) = &certs.output {
        let failed = |e| usage(format!("the folder `{}` cannot be made: {e}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // Who has no platform key yet gets the first ones here: the APIv3 key vouches for them.
    let session = config::open_with(global, |builder| builder.automatic_certificates())?;
    let certificates = session.wx.platform_certificates().wait()?;
    let mut list = Vec::with_capacity(certificates.len());
    for certificate in certificates {
        list.push(match &certs.output {
            None => told(&certificate, "pem", certificate.pem.clone()),
            Some(folder) => told(&certificate, "path", write(folder, &certificate)?),
        });
    }
    Output::new(global.color).json(&Value::Array(list))
}

/// The serial is upper-case hex, so it is a file's name.
fn write(folder: &Path, certificate: &PlatformCertificate) -> Result<String, Failure> {
    let path = folder.join(format!("{}.pem", certificate.serial));
    let shown = path.display().to_string();
    let failed = |e| usage(format!("`{shown}` cannot be written: {e}"));
    std::fs::write(&path, &certificate.pem).map_err(failed)?;
    Ok(shown)
}

fn told(certificate: &PlatformCertificate, name: &str, value: String) -> Value {
    let time = |seconds| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    json!({
        "serial": certificate.serial,
        "not_before": time(certificate.not_before),
        "not_after": time(certificate.not_after),
        name: value,
    })
}
