//! Exit codes: the table, and the code for an error of the library.

mod table;

use wechatpay_chain::Error;

pub(crate) use table::{HINTS, REFUSED, Row, SUCCESS, TABLE, TRANSPORT, UNKNOWN, USAGE, VERIFICATION};

use crate::outcome::{Outcome, is_platforms_word, platform_keys_cause};

/// The exit code for an error of a request that may be repeated: a GET, or one that changes nothing.
pub(crate) fn code_of(error: &Error) -> u8 {
    match (Outcome::of_error(error), error) {
        (_, Error::Config(_) | Error::Path(_) | Error::Key(_) | Error::File(_)) => USAGE,
        // A GET would meet the limit again.
        (_, Error::ResponseTooLarge(_)) => USAGE,
        (_, Error::PlatformKeys(keys)) if keys.is_permanent() => USAGE,
        // Nothing was sent, and later it may be: unless the download's response was not the platform's.
        (_, Error::PlatformKeys(keys)) => match platform_keys_cause(keys) {
            Some(Error::Verify(_)) => VERIFICATION,
            _ => TRANSPORT,
        },
        // 401: certainly not carried out. It is the platform's word only if it says so.
        (Outcome::Unsent, Error::Api(api)) => match is_platforms_word(api) {
            true => REFUSED,
            false => VERIFICATION,
        },
        // A genuine response that cannot be read.
        (Outcome::Ok, _) => VERIFICATION,
        (_, Error::Decrypt(_)) => VERIFICATION,
        (Outcome::Refused, _) => REFUSED,
        (Outcome::Unverified, _) => VERIFICATION,
        (Outcome::Limited | Outcome::Unsent | Outcome::Unknown, _) => TRANSPORT,
    }
}

/// The exit code for an error of a request that may have changed something.
pub(crate) fn code_of_write(error: &Error) -> u8 {
    match Outcome::of_error(error) {
        Outcome::Unknown if !matches!(error, Error::Decrypt(_)) => UNKNOWN,
        _ => code_of(error),
    }
}

/// The exit code after a signal, from its number.
pub(crate) fn after_signal(number: u8) -> u8 {
    128 + number
}

/// The `error` member of `--json-errors`.
pub(crate) fn kind_of(code: u8) -> &'static str {
    TABLE.iter().find(|row| row.code == code).map_or("usage", |row| row.kind)
}
