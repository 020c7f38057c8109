//! The questions of `wxpay config init`: on a terminal, or answered line by line on stdin.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, print, usage_error};
use crate::text::{ShownPath, io_text};

pub(super) struct Questions {
    terminal: bool,
}

impl Questions {
    pub(super) fn new() -> Questions {
        Questions { terminal: io::stdin().is_terminal() }
    }

    pub(super) fn on_terminal(&self) -> bool {
        self.terminal
    }

    /// An answer; it may be empty.
    pub(super) fn ask(&self, question: &str) -> Result<String, Failure> {
        let mut out = io::stderr();
        // A closed stderr is not an error.
        let _ = write!(out, "{question}: ").and_then(|()| out.flush());
        let mut line = String::new();
        let cannot_read =
            |reason: &str| usage_error(format!("config init: no answer to `{question}`: {reason}"));
        let read = io::stdin().lock().read_line(&mut line);
        if !self.terminal {
            let _ = writeln!(out);
        }
        match read {
            Ok(0) => Err(cannot_read("stdin has ended")),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(cannot_read("the answer is not UTF-8")),
            Err(e) => Err(cannot_read(&io_text(&e))),
        }
    }

    /// An answer that is not shown while it is typed.
    pub(super) fn ask_secret(&self, question: &str) -> Result<String, Failure> {
        if !self.terminal {
            return self.ask(question);
        }
        let terminal = console::Term::stderr();
        let failed =
            |e: io::Error| usage_error(format!("config init: cannot read the answer: {}", io_text(&e)));
        terminal.write_str(&format!("{question} (not shown): ")).map_err(failed)?;
        Ok(terminal.read_secure_line().map_err(failed)?.trim().to_owned())
    }

    /// An answer for which `check` returns a value; on a terminal, the question is asked until it does.
    pub(super) fn ask_until<T>(
        &self,
        question: &str,
        ask: impl Fn(&Questions, &str) -> Result<String, Failure>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            match check(&ask(self, question)?) {
                Ok(value) => return Ok(value),
                Err(reason) if self.terminal => print("error", &reason),
                Err(reason) => return Err(usage_error(format!("config init: {question}: {reason}"))),
            }
        }
    }
}

/// The absolute path of a file that exists. A shell would expand `~`; here nobody does.
pub(super) fn existing_file(answer: &str) -> Result<PathBuf, String> {
    let answer = answer.strip_prefix("file://").unwrap_or(answer);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = match (answer.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(answer),
    };
    if answer.is_empty() {
        return Err("expected the path of a file".to_owned());
    }
    let absolute = std::path::absolute(&path).unwrap_or(path);
    match absolute.is_file() {
        true => Ok(absolute),
        false => Err(format!("{} is not a file", ShownPath(Path::new(answer)))),
    }
}
