//! What the doctor found: lines for people on a terminal, a JSON object a line in a pipe.

use std::io::{self, IsTerminal as _};

use serde_json::json;

use crate::cli::When;
use crate::exit::Failure;
use crate::output::{self, Output};

pub(crate) struct Report {
    /// `None`: for people.
    json: Option<Output>,
    /// The exit code of the first check that failed.
    failed: Option<u8>,
}

impl Report {
    pub(crate) fn new(color: When) -> Report {
        let json = (!io::stdout().is_terminal()).then(|| Output::new(color));
        Report { json, failed: None }
    }

    pub(crate) fn ok(&mut self, check: &str, found: &str) -> Result<(), Failure> {
        self.tell(check, "ok", found, None)
    }

    pub(crate) fn skipped(&mut self, check: &str, found: &str) -> Result<(), Failure> {
        self.tell(check, "skipped", found, None)
    }

    /// Not right, and no reason to stop.
    pub(crate) fn warned(&mut self, check: &str, found: &str, todo: &str) -> Result<(), Failure> {
        self.tell(check, "warning", found, Some(todo))
    }

    pub(crate) fn failed(&mut self, check: &str, code: u8, found: &str, todo: &str) -> Result<(), Failure> {
        self.failed.get_or_insert(code);
        self.tell(check, "failed", found, Some(todo))
    }

    fn tell(&self, check: &str, status: &str, found: &str, todo: Option<&str>) -> Result<(), Failure> {
        match &self.json {
            Some(output) => {
                let mut line = json!({"check": check, "status": status, "found": found});
                if let Some(todo) = todo {
                    line["todo"] = json!(todo);
                }
                output.json(&line)
            }
            None => {
                let todo = todo.map_or_else(String::new, |todo| format!("\n{:25}→ {todo}", ""));
                output::line(&format!("{status:8} {check:15} {found}{todo}"))
            }
        }
    }

    pub(crate) fn end(self) -> Result<(), Failure> {
        match self.failed {
            Some(code) => Err(Failure::Told(code)),
            None => Ok(()),
        }
    }
}
