//! The verbs: a request of arguments, sent or shown.

pub(crate) mod args;
pub(crate) mod body;
mod preview;

use std::path::Path;

use body::Body;
use serde_json::json;
use wechatpay_chain::http::{HeaderMap, Method, StatusCode};
use wechatpay_chain::{Request, WeChatPay};

use crate::cli::{Call, Get, Global, Write};
use crate::config;
use crate::download::{fetch, summary};
use crate::exit::Failure;
use crate::output::{self, Output};

pub(crate) fn get(global: &Global, get: &Get) -> Result<(), Failure> {
    run(global, &get.call, get.save.as_deref(), |wx| request(wx, &Method::GET, &get.call))
}

pub(crate) fn write(global: &Global, method: Method, write: &Write) -> Result<(), Failure> {
    let body = Body::build(&write.body)?;
    let call = &write.call;
    let build = |wx: &WeChatPay| {
        let request = request(wx, &method, call);
        let request = match body {
            Body::None => request,
            Body::Text(text) => match json_type(call) {
                Some(own) => request.body(own, text),
                None => request.body("application/json", text),
            },
            Body::Value(value) => request.json(value),
        };
        let pointers: Vec<_> = write.body.encrypt.iter().map(String::as_str).collect();
        request.encrypt(&pointers)
    };
    run(global, call, None, build)
}

/// A type of JSON's that the caller names.
fn json_type(call: &Call) -> Option<&str> {
    call.header
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.as_str())
}

fn request(wx: &WeChatPay, method: &Method, call: &Call) -> Request {
    let chain = wx.chain(&call.path);
    let mut request = match *method {
        Method::POST => chain.post(json!(null)),
        Method::PUT => chain.put(json!(null)),
        Method::PATCH => chain.patch(json!(null)),
        Method::DELETE => chain.delete(),
        _ => chain.get(),
    };
    for (name, value) in &call.var {
        request = request.var(name, value.as_str());
    }
    for (name, value) in &call.query {
        request = request.query(json!({ name: value }));
    }
    for (name, value) in &call.header {
        request = request.header(name, value);
    }
    request.retry(call.retry)
}

/// Shows the request, or sends it and prints the answer, or saves it.
fn run(
    global: &Global,
    call: &Call,
    file: Option<&Path>,
    build: impl FnOnce(&WeChatPay) -> Request,
) -> Result<(), Failure> {
    let output = Output::new(global.color).with_filter(call.jq.as_deref(), call.raw)?;
    let preview = call.dry_run || call.curl;
    let session = if preview { config::open_with(global, |builder| builder)? } else { config::open(global)? };
    let request = build(&session.wx);
    if call.curl {
        return preview::curl(&request.prepare()?);
    }
    if call.dry_run {
        return preview::dry_run(&request.prepare()?, &output);
    }
    if let Some(file) = file {
        let saved = fetch(request.save_to(file))?;
        include(call, saved.status, &saved.headers)?;
        return output.json(&summary(&saved));
    }
    let response = request.wait()?;
    include(call, response.status(), response.headers())?;
    if !call.decrypt.is_empty() {
        let pointers: Vec<_> = call.decrypt.iter().map(String::as_str).collect();
        return output.json(&response.decrypt(&pointers)?);
    }
    match call.raw && call.jq.is_none() {
        true => output::raw(response.bytes()),
        false => output.body(response.bytes()),
    }
}

/// Status and headers, as HTTP/1.1 writes them.
fn include(call: &Call, status: u16, headers: &HeaderMap) -> Result<(), Failure> {
    if !call.include {
        return Ok(());
    }
    let reason =
        StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut text = format!("HTTP/1.1 {status} {reason}\n").into_bytes();
    for (name, value) in headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    text.push(b'\n');
    output::raw(&text)
}
