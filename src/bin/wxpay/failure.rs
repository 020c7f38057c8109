//! Why a command failed: the message, how to fix it, its JSON form, and the exit code.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use wechatpay_chain::Error;
use wechatpay_chain::sandbox::SandboxError;

use crate::exit;
use crate::text::{Message, escaped_json, io_text, lines};
use crate::words;
pub(crate) use crate::words::{describe, describe_in_line, hint, hint_in_line};

/// Why a command failed.
pub(crate) enum Failure {
    /// An invalid argument, configuration or file.
    Usage(String),
    /// An error of the library, and how to fix it where the command knows.
    Library { error: Error, hint: Option<String> },
    /// An error of a request that may have changed something.
    Write(Error),
    /// A failure with an exit code of its own.
    Coded { code: u8, message: String },
    /// Another failure, and how to fix it.
    Hinted { failure: Box<Failure>, hint: String },
    /// The message is already printed; only the exit code is left.
    Reported(u8),
    /// The reader of stdout closed the pipe: end quietly.
    OutputClosed,
}

/// A [`Failure::Usage`].
pub(crate) fn usage_error(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// Prints a line to stderr: `error`, `warning` or `hint`, and a text.
pub(crate) fn print(kind: &str, text: &str) {
    // A closed stderr changes nothing about the exit code.
    let _ = writeln!(io::stderr(), "wxpay: {kind}: {}", Message(text));
}

impl Failure {
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Failure {
        Failure::Hinted { failure: Box::new(self), hint: hint.into() }
    }

    /// With one more line of hint, unless it has that already.
    pub(crate) fn and_hint(self, more: String) -> Failure {
        match self.hint() {
            Some(hint) if hint.contains(&more) => self,
            Some(hint) => self.with_hint(format!("{hint}\n{more}")),
            None => self.with_hint(more),
        }
    }

    /// Whether the message is already printed.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            Failure::Reported(_) => true,
            Failure::Hinted { failure, .. } => failure.is_told(),
            _ => false,
        }
    }

    /// Of printing the response to a write that succeeded.
    pub(crate) fn after_success(self) -> Failure {
        match self {
            Failure::Reported(_) | Failure::OutputClosed => self,
            failure => failure.with_hint("the platform has carried out the call: do not repeat it"),
        }
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => exit::USAGE,
            Failure::Coded { code, .. } => *code,
            Failure::Library { error, .. } => exit::code_of(error),
            Failure::Write(error) => exit::code_of_write(error),
            Failure::Hinted { failure, .. } => failure.code(),
            Failure::Reported(code) => *code,
            Failure::OutputClosed => exit::SUCCESS,
        }
    }

    /// Prints the error to stderr, and gives the exit code.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        let code = self.code();
        match (&self, as_json) {
            (Failure::Reported(_) | Failure::OutputClosed, _) => {}
            (_, true) => {
                // A closed stderr changes nothing about the exit code.
                let _ = writeln!(io::stderr(), "{}", escaped_json(&self.as_json()));
            }
            (_, false) => {
                print("error", &self.to_string());
                // A hint of several lines has several parts.
                let hint = self.hint().unwrap_or_default();
                hint.lines().for_each(|line| print("hint", line));
            }
        }
        ExitCode::from(code)
    }

    /// How to fix it, in one or more lines.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Failure::Hinted { hint, .. } | Failure::Library { hint: Some(hint), .. } => Some(hint.clone()),
            Failure::Library { error, hint: None } => words::hint(error),
            Failure::Write(_) if self.code() == exit::UNKNOWN => Some(words::UNKNOWN_WRITE.to_owned()),
            Failure::Write(error) => words::hint(error),
            Failure::Usage(_) | Failure::Coded { .. } | Failure::Reported(_) | Failure::OutputClosed => None,
        }
    }

    /// The library's error, if it is one.
    pub(crate) fn library_error(&self) -> Option<&Error> {
        match self {
            Failure::Library { error, .. } | Failure::Write(error) => Some(error),
            Failure::Hinted { failure, .. } => failure.library_error(),
            _ => None,
        }
    }

    fn as_json(&self) -> Value {
        let mut object = Map::new();
        let mut set = |name: &str, value: Value| match value {
            Value::Null => {}
            value => drop(object.insert(name.to_owned(), value)),
        };
        set("error", json!(exit::kind_of(self.code())));
        if let Some(error) = self.library_error() {
            set("status", json!(error.status()));
            set("code", json!(error.code()));
            set("request_id", json!(error.request_id()));
            match error {
                Error::Api(api) => {
                    set("detail", api.detail.clone());
                    set("verified", json!(api.verified));
                    set("text", json!(api.message));
                }
                Error::Verify(failed) => {
                    set("claimed_code", json!(failed.claimed_code));
                    set("claimed_message", json!(failed.claimed_message));
                }
                Error::Transport(transport) => set("maybe_sent", json!(transport.maybe_sent())),
                Error::File(file) => set("maybe_sent", json!(file.maybe_sent())),
                Error::ResponseTooLarge(_) => set("maybe_sent", json!(true)),
                Error::PlatformKeys(keys) => {
                    set("maybe_sent", json!(false));
                    set("permanent", json!(keys.is_permanent()));
                }
                _ => {}
            }
        }
        set("message", json!(lines(&self.to_string())));
        set("hint", json!(self.hint().map(|hint| lines(&hint))));
        Value::Object(object)
    }
}

/// The message, without the hint.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Coded { message: text, .. } => f.write_str(text),
            Failure::Library { error, .. } | Failure::Write(error) => {
                write!(f, "{}", Message(&describe(error)))
            }
            Failure::Hinted { failure, .. } => write!(f, "{failure}"),
            Failure::Reported(_) | Failure::OutputClosed => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Library { error, hint: None }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let mut text = format!("the sandbox cannot start: {error}");
        if let Some(source) = std::error::Error::source(&error) {
            let reason = source.downcast_ref::<io::Error>().map_or_else(|| source.to_string(), io_text);
            text = format!("{text}: {reason}");
        }
        Failure::Usage(text)
    }
}

/// From writing to stdout. Errors of named files are worded where they occur.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => usage_error(format!("cannot write to stdout: {}", io_text(&error))),
        }
    }
}
