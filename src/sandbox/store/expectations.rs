//! The requests that a test expects, counted as they come: the log itself is bounded, and can be cleared.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::Method;

use super::seen_request::SeenRequest;
use crate::sandbox::http::path_template::{self, PathTemplate};

pub(crate) const MAX_EXPECTATIONS: usize = 1_000;

/// A number of accepted requests for a route.
pub(crate) struct Expectation {
    pub(crate) method: Method,
    pub(crate) template: PathTemplate,
    /// The template as the test wrote it.
    pub(crate) text: String,
    pub(crate) times: u64,
    pub(crate) came: u64,
}

#[derive(Default)]
pub(crate) struct Expectations(Mutex<Vec<Expectation>>);

impl Expectations {
    fn lock(&self) -> MutexGuard<'_, Vec<Expectation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` if there are too many: each request is compared with all.
    pub(crate) fn add(&self, expectation: Expectation) -> bool {
        let mut all = self.lock();
        let room = all.len() < MAX_EXPECTATIONS;
        if room {
            all.push(expectation);
        }
        room
    }

    /// Counts a request for each route that it matches.
    pub(super) fn count(&self, request: &SeenRequest) {
        let mut all = self.lock();
        if all.is_empty() || !request.passed {
            return;
        }
        let Some(path) = path_template::decode_segments(&request.target) else { return };
        for expectation in all.iter_mut().filter(|one| one.method.as_str() == request.method) {
            expectation.came += u64::from(expectation.template.matches_below_base(&path).is_some());
        }
    }

    /// Those whose number of requests is another one, each as a line of text.
    pub(crate) fn unmet(&self) -> Vec<String> {
        self.lock().iter().filter(|one| one.came != one.times).map(ToString::to_string).collect()
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expectation { method, text, times, came, .. } = self;
        write!(f, "expected {times} accepted requests `{method} {text}`, {came} came")
    }
}
