//! The steps before a draft can be assembled: its deadline, the platform's first certificates, the digest of an upload.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::draft::{Body, Draft};
use crate::error::Error;
use crate::runtime::{Deadline, background};
use crate::transport::CallInfo;
use crate::v3::platform::WantedBy;
use crate::v3::{Context, certificates};

impl Draft {
    /// The end of the time of the call, which begins now.
    pub(super) fn deadline(&self, context: &Context) -> Deadline {
        Deadline::after(self.timeout.unwrap_or(context.defaults.timeout))
    }

    /// Waits until the draft can be assembled without blocking.
    pub(super) async fn make_ready(
        &mut self,
        context: &Arc<Context>,
        deadline: &Deadline,
    ) -> Result<(), Error> {
        if self.error.is_some() {
            return Ok(()); // `assemble` returns it
        }
        let download = certificates::initial_download(context, WantedBy::Call)?;
        certificates::wait_for_keys(download, deadline, WantedBy::Call).await?;
        match &self.body {
            // Boxed: only an upload needs it.
            Body::Media(_) => Box::pin(self.read_ahead(deadline)).await,
            _ => Ok(()),
        }
    }

    /// Reads an upload's file for its digest, without blocking the thread.
    async fn read_ahead(&mut self, deadline: &Deadline) -> Result<(), Error> {
        let Body::Media(media) = &mut self.body else { return Ok(()) };
        let read = deadline.bound_anywhere(media.read_ahead());
        let read = match Handle::try_current() {
            Ok(_) => read.await?,
            Err(_) => background::on_background(read)?.await?,
        };
        read.unwrap_or_else(|| {
            let (method, template) = (self.method.clone(), Arc::clone(&self.template));
            let call = CallInfo { method, template, timeout: deadline.allowed() };
            Err(call.late(format!("the file could not be read within {:?}", deadline.allowed()), false))
        })
    }
}
