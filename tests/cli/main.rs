//! The program `wxpay`, run as a user runs it.
#![cfg(unix)]

// The program, its environment, and its output.
mod program;
// Helpers that other test programs use, too.
#[path = "../support"]
mod support {
    pub(crate) mod keys;
    #[expect(dead_code, reason = "the program's tests look at less of a request than the client's")]
    pub(crate) mod recorder;
    pub(crate) mod sandbox;
    pub(crate) mod tools;

    pub(crate) use self::{keys::*, recorder::*, sandbox::*, tools::*};
}

// `wxpay batch`.
mod batch;
// Verbs, bodies, output, exit codes.
mod calls;
// Saved notifications that were changed on their way.
mod changed_messages;
// Credentials and profiles, help, manual pages, completions, `wxpay sandbox`.
mod config;
// Each command line of the documents and of the help.
mod docs;
// Uploads, bills, downloads, certificates.
mod files;
// Saved notifications, signatures, `wxpay doctor`.
mod messages;
// `--dry-run` and `--curl`.
mod preview;
// Output on a terminal.
#[cfg(target_os = "linux")]
mod terminal;
