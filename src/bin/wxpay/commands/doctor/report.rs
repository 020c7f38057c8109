//! The results of the checks: text on a terminal, one JSON object per line in a pipe.

use std::io::{self, IsTerminal as _};

use serde_json::json;

use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::output::{self, Output};
use crate::text::Message;

pub(super) struct Report {
    /// `None` on a terminal.
    json: Option<Output>,
    /// The exit code of the first check that failed.
    first_failure: Option<u8>,
}

impl Report {
    pub(super) fn new(global: &GlobalArgs) -> Report {
        let json = (!io::stdout().is_terminal()).then(|| Output::new(global));
        Report { json, first_failure: None }
    }

    pub(super) fn ok(&mut self, check: &str, found: &str) -> Result<(), Failure> {
        self.print(check, "ok", found, None)
    }

    pub(super) fn skipped(&mut self, check: &str, found: &str) -> Result<(), Failure> {
        self.print(check, "skipped", found, None)
    }

    /// A problem that does not change the exit code.
    pub(super) fn warned(&mut self, check: &str, found: &str, fix: &str) -> Result<(), Failure> {
        self.print(check, "warning", found, Some(fix))
    }

    pub(super) fn failed(&mut self, check: &str, code: u8, found: &str, fix: &str) -> Result<(), Failure> {
        self.first_failure.get_or_insert(code);
        self.print(check, "failed", found, Some(fix))
    }

    fn print(&self, check: &str, status: &str, found: &str, fix: Option<&str>) -> Result<(), Failure> {
        let (found, fix) = (Message(found).to_string(), fix.map(|fix| Message(fix).to_string()));
        match &self.json {
            Some(output) => {
                let mut line = json!({"check": check, "status": status, "found": found});
                if let Some(fix) = fix {
                    line["todo"] = json!(fix);
                }
                output.json(&line)
            }
            None => {
                let fix = fix.map_or_else(String::new, |fix| format!("\n{:30}→ {fix}", ""));
                output::line(&format!("{status:8} {check:20} {found}{fix}"))
            }
        }
    }

    /// Ends the command with the exit code of the first check that failed.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.first_failure {
            Some(code) => Err(Failure::Reported(code)),
            None => Ok(()),
        }
    }
}
