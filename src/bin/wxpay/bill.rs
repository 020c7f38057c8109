//! `wxpay bill`.

use std::fs::File;
use std::io;

use crate::args::{Bill, Global, Kind};
use crate::call::summary;
use crate::config;
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
    let bar = progress::bar();
    if let Some(file) = &bill.output {
        let saved = request.save_to(file).progress(progress::on(&bar)).wait()?;
        bar.finish_and_clear();
        return Output::new(global.color).json(&summary(&saved));
    }
    // Through a file: nothing is printed before all of it is checked.
    let held = |e: io::Error| usage(format!("the bill cannot be kept in a temporary file: {e}"));
    let folder = tempfile::tempdir().map_err(held)?;
    let file = folder.path().join("bill");
    request.save_to(&file).progress(progress::on(&bar)).wait()?;
    bar.finish_and_clear();
    let mut file = File::open(&file).map_err(held)?;
    io::copy(&mut file, &mut io::stdout().lock())?;
    Ok(())
}

/// A bar on stderr, on a terminal only.
pub(crate) mod progress {
    use indicatif::{ProgressBar, ProgressStyle};

    pub(crate) fn bar() -> ProgressBar {
        let bar = ProgressBar::no_length();
        // The template is right, and the default one would do.
        match ProgressStyle::with_template("{bytes} of {total_bytes} {bar:30} {bytes_per_sec}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// What tells the bar how far a download is.
    pub(crate) fn on(bar: &ProgressBar) -> impl FnMut(u64, Option<u64>) + Send + 'static {
        let bar = bar.clone();
        move |received, total| {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(received);
        }
    }
}
