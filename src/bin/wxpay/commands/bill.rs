//! `wxpay bill`.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::Session;
use crate::download;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::output::Output;

/// Download a bill and check its digest
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay bill 2026-11-20\n  \
    wxpay bill 2026-11-20 --type fundflow -o fundflow.csv --gzip")]
pub(crate) struct BillArgs {
    /// The day, in the form 2026-11-20
    #[arg(value_name = "DATE", value_parser = day)]
    date: String,
    /// The kind of bill
    #[arg(long = "type", value_name = "TYPE", default_value = "tradebill")]
    kind: BillType,
    /// Write the bill to this file, which appears only once it is complete [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Transfer the bill compressed; the output is not compressed
    #[arg(long)]
    gzip: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum BillType {
    /// The orders and refunds of the day
    Tradebill,
    /// The money that entered or left the account
    Fundflow,
}

pub(crate) fn run(global: &GlobalArgs, args: &BillArgs) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let path = match args.kind {
        BillType::Tradebill => "v3/bill/tradebill",
        BillType::Fundflow => "v3/bill/fundflowbill",
    };
    let request = session.wx.bill(path).date(&args.date);
    let request = if args.gzip { request.gzip() } else { request };
    if let Some(file) = &args.output {
        let saved = download::run(request.save_to(file))?;
        return Output::new(global).json(&download::to_json(&saved));
    }
    // By way of a temporary file, so that nothing is printed before the digest is checked.
    let failed = |e: io::Error| usage_error(format!("cannot use a temporary file: {e}"));
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("bill");
    download::run(request.save_to(&file))?;
    let mut file = File::open(&file).map_err(failed)?;
    io::copy(&mut file, &mut io::stdout().lock())?;
    Ok(())
}

/// Checked here as well as by the platform, to save a request.
fn day(text: &str) -> Result<String, String> {
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => Ok(text.to_owned()),
        _ => Err("expected a day such as 2026-11-20".to_owned()),
    }
}
