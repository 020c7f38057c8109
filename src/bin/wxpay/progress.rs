//! Progress bars and spinners, drawn on stderr, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    // The templates are valid; if one were not, the default style would do.
    match ProgressStyle::with_template(template) {
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
