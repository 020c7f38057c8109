//! Configuration: the merchant's credentials and the client that is built from them.

pub(crate) mod profile;
pub(crate) mod public_key_id;
pub(crate) mod sandbox;
mod source;
mod stray;
mod unsigned;

use serde_json::Value;
use wechatpay_chain::{WeChatPay, WeChatPayBuilder};

pub(crate) use crate::variables;
pub(crate) use source::{InvalidSetting, SettingsSource};

use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::verbose;

/// A client, and the source that it depends on: with `--sandbox`, the running sandbox.
pub(crate) struct Session {
    pub(crate) wx: WeChatPay,
    source: SettingsSource,
}

/// The base URL of a client.
pub(crate) fn base_url(wx: &WeChatPay) -> Result<String, Failure> {
    // A text of APIv2 is sent as it is, so that no credentials are needed.
    let prepared = wx.chain("v2/x").post(Value::Null).body("text/xml", "").prepare()?;
    Ok(prepared.url().trim_end_matches('x').to_owned())
}

impl Session {
    /// For a command that sends requests.
    pub(crate) fn open(global: &GlobalArgs) -> Result<Session, Failure> {
        reject_base_url_with_sandbox(global)?;
        let session = Session::open_with(global, |builder| builder)?;
        session.announce()?;
        Ok(session)
    }

    /// For a command that sends nothing and compares requests with the documents: it needs no credentials.
    pub(crate) fn for_check(global: &GlobalArgs) -> Result<Session, Failure> {
        let source = SettingsSource::without_credentials(global)?;
        let wx = source.client(global, |builder| builder.signer(unsigned::Nobody))?;
        Ok(Session { wx, source })
    }

    /// With `-v`: which host is called for which merchant.
    pub(crate) fn announce(&self) -> Result<(), Failure> {
        if verbose::is_on() {
            let base_url = base_url(&self.wx)?;
            let host = base_url.split_once("://").map_or(&*base_url, |(_, host)| host).trim_end_matches('/');
            verbose::note(&format!("calling {host} as {} ({})", self.wx.mchid(), self.source.name));
        }
        Ok(())
    }

    /// With more settings than the source has, and without the check of [`Session::open`].
    pub(crate) fn open_with(
        global: &GlobalArgs,
        configure: impl FnOnce(WeChatPayBuilder) -> WeChatPayBuilder,
    ) -> Result<Session, Failure> {
        let source = SettingsSource::find_valid(global)?;
        let wx = source.client(global, configure)?;
        Ok(Session { wx, source })
    }
}

/// The sandbox's merchant exists nowhere else, so its requests cannot go to another host.
pub(crate) fn reject_base_url_with_sandbox(global: &GlobalArgs) -> Result<(), Failure> {
    match global.sandbox && global.base_url.is_some() {
        true => Err(usage_error("--sandbox and --base-url are mutually exclusive, except with --dry-run")),
        false => Ok(()),
    }
}
