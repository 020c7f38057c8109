//! Why a command failed: the message, its JSON form, and the exit code.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use wechatpay_chain::Error;
use wechatpay_chain::sandbox::SandboxError;

use crate::exit;
use crate::text::{Message, escaped_json, lines};

/// Why a command failed.
pub(crate) enum Failure {
    /// An invalid argument, configuration or file.
    Usage(String),
    /// An error of the library, and how to fix it where the program knows.
    Library { error: Error, hint: Option<String> },
    /// The message is already printed; only the exit code is left.
    Reported(u8),
    /// The reader of stdout closed the pipe: end quietly.
    OutputClosed,
}

/// A [`Failure::Usage`].
pub(crate) fn usage_error(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => exit::USAGE,
            Failure::Library { error, .. } => exit::code_of(error),
            Failure::Reported(code) => *code,
            Failure::OutputClosed => exit::SUCCESS,
        }
    }

    /// Prints the error to stderr, and gives the exit code.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        let code = self.code();
        let text = match (&self, as_json) {
            (Failure::Reported(_) | Failure::OutputClosed, _) => None,
            (_, true) => Some(escaped_json(&self.as_json())),
            (_, false) => Some(format!("wxpay: {}", Message(&self.to_string()))),
        };
        if let Some(text) = text {
            // A closed stderr changes nothing about the exit code.
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
        set("error", json!(exit::kind_of(self.code())));
        let Failure::Library { error, .. } = self else {
            set("message", json!(lines(&self.to_string())));
            return Value::Object(object);
        };
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
        set("message", json!(Message(&describe(error)).to_string()));
        Value::Object(object)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) => f.write_str(text),
            Failure::Library { error, hint: None } => f.write_str(&describe(error)),
            Failure::Library { error, hint: Some(hint) } => write!(f, "{hint}: {}", describe(error)),
            Failure::Reported(_) | Failure::OutputClosed => Ok(()),
        }
    }
}

/// The message of an error, with the detail and the causes that its `Display` leaves out, where they say more, and with
/// options of the program for setters.
pub(crate) fn describe(error: &Error) -> String {
    let mut text = match error {
        Error::Path(_) => {
            with_options(&error.to_string(), |name| format!("--var {name}=VALUE"), "-q NAME=VALUE")
        }
        // The library's word for it; without a file, the program prints.
        Error::Config(config) if config.field() == "save_to" => {
            error.to_string().replace(": use `save_to_writer`", ": leave out the option to print the content")
        }
        Error::Api(api) if !api.detail.is_null() => format!("{error}, detail: {}", api.detail),
        _ => error.to_string(),
    };
    let mut innermost = None;
    let mut cause = StdError::source(error);
    while let Some(inner) = cause {
        match library_error(inner) {
            Some(own) => text = format!("{text}: {own}"),
            // Of the causes in other libraries, the last one is specific.
            None => innermost = Some(inner),
        }
        cause = inner.source();
    }
    match innermost {
        Some(cause) if says_more(cause, &text) => format!("{text} ({cause})"),
        _ => text,
    }
}

fn library_error<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e Error> {
    cause.downcast_ref::<Error>().or_else(|| cause.downcast_ref::<Arc<Error>>().map(|error| &**error))
}

/// Whether a cause is not in the message already, in the library's words.
fn says_more(cause: &(dyn StdError + 'static), message: &str) -> bool {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        StorageFull, TimedOut, UnexpectedEof,
    };
    if let Some(e) = cause.downcast_ref::<io::Error>() {
        let known = matches!(
            e.kind(),
            ConnectionRefused
                | ConnectionReset
                | IsADirectory
                | NotADirectory
                | NotFound
                | PermissionDenied
                | StorageFull
                | TimedOut
                | UnexpectedEof
        );
        if known {
            return false;
        }
    }
    let text = cause.to_string();
    text != "connection closed before message completed" && !message.contains(&text)
}

/// [`describe`] for a call of a batch, whose line has fields.
pub(crate) fn describe_in_batch(error: &Error) -> String {
    match error {
        Error::Path(_) => {
            let field = |name: &str| format!("\"vars\": {{\"{name}\": …}}");
            with_options(&error.to_string(), field, "\"query\": {…}")
        }
        _ => describe(error),
    }
}

/// `.var("name", …)` and `.query(…)` in the words of the program.
fn with_options(message: &str, var: impl Fn(&str) -> String, query: &str) -> String {
    const SETTER: &str = ".var(\"";
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(SETTER) {
        text.push_str(before);
        match after.split_once("\", …)") {
            Some((name, after)) => {
                text.push_str(&var(name));
                rest = after;
            }
            None => {
                text.push_str(SETTER);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text.replace(".query(…)", query)
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
            text = format!("{text}: {source}");
        }
        Failure::Usage(text)
    }
}

/// From writing to stdout. Errors of named files are worded where they occur.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => usage_error(format!("cannot write to stdout: {error}")),
        }
    }
}
