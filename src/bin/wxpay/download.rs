//! Downloads with a progress bar. A download that a signal ends leaves no file.

use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use wechatpay_chain::{Download, Saved};

use crate::complete_file::is_standard_stream;
use crate::exit;
use crate::failure::{Failure, usage_error};
use crate::progress;
use crate::signals::{Received, Signals};
use crate::text::io_text;

/// What happens to the downloaded file.
pub(crate) enum Downloaded {
    /// It has its name.
    Saved(Saved),
    /// For `-`: its content, complete and checked, which [`Downloaded::print`] prints.
    Content(Saved, File),
}

/// Downloads into a file, or by way of a temporary file for `-`: nothing is printed before it is checked.
pub(crate) fn save(file: &Path, download: impl FnOnce(&Path) -> Download) -> Result<Downloaded, Failure> {
    if !is_standard_stream(file) {
        return run(download(file)).map(Downloaded::Saved);
    }
    let failed = |e: io::Error| usage_error(format!("cannot use a temporary file: {}", io_text(&e)));
    let folder = tempfile::tempdir().map_err(failed)?;
    let path = folder.path().join("content");
    let saved = run(download(&path))?;
    // Its folder goes now, so that no later signal leaves it.
    let content = File::open(&path).map_err(failed)?;
    drop(folder);
    Ok(Downloaded::Content(saved, content))
}

impl Downloaded {
    pub(crate) fn saved(&self) -> &Saved {
        match self {
            Downloaded::Saved(saved) | Downloaded::Content(saved, _) => saved,
        }
    }

    /// Prints the description of the file, or the content.
    pub(crate) fn print(
        self,
        description: impl FnOnce(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (number, _) = match self {
            Downloaded::Saved(saved) => return description(&to_json(&saved)),
            Downloaded::Content(_, mut content) => {
                let copy = move || io::copy(&mut content, &mut io::stdout()).map(drop);
                match unless_ended(async {
                    tokio::task::spawn_blocking(copy).await.unwrap_or_else(|e| Err(io::Error::other(e)))
                })? {
                    Ok(result) => return Ok(result?),
                    Err(signal) => signal,
                }
            }
        };
        Err(Failure::Reported(exit::after_signal(number)))
    }
}

/// Runs a download. A signal cancels it and removes the incomplete file.
fn run(download: Download) -> Result<Saved, Failure> {
    let bar = progress::bar("{bytes} of {total_bytes} {bar:30} {bytes_per_sec}");
    let shown = bar.clone();
    let download = download.progress(move |received, total| {
        if let Some(total) = total {
            shown.set_length(total);
        }
        shown.set_position(received);
    });
    let saved = unless_ended(download.send());
    bar.finish_and_clear();
    match saved? {
        Ok(saved) => Ok(saved?),
        Err((number, _)) => Err(Failure::Reported(exit::after_signal(number))),
    }
}

/// Runs a future, unless a signal comes first.
fn unless_ended<T>(future: impl Future<Output = T>) -> Result<Result<T, Received>, Failure> {
    let failed = |e| usage_error(format!("cannot start the download: {}", io_text(&e)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let result = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        Ok(tokio::select! {
            result = future => Ok(result),
            signal = signals.next() => Err(signal),
        })
    });
    // A write to a stdout that nobody reads must not be waited for.
    runtime.shutdown_background();
    result.map_err(failed)
}

/// The output for a saved file.
fn to_json(saved: &Saved) -> Value {
    let path = saved.path.as_ref().map(|path| path.display().to_string());
    json!({"path": path, "bytes": saved.bytes, "sha1": saved.sha1, "verified": saved.verified})
}
