//! The results of the checks: text on a terminal, one JSON object per line in a pipe or a file.

use std::io::{self, IsTerminal as _};

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::text::Message;

pub(super) struct Report {
    output: Output,
    form: Form,
    /// The exit code of the first check that failed.
    first_failure: Option<u8>,
}

enum Form {
    Text,
    Json,
    /// Printed at the end: a file appears only once it is complete.
    File(Vec<Value>),
}

impl Report {
    pub(super) fn new(output: Output) -> Report {
        let form = match () {
            () if output.is_file() => Form::File(Vec::new()),
            () if io::stdout().is_terminal() => Form::Text,
            () => Form::Json,
        };
        Report { output, form, first_failure: None }
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

    fn print(&mut self, check: &str, status: &str, found: &str, fix: Option<&str>) -> Result<(), Failure> {
        let (found, fix) = (Message(found).to_string(), fix.map(|fix| Message(fix).to_string()));
        let json = || {
            let mut line = json!({"check": check, "status": status, "found": found});
            if let Some(fix) = &fix {
                line["todo"] = json!(fix);
            }
            line
        };
        match &mut self.form {
            Form::File(lines) => lines.push(json()),
            Form::Json => return self.output.json(&json()),
            Form::Text => {
                let fix = fix.map_or_else(String::new, |fix| format!("\n{:30}→ {fix}", ""));
                return output::line(&format!("{status:8} {check:20} {found}{fix}"));
            }
        }
        Ok(())
    }

    /// Ends the command with the exit code of the first check that failed.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if let Form::File(lines) = &self.form {
            self.output.lines(lines)?;
        }
        match self.first_failure {
            Some(code) => Err(Failure::Reported(code)),
            None => Ok(()),
        }
    }
}
