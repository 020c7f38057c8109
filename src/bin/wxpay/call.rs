//! The verbs: a request of arguments, sent or shown.

use serde_json::json;
use wechatpay_chain::http::{HeaderMap, Method, StatusCode};
use wechatpay_chain::{Request, Saved, WeChatPay};

use crate::args::{Call, Get, Global, Write};
use crate::bill::progress;
use crate::body::Body;
use crate::config;
use crate::exit::{Failure, usage};
use crate::output::{self, Output};
use crate::preview;

pub(crate) fn get(global: &Global, get: &Get) -> Result<(), Failure> {
    let call = &get.call;
    run(
        global,
        call,
        |wx| Ok(request(wx, &Method::GET, call)),
        |request| match &get.save {
            None => Ok(Err(request)),
            Some(file) => {
                let bar = progress::bar();
                Ok(Ok(request.save_to(file).progress(progress::on(&bar)).wait()?))
            }
        },
    )
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
        Ok(request.encrypt(&pointers))
    };
    run(global, call, build, |request| Ok(Err(request)))
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

/// Shows the request, or sends it and prints the answer. `save` gives it back unless the answer goes to a file.
fn run(
    global: &Global,
    call: &Call,
    build: impl FnOnce(&WeChatPay) -> Result<Request, Failure>,
    save: impl FnOnce(Request) -> Result<Result<Saved, Request>, Failure>,
) -> Result<(), Failure> {
    let output = Output::new(global.color).with_filter(call.jq.as_deref(), call.raw)?;
    let preview = call.dry_run || call.curl;
    if global.sandbox && global.base_url.is_some() && !preview {
        return Err(usage(
            "--sandbox is the platform itself: --base-url goes with it only for --dry-run and --curl",
        ));
    }
    let session = config::open(global)?;
    let request = build(&session.wx)?;
    if call.curl {
        return preview::curl(&request.prepare()?);
    }
    if call.dry_run {
        return preview::dry_run(&request.prepare()?, &output);
    }
    let response = match save(request)? {
        Ok(saved) => {
            include(call, saved.status, &saved.headers)?;
            return output.json(&summary(&saved));
        }
        Err(request) => request.wait()?,
    };
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

/// What is told of a file that is there, whole and checked.
pub(crate) fn summary(saved: &Saved) -> serde_json::Value {
    let path = saved.path.as_ref().map(|path| path.display().to_string());
    json!({"path": path, "bytes": saved.bytes, "sha1": saved.sha1, "verified": saved.verified})
}
