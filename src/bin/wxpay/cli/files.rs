//! Files that go up and come down.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Upload a file; its meta is what is signed
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay upload licence.jpg v3/merchant/media/upload\n  \
    wxpay upload licence.jpg v3/merchant/media/upload --name front.jpg")]
pub(crate) struct Upload {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The endpoint's path
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// The whole meta part, for an endpoint that wants more than filename and sha256: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) meta: Option<String>,
    /// Another filename than the file's own
    #[arg(long, value_name = "FILENAME")]
    pub(crate) name: Option<String>,
    /// Pass the answer through a jq filter
    #[arg(long, value_name = "FILTER")]
    pub(crate) jq: Option<String>,
}

/// Download a bill; its digest is checked
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay bill 2026-11-20\n  \
    wxpay bill 2026-11-20 --type fundflow -o fundflow.csv --gzip")]
pub(crate) struct Bill {
    /// The day, as 2026-11-20
    #[arg(value_name = "DATE", value_parser = day)]
    pub(crate) date: String,
    /// Which bill
    #[arg(long = "type", value_name = "TYPE", default_value = "tradebill")]
    pub(crate) kind: Kind,
    /// Where it goes, instead of stdout; the file appears once it is whole
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Have it sent compressed; what is written is not
    #[arg(long)]
    pub(crate) gzip: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// The orders and refunds of the day
    Tradebill,
    /// What went in and out of the account
    Fundflow,
}

/// Download the platform's certificates: verified, and decrypted with the APIv3 key
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay certs\n  \
    wxpay certs -o certificates")]
pub(crate) struct Certs {
    /// Write each into this folder, as SERIAL.pem
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// The platform would say so, too, but only after a call.
fn day(text: &str) -> Result<String, String> {
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => Ok(text.to_owned()),
        _ => Err("expected a day as 2026-11-20".to_owned()),
    }
}
