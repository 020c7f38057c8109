//! `wxpay get`, `post`, `put`, `patch` and `delete`: builds a request from the arguments, then sends or shows it.

mod args;
mod body;
mod fields;
mod preview;

use std::path::Path;

use serde_json::json;
use wechatpay_chain::http::{HeaderMap, Method, StatusCode};
use wechatpay_chain::{Request, Response, WeChatPay};

pub(crate) use crate::config::Session;
use crate::config::sandbox::warn_if_not_modelled;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::hints::PathHint;
use crate::input;
use crate::output::{self, Output};
use crate::variables;
use crate::{apiv2, download};
use args::CallArgs;
pub(crate) use args::{GetArgs, WriteArgs, pair, query_pair};
use body::Body;
pub(crate) use fields::{Field, Item};

pub(crate) fn get(global: &GlobalArgs, args: &GetArgs) -> Result<(), Failure> {
    let (query, fields) = items(&args.call, &args.fields)?;
    if !fields.is_empty() {
        return Err(
            usage_error("a GET has no body").with_hint("a query parameter is NAME==VALUE, or -q NAME=VALUE")
        );
    }
    let digest = args.digest.as_deref().map(Digest::parse).transpose()?;
    let build = |wx: &WeChatPay| request(wx, &Method::GET, &args.call, &query);
    run(global, &Method::GET, &args.call, args.save.as_deref(), digest, build)
}

pub(crate) fn write(global: &GlobalArgs, method: Method, args: &WriteArgs) -> Result<(), Failure> {
    let WriteArgs { call, body, .. } = args;
    let (query, fields) = items(call, &body.fields)?;
    let content = Body::build(body.data.as_deref(), fields, &call.encrypted())?;
    // A DELETE seldom has a body.
    if matches!(content, Body::Empty) && method != Method::DELETE && input::stdin_is_waiting() {
        return Err(usage_error("there is no body, but stdin has content, which is not read without -d")
            .with_hint(
                "`-d -` sends the content of stdin as the body; if none is meant, add `< /dev/null`",
            ));
    }
    // The fields of the XML.
    let content = match content {
        Body::Empty => Body::Empty,
        body if call.is_apiv2() => Body::Value(body.into_value()),
        body => body,
    };
    if let (true, Body::Value(value)) = (call.is_apiv2(), &content)
        && let Some(number) = apiv2::inexact_number(value)
    {
        return Err(usage_error(format!("the body has the number {number}, whose digits may have changed"))
            .with_hint(apiv2::WRITE_AS_TEXT));
    }
    let build = |wx: &WeChatPay| {
        let request = request(wx, &method, call, &query);
        match content {
            Body::Empty => request,
            Body::Value(value) if call.is_apiv2() => request.json(value),
            Body::Text(text) => request.body(content_type(call).unwrap_or("application/json"), text),
            Body::Value(value) if call.encrypt.iter().any(|pointer| pointer.starts_with('/')) => {
                request.json(value)
            }
            // As text: a body whose only field is `json` is not PHP's array of options.
            Body::Value(value) => {
                request.body(content_type(call).unwrap_or("application/json"), value.to_string())
            }
        }
    };
    run(global, &method, call, args.output.as_deref(), None, build)
}

/// Names and values.
type Query = Vec<(String, String)>;

/// The parameters of the query, and the fields of the body.
fn items(args: &CallArgs, items: &[String]) -> Result<(Query, Vec<Field>), Failure> {
    let (mut query, mut fields) = (input::query(&args.query)?, Vec::new());
    for item in items {
        match Item::parse(item)? {
            Item::Query(name, value) => query.push((name, value)),
            Item::Field(field) => fields.push(field),
        }
    }
    Ok((query, fields))
}

/// A digest that a download must have.
enum Digest {
    Sha1(String),
    Sha256(String),
}

impl Digest {
    fn parse(hex: &str) -> Result<Digest, Failure> {
        match hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(hex.len()) {
            Some(40) => Ok(Digest::Sha1(hex.to_owned())),
            Some(64) => Ok(Digest::Sha256(hex.to_owned())),
            _ => Err(usage_error("--digest: expected 40 (SHA-1) or 64 (SHA-256) hex digits")),
        }
    }
}

