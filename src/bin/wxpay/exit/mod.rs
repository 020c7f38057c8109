//! The exit codes, in one table.

use std::fmt::Write as _;
use std::sync::Arc;

use wechatpay_chain::Error;

pub(crate) const SUCCESS: u8 = 0;
pub(crate) const USAGE: u8 = 1;
pub(crate) const REFUSED: u8 = 2;
pub(crate) const TRANSPORT: u8 = 3;
pub(crate) const VERIFICATION: u8 = 4;
pub(crate) const UNKNOWN: u8 = 5;
/// 128 + SIGINT, as shells report it.
pub(crate) const INTERRUPTED: u8 = 130;
/// 128 + SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

struct Row {
    code: u8,
    /// The `error` member of `--json-errors`.
    kind: &'static str,
    /// For `wxpay --help`.
    meaning: &'static str,
    /// For `wxpay batch --help`.
    batch: &'static str,
}

const TABLE: [Row; 8] = [
    Row { code: SUCCESS, kind: "", meaning: "success", batch: "every call succeeded" },
    Row {
        code: USAGE,
        kind: "usage",
        meaning: "invalid argument, configuration, key or file",
        batch: "invalid argument, input line or journal; nothing was sent",
    },
    Row {
        code: REFUSED,
        kind: "refused",
        meaning: "the platform refused the request",
        batch: "the platform refused some calls",
    },
    Row {
        code: TRANSPORT,
        kind: "transport",
        meaning: "no connection, a timeout or a broken response",
        batch: "some calls were not carried out: use --resume; or the journal could not be written",
    },
    Row {
        code: VERIFICATION,
        kind: "verification",
        meaning: "the response could not be authenticated or decrypted",
        batch: "some responses were not the platform's: query these calls",
    },
    Row {
        code: UNKNOWN,
        kind: "unknown",
        meaning: "",
        batch: "the outcome of some calls is unknown, all others are done: query these calls",
    },
    Row {
        code: INTERRUPTED,
        kind: "usage",
        meaning: "interrupted by Ctrl-C",
        batch: "interrupted by Ctrl-C before every call was sent",
    },
    Row {
        code: TERMINATED,
        kind: "usage",
        meaning: "",
        batch: "terminated by SIGTERM before every call was sent",
    },
];

/// The exit code for an error of the library.
pub(crate) fn code_of(error: &Error) -> u8 {
    match error {
        Error::Config(_) | Error::Path(_) | Error::Key(_) => USAGE,
        Error::Api(_) => REFUSED,
        Error::PlatformKeys(keys) if keys.is_permanent() => USAGE,
        // Nothing was sent, and later it may be: unless the download's response was not the platform's.
        Error::PlatformKeys(keys) => match download_error(keys) {
            Some(Error::Verify(_)) => VERIFICATION,
            _ => TRANSPORT,
        },
        Error::Transport(_) => TRANSPORT,
        Error::File(_) | Error::ResponseTooLarge(_) => USAGE,
        Error::Verify(_) | Error::Decrypt(_) | Error::Decode(_) => VERIFICATION,
        // The enum is non-exhaustive: a new kind means that the call failed.
        _ => TRANSPORT,
    }
}

fn download_error(error: &dyn std::error::Error) -> Option<&Error> {
    error.source()?.downcast_ref::<Arc<Error>>().map(|error| &**error)
}

/// The `error` member of `--json-errors`.
pub(crate) fn kind_of(code: u8) -> &'static str {
    TABLE.iter().find(|row| row.code == code).map_or("usage", |row| row.kind)
}

/// The section of `wxpay --help`.
pub(crate) fn help() -> String {
    section(|row| row.meaning)
}

/// The section of `wxpay batch --help`.
pub(crate) fn batch_help() -> String {
    section(|row| row.batch)
}

fn section(meaning: impl Fn(&Row) -> &'static str) -> String {
    let mut text = "Exit codes:".to_owned();
    for row in TABLE.iter().filter(|row| !meaning(row).is_empty()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {:<4} {}", row.code, meaning(row));
    }
    text
}
