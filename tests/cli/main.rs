//! The program `wxpay`, run as a user runs it.
#![cfg(unix)]

// The program, its environment, and its output.
mod program;
// Helpers that other test programs use, too.
#[path = "../support"]
mod support {
    pub(crate) mod apiv2;
    pub(crate) mod keys;
    pub(crate) mod mutual_tls;
    #[expect(dead_code, reason = "the program's tests sign nothing with it")]
    pub(crate) mod openssl;
    #[expect(dead_code, reason = "the program's tests look at less of a request than the client's")]
    pub(crate) mod recorder;
    pub(crate) mod sandbox;
    pub(crate) mod test_server;
    pub(crate) mod tools;

    pub(crate) use self::{
        apiv2::*, keys::*, mutual_tls::*, openssl::*, recorder::*, sandbox::*, test_server::*, tools::*,
    };
}

// The program's own tables, with which its documents are compared.
#[path = "../../src/bin/wxpay"]
#[allow(dead_code, reason = "the tests read less of them than the program")]
mod tables {
    #[path = "exit/table.rs"]
    pub(crate) mod exit_codes;
    pub(crate) mod variables;
}

// Whole outputs, as snapshots in the source; first, for its macro.
#[macro_use]
mod snapshots;
// `wxpay batch`.
mod batch;
// APIv2: calls, messages, `wxpay doctor`.
mod apiv2;
// Verbs, bodies, output, exit codes.
mod calls;
// Saved notifications that were changed on their way.
mod changed_messages;
// Credentials and profiles, `wxpay sandbox`.
mod config;
// `wxpay doctor`: settings, certificates, and each fault told once.
mod doctor;
// Each command line of the documents and of the help.
mod docs;
// `--check`, and hints about paths.
mod check;
// `wxpay endpoints`.
mod endpoints;
// Exit codes of a single call.
mod exit_codes;
// `wxpay endpoints export`.
mod export;
// Where output goes, and its layout.
mod output;
// Keys and control characters that are given to the program.
mod guard;
// Uploads, bills, downloads, certificates.
mod files;
// Wrong keys of the platform: what the errors and the doctor say.
mod key_faults;
// Saved notifications, signatures, `wxpay doctor`.
mod messages;
// Help, manual pages, and the form of errors.
mod help;
// The scripts of `wxpay completions`.
mod completions;
// The same, with the Tab key of real shells.
mod tab_key;
// Base URLs with http://.
mod hosts;
// `--dry-run` and `--curl`.
mod preview;
// Variables and exit codes: the help, the documents, the sandbox.
mod agreement;
// `wxpay config`.
mod profiles;
// Files that are no files, pipes, byte order marks.
mod special_files;
// The spellings of other tools.
mod shell;
// One source for all settings: stray variables, options that contradict each other.
mod sources;
// Bills, uploads and downloads: stdin, stdout, digests, signals.
mod streams;
// Output on a terminal.
#[cfg(target_os = "linux")]
mod terminal;
// `wxpay trigger`.
mod trigger;
// `-v` and `-vv`.
mod verbose;
// Sensitive query parameters, and odd JSON.
mod values;
