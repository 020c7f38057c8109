//! The ID of the WeChat Pay public key: `PUB_KEY_ID_` and digits. Without the prefix, the library takes it for the serial of
//! a certificate, and no response would be verified: after a payment, too late.

use super::{SettingsSource, variables};
use crate::failure::{Failure, usage_error};
use crate::output;
use crate::text::Excerpt;

pub(crate) const PREFIX: &str = "PUB_KEY_ID_";

/// The number of an ID has 28 digits; the serial of a certificate has 40, with letters.
const MIN_DIGITS: usize = 16;

/// What an ID lacks.
pub(crate) struct WithoutPrefix {
    pub(crate) fault: String,
    pub(crate) fix: String,
    /// The whole ID, if it is clear which one was meant.
    pub(crate) whole: Option<String>,
}

/// The fault of the configured ID, in the names of its source.
pub(crate) fn fault(source: &SettingsSource) -> Option<WithoutPrefix> {
    let id = source.get(variables::PUBLIC_KEY_ID).map(str::trim)?;
    // Other texts are refused when the client is built.
    if id.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        || !id.bytes().all(|byte| byte.is_ascii_hexdigit() || b": -".contains(&byte))
    {
        return None;
    }
    let name = source.in_its_names(variables::PUBLIC_KEY_ID);
    if id.len() >= MIN_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole = format!("{PREFIX}{id}");
        return Some(WithoutPrefix {
            fault: format!("`{name}` is {}, without `{PREFIX}`", Excerpt(id)),
            fix: format!("set it to {whole}"),
            whole: Some(whole),
        });
    }
    let fix = format!(
        "copy the whole ID from pay.weixin.qq.com (账户中心, API安全); for a platform certificate, set {} and {}",
        variables::PLATFORM_SERIAL,
        variables::PLATFORM_CERTIFICATE
    );
    Some(WithoutPrefix {
        fault: format!("`{name}` does not begin with `{PREFIX}`: it is the serial of a certificate"),
        fix: source.in_its_names(&fix),
        whole: None,
    })
}

/// Refuses an ID without its prefix. A serial may be meant: it is used, with a warning.
pub(super) fn check(source: &SettingsSource) -> Result<(), Failure> {
    match fault(source) {
        None => Ok(()),
        Some(WithoutPrefix { fault, fix, whole: Some(_) }) => {
            Err(usage_error(format!("{}: {fault}", source.name)).with_hint(fix))
        }
        Some(WithoutPrefix { fault, fix, whole: None }) => {
            output::warn(&format!("{}: {fault}; {fix}", source.name));
            Ok(())
        }
    }
}
