//! A file that comes down: with a progress bar, and nothing left behind when it is ended.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use wechatpay_chain::{Download, Saved};

use crate::exit::{self, Failure, usage};

/// Downloads. Ctrl-C ends it, and what was half there goes.
pub(crate) fn fetch(download: Download) -> Result<Saved, Failure> {
    let bar = bar();
    let shown = bar.clone();
    let download = download.progress(move |received, total| {
        if let Some(total) = total {
            shown.set_length(total);
        }
        shown.set_position(received);
    });
    let failed = |e| usage(format!("the download cannot be started: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let saved = runtime.block_on(async {
        tokio::select! {
            saved = download.send() => saved.map_err(Failure::from),
            _ = tokio::signal::ctrl_c() => Err(Failure::Told(exit::INTERRUPTED)),
        }
    });
    bar.finish_and_clear();
    saved
}

/// What is told of a file that is there, whole and checked.
pub(crate) fn summary(saved: &Saved) -> Value {
    let path = saved.path.as_ref().map(|path| path.display().to_string());
    json!({"path": path, "bytes": saved.bytes, "sha1": saved.sha1, "verified": saved.verified})
}

/// On stderr, on a terminal only.
fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    // The template is right; the default one would do, too.
    match ProgressStyle::with_template("{bytes} of {total_bytes} {bar:30} {bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// For work whose end is not known, drawn as long as this is there.
pub(crate) struct Busy(ProgressBar);

impl Busy {
    pub(crate) fn new(what: &str) -> Busy {
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        Busy(bar)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
