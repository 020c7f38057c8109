//! Configuration: the merchant's credentials and the client that is built from them.

mod profile;
pub(crate) mod sandbox;
mod source;

use wechatpay_chain::{WeChatPay, WeChatPayBuilder};

pub(crate) use crate::variables;
pub(crate) use source::SettingsSource;

use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;

/// A client, and the source that it depends on: with `--sandbox`, the running sandbox.
pub(crate) struct Session {
    pub(crate) wx: WeChatPay,
    _source: SettingsSource,
}

impl Session {
    /// For a command that sends requests.
    pub(crate) fn open(global: &GlobalArgs) -> Result<Session, Failure> {
        reject_base_url_with_sandbox(global)?;
        Session::open_with(global, |builder| builder)
    }

    /// With more settings than the source has, and without the check of [`Session::open`].
    pub(crate) fn open_with(
        global: &GlobalArgs,
        configure: impl FnOnce(WeChatPayBuilder) -> WeChatPayBuilder,
    ) -> Result<Session, Failure> {
        let source = SettingsSource::find(global)?;
        let wx = source.client(global, configure)?;
        Ok(Session { wx, _source: source })
    }
}

/// The sandbox's merchant exists nowhere else, so its requests cannot go to another host.
pub(crate) fn reject_base_url_with_sandbox(global: &GlobalArgs) -> Result<(), Failure> {
    match global.sandbox && global.base_url.is_some() {
        true => Err(usage_error(
            "--sandbox and --base-url are mutually exclusive, except with --dry-run or --curl",
        )),
        false => Ok(()),
    }
}
