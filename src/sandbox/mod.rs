//! An offline WeChat Pay platform: it verifies and signs as strictly as the real one.
//!
//! [`Sandbox::start`] starts an HTTP server on 127.0.0.1 with its own keys. It rejects requests for the same reasons as the
//! platform (signature, clock, nonce, serial, body). It keeps orders, refunds, PayScore orders, transfers, profit sharing
//! and files as the platform does. Script any other path with [`Sandbox::on`] or [`SandboxBuilder::script`]; without a
//! script, the response is an empty object. [`Sandbox::pay`] and the related methods simulate the payer.
//! [`Sandbox::inject`] and [`Sandbox::inject_rule`] cause faults, and notifications are really sent. The base URL shows a
//! page with all of it in a browser. [The guide](crate::guide::sandbox) explains how to connect
//! other programs.
//!
//! The sandbox is written from the protocol alone and shares no code with the client, so that both cannot have the same
//! mistake. It listens only on this machine, and its error messages show the expected signed message: never expose it to a
//! network.
//!
//! ```
//! use serde_json::json;
//! use wechatpay_chain::sandbox::Sandbox;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start()?;
//! sandbox.on("GET", "v3/marketing/favor/stocks/{stock_id}", 200, json!({ "stock_id": "98065001" }))?;
//! let stock = sandbox.client()?.chain("v3/marketing/favor/stocks/98065001").get_sync()?;
//! assert_eq!(stock.data()["stock_id"], "98065001");
//! # Ok(())
//! # }
//! ```

// The layers, from the top down. A layer imports only from itself and from the layers below it.

/// `Sandbox` and its builder.
mod api;

/// The control endpoint and the page.
mod admin;

/// The listener, its connections, the pipeline of a request.
mod server;

/// Delivery of notifications.
mod notify;

/// The engine, the products, bills, scripts.
mod model;

/// The database and the logs.
mod store;

/// Verifying requests, signing responses, diagnosis.
mod auth;

/// Deliberate faults.
mod faults;

/// Identity, key pairs, encryption.
mod keys;

/// Requests, responses, paths, clock.
mod http;

pub use self::{
    api::{builder::SandboxBuilder, sandbox::Sandbox, snippets::SnippetLanguage},
    auth::verify::SignatureVerdict,
    faults::{fault::Fault, rule::FaultRule},
    http::{response::SandboxResponse, sandbox_error::SandboxError},
    keys::{keyring::Rotation, mode::SigningMode},
    store::{
        seen_request::{EndpointKind, RecordedResponse, SeenRequest, Sent, Verdict},
        sent_notification::{Attempt, Delivery, SentNotification},
        watcher::Seen,
    },
};

/// The former name of [`SandboxResponse`].
#[doc(hidden)]
#[deprecated(note = "renamed to `SandboxResponse`")]
pub type Answer = SandboxResponse;
