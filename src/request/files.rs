//! What a `Request` does with files: an upload's, and the one that its answer goes to.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::{Body, Request};
use crate::client::Inner;
use crate::error::Error;
use crate::request::media::Media;
use crate::request::prepared::Parts;
use crate::runtime::blocking;
use crate::v3::certificates;
use crate::v3::platform::Run;

impl Request {
    /// Uploads a file: the body becomes `multipart/form-data`, and its `meta` part is what is signed. It takes the
    /// place of any other body, and its `Content-Type` that of a header.
    ///
    /// ```no_run
    /// # use serde_json::Value;
    /// # use wechatpay_chain::Media;
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let media = Media::file("/path/to/licence.jpg");
    /// let uploaded = wx["v3/merchant/media/upload"].post(Value::Null).media(media).await?;
    /// println!("{}", uploaded.data()["media_id"]);
    /// # Ok(()) }
    /// ```
    pub fn media(mut self, media: Media) -> Self {
        self.body = Body::Media(Box::new(media));
        self
    }

    /// PHP's `sink`: the ends stream into this file, and their `Response` has no body.
    pub(crate) fn sink(mut self, path: String) -> Self {
        self.sink = Some(PathBuf::from(path));
        self
    }

    /// What the call waits for before it can be put together; nothing when a setter failed.
    pub(super) fn awaited(&self) -> Result<Option<Run>, Error> {
        match self.error {
            Some(_) => Ok(None),
            None => certificates::awaited(&self.inner),
        }
    }

    /// Has everything there that a call is put together from: the platform's first certificates, an upload's digest.
    pub(crate) async fn make_ready(&mut self) -> Result<(), Error> {
        certificates::arrive(self.awaited()?).await?;
        self.read_ahead().await
    }

    /// Reads an upload's file for its digest, where that holds up nobody. (`prepare` and `wait` block anyway.)
    async fn read_ahead(&mut self) -> Result<(), Error> {
        match &mut self.body {
            Body::Media(media) if self.error.is_none() => match Handle::try_current() {
                Ok(_) => media.read_ahead().await,
                Err(_) => blocking::on_background(media.read_ahead())?.await,
            },
            _ => Ok(()),
        }
    }

    /// The parts of a request whose answer is streamed.
    pub(crate) async fn into_stream(mut self) -> Result<(Arc<Inner>, Box<Parts>), Error> {
        self.make_ready().await?;
        let (inner, mut parts) = self.into_parts()?;
        parts.streamed = true;
        Ok((inner, parts))
    }
}
