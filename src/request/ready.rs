//! The steps before a draft can be assembled: the platform's first certificates, and the digest of an upload.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::draft::{Body, Draft};
use crate::error::Error;
use crate::runtime::background;
use crate::v3::platform::RefreshHandle;
use crate::v3::{Context, certificates};

impl Draft {
    /// The download that the call waits for; none after a setter's error.
    pub(super) fn initial_download(&self, context: &Arc<Context>) -> Result<Option<RefreshHandle>, Error> {
        match self.error {
            Some(_) => Ok(None),
            None => certificates::initial_download(context),
        }
    }

    /// Waits until the draft can be assembled without blocking.
    pub(super) async fn make_ready(&mut self, context: &Arc<Context>) -> Result<(), Error> {
        certificates::wait_for_keys(self.initial_download(context)?).await?;
        self.read_ahead().await
    }

    /// Reads an upload's file for its digest, without blocking the thread. (`prepare` and `wait` block anyway.)
    async fn read_ahead(&mut self) -> Result<(), Error> {
        match &mut self.body {
            Body::Media(media) if self.error.is_none() => match Handle::try_current() {
                Ok(_) => media.read_ahead().await,
                Err(_) => background::on_background(media.read_ahead())?.await,
            },
            _ => Ok(()),
        }
    }
}
