//! The program `wxpay`, run as a user runs it.
#![cfg(unix)]

// The program, its environment, and its output.
mod program;
#[path = "../support/recorder.rs"]
mod support;

// `wxpay batch`.
mod batch;
// Verbs, bodies, output, exit codes.
mod calls;
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