/// The `Content-Type` that the caller set, such as `application/json;charset=utf-8`.
fn content_type(args: &CallArgs) -> Option<&str> {
    args.header
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.as_str())
}

/// Path and variables only.
fn bare(wx: &WeChatPay, method: &Method, args: &CallArgs) -> Request {
    // Nobody types PHP's camelCase in a shell: capitals are meant.
    let chain = wx.chain("").literal(&args.path);
    let mut request = match *method {
        Method::POST => chain.post(json!(null)),
        Method::PUT => chain.put(json!(null)),
        Method::PATCH => chain.patch(json!(null)),
        Method::DELETE => chain.delete(),
        _ => chain.get(),
    };
    for (name, value) in &args.var {
        request = request.var(name, value.as_str());
    }
    request
}

fn request(wx: &WeChatPay, method: &Method, args: &CallArgs, query: &[(String, String)]) -> Request {
    let mut request = bare(wx, method, args);
    for (name, value) in query {
        request = request.query(json!({ name: value }));
    }
    for (name, value) in &args.header {
        request = request.header(name, value);
    }
    let encrypted = args.encrypted();
    let pointers: Vec<_> = encrypted.iter().map(String::as_str).collect();
    let request = match args.pkcs1v15 {
        true => request.encrypt_pkcs1v15(&pointers),
        false => request.encrypt(&pointers),
    };
    let request = request.retry(args.retry);
    if args.client_certificate { request.client_certificate() } else { request }
}

/// Shows the request, or sends it and prints or saves the response. Only a GET is streamed into its file.
fn run(
    global: &GlobalArgs,
    method: &Method,
    args: &CallArgs,
    file: Option<&Path>,
    digest: Option<Digest>,
    build: impl FnOnce(&WeChatPay) -> Request,
) -> Result<(), Failure> {
    refuse_ignored(args, file.is_some(), digest.is_some())?;
    refuse_other_version(global, args, digest.is_some())?;
    // A download streams; anything else is written once it is complete.
    let streams = *method == Method::GET && !args.dry_run && !args.check && !args.is_apiv2();
    let (save, file) = if streams { (file, None) } else { (None, file) };
    let output = Output::new(global).with_filter(args.jq.as_deref(), args.raw)?.with_file(file)?;
    if args.curl && global.sandbox {
        return Err(usage_error(
            "--curl cannot be used with --sandbox, whose platform ends with this command",
        )
        .with_hint("start `wxpay sandbox`, and set the variables that it prints"));
    }
    let opened = match args {
        CallArgs { check: true, .. } => Session::for_check(global),
        CallArgs { dry_run: true, .. } | CallArgs { curl: true, .. } => {
            Session::open_with(global, |builder| builder)
        }
        _ => Session::open(global),
    };
    let session = opened.map_err(|failure| match args.is_apiv2() {
        true => without_apiv3(failure),
        false => failure,
    })?;
    let request = build(&session.wx);
    if args.curl {
        return preview::curl(&request.prepare()?);
    }
    if args.dry_run {
        return preview::dry_run(&request.prepare()?, args.is_apiv2(), &output);
    }
    if args.check {
        return preview::check(&request.prepare()?, args.json, &output);
    }
    let hint = PathHint::of(bare(&session.wx, method, args));
    hint.report(send(method, args, save, digest, &output, request))
}

fn send(
    method: &Method,
    args: &CallArgs,
    save: Option<&Path>,
    digest: Option<Digest>,
    output: &Output,
    request: Request,
) -> Result<(), Failure> {
    if let Some(file) = save {
        let downloaded = download::save(file, |path| match digest {
            None => request.save_to(path),
            Some(Digest::Sha1(hex)) => request.save_to(path).sha1(hex),
            Some(Digest::Sha256(hex)) => request.save_to(path).sha256(hex),
        })?;
        let saved = downloaded.saved();
        warn_if_not_modelled(&saved.headers);
        print_head(args, saved.status, &saved.headers)?;
        return downloaded.print(|description| output.json(description));
    }
    let response = request.wait().map_err(|error| match *method {
        Method::GET => Failure::from(error),
        _ => Failure::Write(error),
    })?;
    warn_if_not_modelled(response.headers());
    let printed = print(args, output, &response);
    if *method == Method::GET { printed } else { printed.map_err(Failure::after_success) }
}

