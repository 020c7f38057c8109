//! The error type of the sandbox's public API.

use std::{fmt, io, net::SocketAddr, path::PathBuf};

use super::error_response::ErrorResponse;
use crate::error::{Excerpt, Message};

/// An error of building, starting, scripting or controlling a sandbox.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A setting of the builder is invalid.
    #[error("sandbox setting `{name}`: {}", Message(problem))]
    Setting {
        /// The builder's method.
        name: &'static str,
        /// The expected and the actual value.
        problem: String,
    },
    /// A file of the keys folder is missing, unreadable, or has the wrong content.
    #[error("sandbox key file {}: {}", Excerpt(&path.to_string_lossy()), Message(problem))]
    KeyFile {
        /// The file, or the folder if it could not be created.
        path: PathBuf,
        /// The expected and the actual value.
        problem: String,
        /// The operating system's error, if there was one.
        source: Option<io::Error>,
    },
    /// The state file cannot be used: it cannot be opened or written, is not a database, belongs to another program or
    /// version, or is in use by another sandbox.
    #[error("sandbox state file {}: {}", Excerpt(&path.to_string_lossy()), Message(problem))]
    StateFile {
        /// The file.
        path: PathBuf,
        /// The problem with the file.
        problem: String,
    },
    /// The resource does not exist, or its state does not allow the action: see
    /// [`Sandbox::pay`](crate::sandbox::Sandbox::pay) and the related methods. Also what the state file refuses while it is
    /// in use, with the codes `SYSTEM_ERROR` and `SANDBOX_FULL`; a start can fail with it, too.
    #[error("sandbox {}: {code} {}", Message(what), Message(message))]
    State {
        /// The resource, such as ``order `P12345` ``.
        what: String,
        /// The error code that a request would get, such as `ORDER_CLOSED`.
        code: String,
        /// The message of that error.
        message: String,
    },
    /// A notification cannot be sent again: see [`Sandbox::send_again`](crate::sandbox::Sandbox::send_again).
    #[error("sandbox notification {}: {}", Excerpt(id), Message(problem))]
    Notification {
        /// Its id.
        id: String,
        /// Why not.
        problem: String,
    },
    /// A key, a certificate or another random value could not be generated.
    #[error("the sandbox could not generate its {what}")]
    Generate {
        /// The value that could not be generated.
        what: &'static str,
    },
    /// The server could not listen, or its thread could not be started.
    #[error("the sandbox server could not start")]
    Server(#[source] io::Error),
    /// The sandbox cannot listen on the [`host`](crate::sandbox::SandboxBuilder::host) and the
    /// [`port`](crate::sandbox::SandboxBuilder::port) of the builder.
    #[error("the sandbox cannot listen on port {} of {}", address.port(), address.ip())]
    Port {
        /// The configured host and port.
        address: SocketAddr,
        /// The operating system's error; usually the port is in use.
        source: io::Error,
    },
    /// A script file cannot be read, or one of its lines is invalid.
    #[error("sandbox script {}{}: {}", Excerpt(&path.to_string_lossy()), line.map_or_else(String::new, |line| format!(", line {line}")), Message(problem))]
    ScriptFile {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; `None` if the error concerns the whole file.
        line: Option<usize>,
        /// The expected and the actual value.
        problem: String,
        /// The operating system's error, if there was one.
        source: Option<io::Error>,
    },
    /// A fault or a fault rule is invalid.
    #[error("sandbox fault {}: {}", Excerpt(rule), Message(problem))]
    Fault {
        /// The rule as text.
        rule: String,
        /// The expected and the actual value.
        problem: String,
    },
    /// A scripted route can match no request, or HTTP cannot carry its response.
    #[error("sandbox script {}: {}", Excerpt(route), Message(problem))]
    Script {
        /// The verb and the template.
        route: String,
        /// The expected and the actual value.
        problem: String,
    },
    /// No document has this event, or it cannot be made: see [`Sandbox::trigger`](crate::sandbox::Sandbox::trigger).
    #[error("sandbox event {}: {}", Excerpt(event), Message(problem))]
    Event {
        /// The name that was given.
        event: String,
        /// What is wrong with it, or with an override.
        problem: String,
    },
}

impl SandboxError {
    /// What became of an action or of the state, as a request would be told.
    pub(crate) fn state(what: impl Into<String>, error: ErrorResponse) -> SandboxError {
        SandboxError::State { what: what.into(), code: error.code.into(), message: error.message }
    }
}

/// The name of the variant and the message: the fields are the caller's text.
impl fmt::Debug for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            SandboxError::Setting { .. } => "Setting",
            SandboxError::KeyFile { .. } => "KeyFile",
            SandboxError::StateFile { .. } => "StateFile",
            SandboxError::State { .. } => "State",
            SandboxError::Notification { .. } => "Notification",
            SandboxError::Generate { .. } => "Generate",
            SandboxError::Server(_) => "Server",
            SandboxError::Port { .. } => "Port",
            SandboxError::ScriptFile { .. } => "ScriptFile",
            SandboxError::Fault { .. } => "Fault",
            SandboxError::Script { .. } => "Script",
            SandboxError::Event { .. } => "Event",
        };
        f.debug_tuple(name).field(&Message(&self.to_string())).finish()
    }
}
