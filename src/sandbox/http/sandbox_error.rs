use std::{io, path::PathBuf};

/// Why a sandbox could not be built, started or scripted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A setting of the builder cannot be used.
    #[error("sandbox setting `{name}`: {problem}")]
    Setting {
        /// The builder's method.
        name: &'static str,
        /// What was expected, and what came.
        problem: String,
    },
    /// A file of the keys folder is missing, unreadable, or not what its name promises.
    #[error("sandbox key file {}: {problem}", path.display())]
    KeyFile {
        /// The file (or the folder, when that could not be made).
        path: PathBuf,
        /// What was expected, and what came.
        problem: String,
        /// The operating system's own error, where there was one.
        source: Option<io::Error>,
    },
    /// The state file cannot be used: it is not to be opened or written, no database, another program's, of another
    /// version, or in use by another sandbox.
    #[error("sandbox state file {}: {problem}", path.display())]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What the payer, or the platform by itself, was to do cannot be done: see [`Sandbox::pay`](super::Sandbox::pay)
    /// and its sisters.
    #[error("sandbox {what}: {code} {message}")]
    State {
        /// What it was to be done to, such as ``order `P12345` ``.
        what: String,
        /// What a request would be refused with, such as `ORDER_CLOSED`.
        code: String,
        /// The text beside the code.
        message: String,
    },
    /// A fresh key or certificate could not be made.
    #[error("the sandbox could not make its {what}")]
    Generate {
        /// Which key or certificate.
        what: &'static str,
    },
    /// The server could not listen, or its thread could not be started.
    #[error("the sandbox's server could not start")]
    Server(#[source] io::Error),
    /// The port of the builder's [`port`](super::SandboxBuilder::port) cannot be listened on.
    #[error("the sandbox cannot listen on port {port} of 127.0.0.1")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// The operating system's own error: in use, most often.
        source: io::Error,
    },
    /// A file of scripted answers cannot be read, or a line of it cannot be used.
    #[error("sandbox script {}{}: {problem}", path.display(), line.map_or_else(String::new, |line| format!(", line {line}")))]
    ScriptFile {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; none when it is about the whole file.
        line: Option<usize>,
        /// What was expected, and what came.
        problem: String,
        /// The operating system's own error, where there was one.
        source: Option<io::Error>,
    },
    /// A fault or a rule that can hit nothing.
    #[error("sandbox fault `{rule}`: {problem}")]
    Fault {
        /// The rule as text.
        rule: String,
        /// What was expected, and what came.
        problem: String,
    },
    /// A scripted route or answer that no request could be matched with, or that HTTP cannot carry.
    #[error("sandbox script `{route}`: {problem}")]
    Script {
        /// The verb and the template.
        route: String,
        /// What was expected, and what came.
        problem: String,
    },
}
