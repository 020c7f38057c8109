//! The ends of a request: `.await`, `send`, `wait`, `prepare`, `save_to`.

use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::AsyncWrite;
use tokio::runtime::Handle;

use super::Request;
use super::download::{Download, Sink};
use super::prepared::Prepared;
use crate::error::Error;
use crate::response::Response;
use crate::runtime::{InRuntime, IoRuntime, background};
use crate::v3::exchange::exchange;

impl Request {
    /// Assembles the request without sending it: method, URL, headers, body and the message to be signed.
    ///
    /// The timestamp and the nonce are made now; [`Prepared::authorization`] signs them.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// # use serde_json::json;
    /// let prepared = wx["v3/pay/transactions/native"].post(json!({"description": "茶叶"})).prepare()?;
    /// let lines: Vec<_> = prepared.message().lines().map(str::to_owned).collect();
    /// assert_eq!(lines[..2], ["POST", "/v3/pay/transactions/native"]);
    /// assert_eq!(lines[2..], [prepared.timestamp(), prepared.nonce(), r#"{"description":"茶叶"}"#]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The first mistake of a setter or in the path: [`Error::Config`], [`Error::Path`].
    pub fn prepare(self) -> Result<Prepared, Error> {
        #[cfg(feature = "v2")]
        if self.draft.is_v2() {
            return self.prepare_v2();
        }
        let request = self.draft.assemble(&self.context.v3)?;
        let input = request.signing_input(&*self.context.v3.clock)?;
        Ok(Prepared::new(Arc::clone(&self.context.v3.merchant), request, input))
    }

    /// Streams the response into a file instead of into memory: see [`Download`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("certificates.json");
    /// let saved = wx["v3/certificates"].get().save_to(&path).wait()?;
    /// assert!(saved.verified && std::fs::metadata(&path)?.len() == saved.bytes);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn save_to(self, path: impl Into<PathBuf>) -> Download {
        Download::new(Arc::clone(&self.context.v3), self.draft, Sink::Path(path.into()))
    }

    /// Streams the response into a writer: see [`Download`].
    ///
    /// The writer receives everything *before* it is verified: discard it unless the download succeeds.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let saved = wx["v3/certificates"].get().save_to_writer(tokio::io::sink()).await?;
    /// println!("{} bytes", saved.bytes);
    /// # Ok(()) }
    /// ```
    pub fn save_to_writer(self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Download {
        Download::new(Arc::clone(&self.context.v3), self.draft, Sink::Writer(Box::new(writer)))
    }

    /// Sends the request and verifies the response; `.await` on the request does the same.
    ///
    /// Without a tokio runtime (under another executor) the SDK's background runtime does the I/O. A tokio runtime must
    /// have I/O and time enabled, as `#[tokio::main]` and `enable_all()` do; in one without, use `wait()`.
    ///
    /// # Errors
    /// Every variant of [`Error`] is possible.
    pub async fn send(mut self) -> Result<Response, Error> {
        #[cfg(feature = "v2")]
        if self.draft.is_v2() {
            // Boxed: it would enlarge the future of every call.
            return Box::pin(self.send_v2()).await;
        }
        if let Some(path) = self.draft.sink.take() {
            let key = self.context.v3.merchant.key.clone();
            return Ok(Box::pin(self.save_to(path).send()).await?.into_response(key));
        }
        let deadline = self.draft.deadline(&self.context.v3);
        self.draft.make_ready(&self.context.v3, &deadline).await?;
        let request = self.draft.assemble_to_send(&self.context.v3)?;
        match Handle::try_current() {
            Ok(runtime) => {
                InRuntime::new(runtime, exchange(&self.context.v3, request, IoRuntime::Caller, deadline))
                    .await
            }
            Err(_) => {
                let exchange = exchange(&self.context.v3, request, IoRuntime::Background, deadline);
                background::on_background(exchange)?.await
            }
        }
    }

    /// Sends the request, verifies the response, and blocks this thread: in a plain `main`, in any thread, and inside any
    /// tokio runtime.
    ///
    /// # Errors
    /// Every variant of [`Error`] is possible.
    pub fn wait(mut self) -> Result<Response, Error> {
        #[cfg(feature = "v2")]
        if self.draft.is_v2() {
            return background::wait(self.exchange_v2(IoRuntime::Background));
        }
        if let Some(path) = self.draft.sink.take() {
            let key = self.context.v3.merchant.key.clone();
            return Ok(self.save_to(path).wait()?.into_response(key));
        }
        let deadline = self.draft.deadline(&self.context.v3);
        background::wait(async {
            self.draft.make_ready(&self.context.v3, &deadline).await?;
            let request = self.draft.assemble_to_send(&self.context.v3)?;
            exchange(&self.context.v3, request, IoRuntime::Background, deadline).await
        })
    }
}

impl IntoFuture for Request {
    type Output = Result<Response, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'static>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