/// Refuses options that would have no effect.
fn refuse_ignored(args: &CallArgs, output: bool, digest: bool) -> Result<(), Failure> {
    let CallArgs { encrypt, decrypt, .. } = args;
    if args.pkcs1v15 && encrypt.is_empty() && decrypt.is_empty() {
        return Err(usage_error("--pkcs1v15 is for --encrypt and --decrypt"));
    }
    let preview = match args {
        CallArgs { curl: true, .. } => "--curl",
        CallArgs { dry_run: true, .. } => "--dry-run",
        CallArgs { check: true, .. } => "--check",
        _ => return Ok(()),
    };
    // Of the response, which a preview has not; and of the output, which is a line for the shell with --curl.
    let ignored = [
        (args.include, "--include"),
        (!decrypt.is_empty(), "--decrypt"),
        (args.retry > 0, "--retry"),
        (digest, "--digest"),
        (args.raw && (args.curl || args.jq.is_none()), "--raw"),
        ((args.curl || (args.check && !args.json)) && args.jq.is_some(), "--jq"),
        (args.curl && output, "-o"),
    ];
    match ignored.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => {
            Err(usage_error(format!("{name} cannot be used with {preview}, which sends nothing")))
        }
        None => Ok(()),
    }
}

/// Who calls APIv2 alone needs nothing of what makes a client of APIv3.
fn without_apiv3(failure: Failure) -> Failure {
    let text = failure.to_string();
    let serial = [variables::SERIAL.to_owned(), format!("`{}`", variables::key_of(variables::SERIAL))];
    match serial.iter().any(|name| text.contains(name)) {
        true => {
            failure.and_hint(format!("for APIv2 alone, set `{}` and nothing of APIv3", variables::APIV2_KEY))
        }
        false => failure,
    }
}

/// Refuses options of APIv3 in a call of APIv2, and the reverse.
fn refuse_other_version(global: &GlobalArgs, args: &CallArgs, digest: bool) -> Result<(), Failure> {
    if !args.is_apiv2() {
        return match args.client_certificate {
            true => Err(usage_error("--client-certificate is for APIv2, whose paths begin with `v2/`")),
            false => Ok(()),
        };
    }
    if global.sandbox {
        return Err(usage_error(format!("{}: no `v2/…` with --sandbox", apiv2::NO_SANDBOX)));
    }
    if args.check {
        return Err(usage_error(apiv2::NO_CHECK).with_hint("--dry-run shows the request"));
    }
    if args.curl && args.client_certificate {
        return Err(usage_error("--client-certificate cannot be used with --curl").with_hint(
            "leave it out, and add `--cert apiclient_cert.pem --key apiclient_key.pem` to the curl command",
        ));
    }
    let of_apiv3 = [
        (!args.encrypt.is_empty(), "--encrypt"),
        (!args.decrypt.is_empty(), "--decrypt"),
        (digest, "--digest"),
    ];
    match of_apiv3.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => Err(usage_error(format!("{name} is for APIv3; PATH is one of APIv2"))),
        None => Ok(()),
    }
}

fn print(args: &CallArgs, output: &Output, response: &Response) -> Result<(), Failure> {
    print_head(args, response.status(), response.headers())?;
    if !args.decrypt.is_empty() {
        let pointers: Vec<_> = args.decrypt.iter().map(String::as_str).collect();
        let decrypted = match args.pkcs1v15 {
            true => response.decrypt_pkcs1v15(&pointers)?,
            false => response.decrypt(&pointers)?,
        };
        return output.json(&decrypted);
    }
    output.response(response, args.raw)
}

/// With `--include`, prints status and headers in the format of HTTP/1.1.
fn print_head(args: &CallArgs, status: u16, headers: &HeaderMap) -> Result<(), Failure> {
    if !args.include {
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
