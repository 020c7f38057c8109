//! Downloads with a progress bar. An interrupted download leaves no file.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use wechatpay_chain::{Download, Saved};

use crate::exit;
use crate::failure::{Failure, usage_error};

/// Runs a download. Ctrl-C cancels it and removes the partial file.
pub(crate) fn run(download: Download) -> Result<Saved, Failure> {
    let bar = progress_bar();
    let shown = bar.clone();
    let download = download.progress(move |received, total| {
        if let Some(total) = total {
            shown.set_length(total);
        }
        shown.set_position(received);
    });
    let failed = |e| usage_error(format!("cannot start the download: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let saved = runtime.block_on(async {
        tokio::select! {
            saved = download.send() => saved.map_err(Failure::from),
            _ = tokio::signal::ctrl_c() => Err(Failure::Reported(exit::INTERRUPTED)),
        }
    });
    bar.finish_and_clear();
    saved
}

/// The output for a saved file.
pub(crate) fn to_json(saved: &Saved) -> Value {
    let path = saved.path.as_ref().map(|path| path.display().to_string());
    json!({"path": path, "bytes": saved.bytes, "sha1": saved.sha1, "verified": saved.verified})
}

/// Drawn on stderr, on a terminal only.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    // The template is valid; if it were not, the default style would do.
    match ProgressStyle::with_template("{bytes} of {total_bytes} {bar:30} {bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A spinner for work of unknown length, shown until it is dropped.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    pub(crate) fn new(message: &str) -> Spinner {
        let bar = ProgressBar::new_spinner().with_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Spinner(bar)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
