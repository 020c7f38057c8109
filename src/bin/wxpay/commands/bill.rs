//! `wxpay bill`.

use std::fs::File;
use std::io;

use crate::cli::{Bill, Global, Kind};
use crate::config;
use crate::download::{fetch, summary};
use crate::exit::{Failure, usage};
use crate::output::Output;

pub(crate) fn run(global: &Global, bill: &Bill) -> Result<(), Failure> {
    let session = config::open(global)?;
    let path = match bill.kind {
        Kind::Tradebill => "v3/bill/tradebill",
        Kind::Fundflow => "v3/bill/fundflowbill",
    };
    let request = session.wx.bill(path).date(&bill.date);
    let request = if bill.gzip { request.gzip() } else { request };
    if let Some(file) = &bill.output {
        let saved = fetch(request.save_to(file))?;
        return Output::new(global.color).json(&summary(&saved));
    }
    // Through a file: nothing is printed before all of it is checked.
    let held = |e: io::Error| usage(format!("the bill cannot be kept in a temporary file: {e}"));
    let folder = tempfile::tempdir().map_err(held)?;
    let file = folder.path().join("bill");
    fetch(request.save_to(&file))?;
    let mut file = File::open(&file).map_err(held)?;
    io::copy(&mut file, &mut io::stdout().lock())?;
    Ok(())
}
