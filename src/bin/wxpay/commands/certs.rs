//! `wxpay certs`.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};
use wechatpay_chain::PlatformCertificate;

use crate::complete_file::is_standard_stream;
use crate::config::{self, Session};
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::output::{self, Output};
use crate::text::{ShownPath, creation_text};

/// Download the platform certificates, verified and decrypted with the APIv3 key
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay certs\n  \
    wxpay certs -o certificates")]
pub(crate) struct CertsArgs {
    /// Write each certificate to this folder as SERIAL.pem; - for stdout: the certificates only
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &CertsArgs) -> Result<(), Failure> {
    config::reject_base_url_with_sandbox(global)?;
    let folder = args.output.as_deref().filter(|folder| !is_standard_stream(folder));
    if let Some(folder) = folder {
        let failed = |e| {
            usage_error(format!("-o: cannot create the folder {}: {}", ShownPath(folder), creation_text(&e)))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // Also works without a platform key: the APIv3 key authenticates the first download.
    let session = Session::open_with(global, |builder| builder.automatic_certificates())?;
    session.announce()?;
    let certificates = session.wx.platform_certificates().wait()?;
    if args.output.is_some() && folder.is_none() {
        return certificates.iter().try_for_each(|certificate| output::line(certificate.pem.trim_end()));
    }
    let mut list = Vec::with_capacity(certificates.len());
    for certificate in certificates {
        list.push(match folder {
            None => to_json(&certificate, "pem", certificate.pem.clone()),
            Some(folder) => to_json(&certificate, "path", write(folder, &certificate)?),
        });
    }
    Output::new(global).json(&Value::Array(list))
}

/// A serial is hexadecimal, so it is safe in a file name.
fn write(folder: &Path, certificate: &PlatformCertificate) -> Result<String, Failure> {
    let path = folder.join(format!("{}.pem", certificate.serial));
    let shown = path.display().to_string();
    let failed = |e| usage_error(format!("-o: cannot write {}: {}", ShownPath(&path), creation_text(&e)));
    std::fs::write(&path, &certificate.pem).map_err(failed)?;
    Ok(shown)
}

fn to_json(certificate: &PlatformCertificate, name: &str, value: String) -> Value {
    let time = |seconds| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    json!({
        "serial": certificate.serial,
        "not_before": time(certificate.not_before),
        "not_after": time(certificate.not_after),
        name: value,
    })
}
