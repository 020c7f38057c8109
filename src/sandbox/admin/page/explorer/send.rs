//! Sends a call with the public client, over the sandbox's own server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time;

use super::draft::Call;
use super::result::path_of;
use crate::catalogue::{EncryptedFor, Fields, Hint, Operation};
use crate::sandbox::{
    admin::client,
    server::platform::Platform,
    store::{
        page::Window,
        seen_request::{SeenRequest, Sent},
    },
};
use crate::{Error, Request, WeChatPay};

/// The limit for a call. A fault can delay the response for longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long the record of an answered request is waited for.
const RECORD: Duration = Duration::from_secs(2);

/// What became of a call.
pub(super) enum Outcome {
    /// The client refused to send it.
    NotSent(String),
    Sent {
        /// The number of the request in the log, if it arrived.
        number: Option<u64>,
        /// Why the client did not accept the response.
        problem: Option<String>,
        /// The response with its encrypted fields in the clear, if it has some.
        decrypted: Option<Value>,
        hints: Vec<Hint>,
    },
}

pub(super) async fn send(
    platform: &Arc<Platform>,
    address: Option<SocketAddr>,
    operation: Operation,
    call: Call,
) -> Outcome {
    let Some(address) = address else {
        return Outcome::NotSent("the connection has no local address".into());
    };
    let base_url = format!("http://{address}/");
    let builder = client::builder(platform, &base_url, address.ip().is_loopback()).timeout(TIMEOUT);
    let wx = match builder.build() {
        Ok(wx) => wx,
        Err(error) => return Outcome::NotSent(with_sources(&error)),
    };
    let base = base_url + prefix(operation);
    let request = || request(&wx, &base, operation, &call);
    let (path, hints) = match request().prepare() {
        Ok(prepared) => (path_of(prepared.target()).to_owned(), prepared.hints()),
        Err(error) => return Outcome::NotSent(with_sources(&error)),
    };
    let before = platform.requests.last_number();
    let response = request().await;
    let is_ours = |seen: &SeenRequest| {
        seen.number > before && seen.method == operation.verb() && path_of(&seen.target) == path
    };
    let number = record(platform, is_ours).await;
    let (problem, decrypted) = match response {
        Ok(response) => {
            let mut pointers = Vec::new();
            encrypted("", operation.response(), &mut pointers);
            let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
            let decrypted = match pointers.is_empty() {
                true => None,
                false => response.decrypt(&pointers).ok().filter(|clear| clear != response.data()),
            };
            (None, decrypted)
        }
        // The sandbox's own refusal is in the record.
        Err(Error::Api(error)) if error.verified => (None, None),
        Err(error) => (Some(with_sources(&error)), None),
    };
    Outcome::Sent { number, problem, decrypted, hints }
}

fn request(wx: &WeChatPay, base_url: &str, operation: Operation, call: &Call) -> Request {
    let chain = wx.chain(operation.template());
    let body = call.parts.body.clone();
    let mut request = match operation.verb() {
        "POST" => chain.post(body),
        "PUT" => chain.put(body),
        "PATCH" => chain.patch(body),
        "DELETE" if !body.is_null() => chain.delete().json(body),
        "DELETE" => chain.delete(),
        _ => chain.get(),
    };
    request = request.base_url(base_url);
    for (name, value) in &call.parts.variables {
        request = request.var(name.as_str(), value.as_str());
    }
    if !call.parts.query.is_null() {
        request = request.query(call.parts.query.clone());
    }
    for (name, value) in &call.parts.headers {
        request = request.header(name, value);
    }
    if let Some(media) = &call.media {
        request = request.media(media.clone());
    }
    let pointers: Vec<&str> = call.parts.encrypted.iter().map(String::as_str).collect();
    if pointers.is_empty() { request } else { request.encrypt(&pointers) }
}

/// The path of the operation's base URL: `hk/`.
fn prefix(operation: Operation) -> &'static str {
    let host = operation.base().split_once("://").map_or("", |(_, host)| host);
    host.split_once('/').map_or("", |(_, prefix)| prefix)
}

/// The number of the newest of these requests, once its response is sent.
async fn record(platform: &Platform, is_ours: impl Fn(&SeenRequest) -> bool) -> Option<u64> {
    let window = Window { size: 1, ..Window::default() };
    let find = || platform.requests.page(&is_ours, window).items.into_iter().next();
    let finished = async {
        loop {
            match find() {
                Some(seen) if seen.response.sent != Sent::Pending => return,
                _ => time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    // A request that never arrived has no record.
    let _ = time::timeout(RECORD, finished).await;
    find().map(|seen| seen.number)
}

/// Pointers to the fields of a response that are encrypted for the merchant.
fn encrypted(pointer: &str, fields: Fields, found: &mut Vec<String>) {
    for field in fields.iter() {
        let own = format!("{pointer}/{}{}", field.name(), if field.is_list() { "/*" } else { "" });
        if field.encrypted_for() == Some(EncryptedFor::Merchant) {
            found.push(own.clone());
        }
        encrypted(&own, field.fields(), found);
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
