//! How a command ends: what went wrong, how it is told, and the exit code.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use wechatpay_chain::Error;
use wechatpay_chain::sandbox::SandboxError;

/// The documented exit codes.
pub(crate) const USAGE: u8 = 1;
pub(crate) const REFUSED: u8 = 2;
pub(crate) const TRANSPORT: u8 = 3;
pub(crate) const VERIFICATION: u8 = 4;
/// As a shell says of a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command did not do what it was asked to.
pub(crate) enum Failure {
    /// An argument, the configuration or a file.
    Usage(String),
    /// What the SDK says.
    Sdk(Error),
    /// Told already; only the code is left.
    Told(u8),
    /// Whoever read the output has gone: nothing is left to do, and nobody to tell.
    Closed,
}

pub(crate) fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}

/// The exit code of an error of the SDK's.
pub(crate) fn code(error: &Error) -> u8 {
    match error {
        Error::Config(_) | Error::Path(_) | Error::Key(_) => USAGE,
        Error::Api(_) => REFUSED,
        Error::Transport(_) => TRANSPORT,
        Error::Verify(_) | Error::Decrypt(_) | Error::Decode(_) => VERIFICATION,
        // A kind that is not known here is none that was told apart: the call did not do.
        _ => TRANSPORT,
    }
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => USAGE,
            Failure::Sdk(error) => code(error),
            Failure::Told(code) => *code,
            Failure::Closed => 0,
        }
    }

    /// Tells what went wrong, on stderr, and gives the exit code.
    pub(crate) fn tell(self, as_json: bool) -> ExitCode {
        let code = self.code();
        let text = match (&self, as_json) {
            (Failure::Told(_) | Failure::Closed, _) => None,
            (_, true) => Some(self.as_json().to_string()),
            (_, false) => Some(format!("wxpay: {self}")),
        };
        if let Some(text) = text {
            // Nowhere to say it, if this fails.
            let _ = writeln!(io::stderr(), "{text}");
        }
        ExitCode::from(code)
    }

    fn as_json(&self) -> Value {
        let mut object = Map::new();
        let mut set = |name: &str, value: Value| match value {
            Value::Null => {}
            value => drop(object.insert(name.to_owned(), value)),
        };
        let kind = match self.code() {
            REFUSED => "refused",
            TRANSPORT => "transport",
            VERIFICATION => "verification",
            _ => "usage",
        };
        set("error", json!(kind));
        if let Failure::Sdk(error) = self {
            set("status", json!(error.status()));
            set("code", json!(error.code()));
            set("request_id", json!(error.request_id()));
            match error {
                Error::Api(api) => {
                    set("detail", api.detail.clone());
                    set("verified", json!(api.verified));
                    set("text", json!(api.message));
                }
                Error::Transport(transport) => set("maybe_sent", json!(transport.maybe_sent())),
                _ => {}
            }
        }
        set("message", json!(self.to_string()));
        Value::Object(object)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) => f.write_str(text),
            Failure::Sdk(error) => f.write_str(&describe(error)),
            Failure::Told(_) | Failure::Closed => Ok(()),
        }
    }
}

/// An error with what its own text leaves out.
pub(crate) fn describe(error: &Error) -> String {
    match error {
        Error::Api(api) if !api.detail.is_null() => format!("{error}\n  detail: {}", api.detail),
        Error::Key(key) => match &key.source {
            Some(source) => format!("{error} ({source})"),
            None => error.to_string(),
        },
        _ => error.to_string(),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Sdk(error)
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let mut text = format!("the sandbox does not start: {error}");
        if let Some(source) = std::error::Error::source(&error) {
            text = format!("{text}: {source}");
        }
        Failure::Usage(text)
    }
}

/// Of writing to stdout, which is all that is written without a file's name.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => usage(format!("the output cannot be written: {error}")),
        }
    }
}
