//! Expectations of a test: requests that must come, faults that must apply. Dropping the sandbox checks them.

use std::fmt::Write as _;

use super::sandbox::Sandbox;
use crate::sandbox::{
    http::{path_template::PathTemplate, sandbox_error::SandboxError},
    model::scripts,
    store::expectations::{Expectation, MAX_EXPECTATIONS},
};

/// The most requests that a message lists.
const LISTED: usize = 20;

impl Sandbox {
    /// Expects this number of accepted requests for a route, counted from now on; 0 if none may come.
    ///
    /// The template is that of [`on`](Sandbox::on). A request with a wrong signature, for example, does not count; a fault of the response makes no difference.
    /// [`unmet`](Sandbox::unmet) lists what is missing, and so does dropping the sandbox.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use serde_json::json;
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// sandbox.expect("POST", "v3/security/echo", 1)?;
    /// sandbox.expect("POST", "v3/refund/domestic/refunds", 0)?; // nothing may be refunded
    /// assert_eq!(sandbox.unmet().len(), 1); // the echo has not come yet
    /// wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"}))?;
    /// assert!(sandbox.unmet().is_empty());
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// An invalid method or template, or more than 1,000 expectations.
    ///
    /// # Panics
    /// Dropping the sandbox panics if an expectation is not met, so that the test fails. The message lists what is
    /// missing and the requests that came. It does not panic in a thread that panics already.
    pub fn expect(&self, method: &str, template: &str, times: u64) -> Result<(), SandboxError> {
        let invalid = |problem| SandboxError::Script { route: format!("{method} {template}"), problem };
        let added = self.platform().requests.expectations.add(Expectation {
            method: scripts::parse_method(method).map_err(invalid)?,
            template: PathTemplate::parse(template).map_err(invalid)?,
            text: template.to_owned(),
            times,
            came: 0,
        });
        if added { Ok(()) } else { Err(invalid(format!("too many expectations (limit {MAX_EXPECTATIONS})"))) }
    }

    /// Expects that every fault with an end applies: each one that [`inject`](Sandbox::inject) queues, and each rule
    /// with `nth` or `times`. A fault that never came proves nothing about the code under test.
    ///
    /// # Panics
    /// As [`expect`](Sandbox::expect).
    pub fn expect_faults(&self) {
        self.platform().faults.lock().expect_all();
    }

    /// The expectations that are not met, a line for each; empty if all are.
    pub fn unmet(&self) -> Vec<String> {
        let mut unmet = self.platform().requests.expectations.unmet();
        unmet.extend(self.platform().faults.lock().unmet());
        unmet
    }

    /// What is unmet, and the requests that came.
    fn unmet_report(&self) -> Option<String> {
        let unmet = self.unmet();
        if unmet.is_empty() {
            return None;
        }
        let requests = self.platform().requests.of_this_run();
        let mut text = format!("the sandbox's expectations are not met:\n  {}", unmet.join("\n  "));
        let _ = write!(text, "\n{} requests came", requests.len());
        if requests.len() > LISTED {
            let _ = write!(text, "; the last {LISTED}");
        }
        for request in requests.iter().skip(requests.len().saturating_sub(LISTED)) {
            let _ = write!(text, "\n  {request}");
        }
        Some(text)
    }
}

/// Checks the expectations.
impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // a second panic would hide the first
        }
        if let Some(report) = self.unmet_report() {
            #[allow(clippy::panic)] // what a test asks for: it has no other way to fail here
            {
                panic!("{report}");
            }
        }
    }
}
