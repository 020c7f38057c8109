//! `wxpay endpoints export --html DIR`: the catalogue as pages for a web server.

mod fields;
mod folder;
mod index;
mod layout;
mod pages;
mod site;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::output::Output;

/// Write all endpoints and notifications as static web pages, with an index and a search
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay endpoints export --html reference")]
pub(super) struct ExportArgs {
    /// Write the pages into this directory, which must be new, empty, or an earlier export
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    html: PathBuf,
}

pub(super) fn run(global: &GlobalArgs, args: &ExportArgs) -> Result<(), Failure> {
    let folder = folder::Folder::open(&args.html)?;
    let files = site::files();
    folder.write(&files)?;
    let bytes: usize = files.values().map(String::len).sum();
    Output::new(global)
        .json(&json!({"path": args.html.to_string_lossy(), "files": files.len(), "bytes": bytes}))
}
