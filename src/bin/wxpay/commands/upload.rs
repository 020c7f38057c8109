//! `wxpay upload`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use wechatpay_chain::Media;
use wechatpay_chain::http::HeaderValue;

use super::call::{pair, query_pair};
use crate::config::Session;
use crate::config::sandbox::warn_if_not_modelled;
use crate::download::{Spinner, is_stdout};
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::output::Output;
use crate::text::Excerpt;

/// Upload a file; the signature covers its meta part
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay upload licence.jpg v3/merchant/media/upload\n  \
    wxpay upload licence.jpg v3/merchant/media/upload --name front.jpg\n  \
    wxpay upload - v3/merchant/media/upload --name front.jpg --type image/jpeg < licence.jpg")]
pub(crate) struct UploadArgs {
    /// The file to upload; - for stdin, which needs --name
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The path of the endpoint
    #[arg(value_name = "PATH")]
    path: String,
    /// Set a variable of the path (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// Add a query parameter (repeatable)
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = query_pair)]
    query: Vec<(String, String)>,
    /// The content type of the file [default: by the extension of its name]
    #[arg(long = "type", value_name = "TYPE")]
    mime: Option<String>,
    /// The meta part, if the endpoint needs more than filename and sha256: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON|@FILE|-")]
    meta: Option<String>,
    /// The file name to send [default: the name of FILE]
    #[arg(long, value_name = "FILENAME")]
    name: Option<String>,
    /// Filter the response with a jq expression
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
}

pub(crate) fn run(global: &GlobalArgs, args: &UploadArgs) -> Result<(), Failure> {
    let output = Output::new(global.color).with_filter(args.jq.as_deref(), false)?;
    let mut media = match (is_stdout(&args.file), &args.name) {
        (false, None) => Media::file(&args.file),
        (false, Some(name)) => Media::file(&args.file).filename(name),
        (true, None) => return Err(usage_error("--name is needed: a file from stdin has no name")),
        (true, Some(name)) => Media::bytes(name, input::stdin("FILE")?),
    };
    if let Some(mime) = &args.mime {
        if mime.is_empty() || HeaderValue::from_str(mime).is_err() {
            return Err(usage_error(format!("--type: expected a content type, found {}", Excerpt(mime))));
        }
        media = media.mime(mime);
    }
    if let Some(meta) = &args.meta {
        let text = input::read("--meta", meta)?;
        if !input::parse_json("--meta", &text)?.is_object() {
            return Err(usage_error("--meta: expected a JSON object"));
        }
        // As a string, it is signed and sent unchanged.
        let text = String::from_utf8(text).map_err(|_| usage_error("--meta: expected JSON in UTF-8"))?;
        media = media.meta(text);
    }
    let mut query = Vec::new();
    for (name, value) in &args.query {
        query.push((name, input::text_value(&format!("-q {}", Excerpt(name)), value)?));
    }
    let session = Session::open(global)?;
    let spinner = Spinner::new("uploading");
    let mut request = session.wx.chain("").literal(&args.path).post(Value::Null).media(media);
    for (name, value) in &args.var {
        request = request.var(name, value.as_str());
    }
    for (name, value) in query {
        request = request.query(json!({ name: value }));
    }
    let response = request.wait();
    drop(spinner);
    let response = response?;
    warn_if_not_modelled(response.headers());
    output.body(response.bytes())
}
