//! Saved notifications of APIv2: XML, whose signature is one of its fields.

use wechatpay_chain::notification::Notification;
use wechatpay_chain::{Error, VerifyReason};

use super::SavedMessage;
use crate::config::{SettingsSource, variables};
use crate::failure::Failure;
use crate::global::GlobalArgs;

impl SavedMessage {
    /// Verifies a message of APIv2 with the APIv2 key, and opens what is encrypted in it.
    pub(crate) fn open_apiv2(&self, global: &GlobalArgs) -> Result<Notification, Failure> {
        let source = SettingsSource::find_valid(global)?;
        let wx = source.client(global, |builder| builder)?;
        wx.notification_v2(&self.body).map_err(|error| {
            let hint = hint(&error).map(|hint| source.in_its_names(&hint));
            match hint {
                Some(hint) => Failure::Library { error, hint: Some(hint) },
                None => error.into(),
            }
        })
    }
}

fn hint(error: &Error) -> Option<String> {
    let key = variables::APIV2_KEY;
    Some(match error {
        Error::Verify(failed) => match failed.reason {
            VerifyReason::BadSign { .. } => format!(
                "check that the body is byte for byte as received, and that `{key}` is the key of its merchant"
            ),
            _ => "use the body byte for byte as received: every message of APIv2 but the result of a refund has a `sign`"
                .to_owned(),
        },
        Error::Decrypt(_) => format!(
            "set the key of the time when it was sent: `{key}` for `req_info`, `{}` for `event_ciphertext`",
            variables::APIV3_KEY
        ),
        _ => return None,
    })
}
