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
    pub(crate) mod test_server;
    pub(crate) mod tools;

    pub(crate) use self::{keys::*, recorder::*, sandbox::*, test_server::*, tools::*};
}

// `wxpay batch`.
mod batch;
// Verbs, bodies, output, exit codes.
mod calls;
// Saved notifications that were changed on their way.
mod changed_messages;
// Credentials and profiles, help, manual pages, completions, `wxpay sandbox`.
mod config;
// `wxpay doctor`: settings, certificates, and each fault told once.
mod doctor;
// Each command line of the documents and of the help.
mod docs;
// Keys and control characters that are given to the program.
mod guard;
// Uploads, bills, downloads, certificates.
mod files;
// Wrong keys of the platform: what the errors and the doctor say.
mod key_faults;
// Saved notifications, signatures, `wxpay doctor`.
mod messages;
// Base URLs with http://.
mod hosts;
// `--dry-run` and `--curl`.
mod preview;
// Files that are no files, pipes, byte order marks.
mod special_files;
// Output on a terminal.
#[cfg(target_os = "linux")]
mod terminal;
// Sensitive query parameters, and odd JSON.
mod values;
