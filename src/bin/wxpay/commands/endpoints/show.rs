//! `wxpay endpoints show PATH`.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use wechatpay_chain::catalogue::{Catalogue, Include, Operation};

use super::language::Language;
use super::page;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::output::Output;
use crate::text::Excerpt;

/// Show one endpoint: its documents, its fields, and the call in every spelling
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay endpoints show v3/refund/domestic/refunds\n  \
    wxpay endpoints show GET v3/pay/transactions/id/{transaction_id}\n  \
    wxpay endpoints show v3/refund/domestic/refunds --skeleton --all")]
pub(super) struct ShowArgs {
    /// The path, with its verb before it if it has several
    #[arg(value_name = "[VERB] PATH", num_args = 1..=2)]
    path: Vec<String>,
    /// Print only a body to fill in, with the required fields
    #[arg(long)]
    skeleton: bool,
    /// All fields, not only the required ones, in the skeleton and in the code
    #[arg(long)]
    all: bool,
    /// Print all facts as JSON
    #[arg(long, conflicts_with = "skeleton")]
    json: bool,
    /// The language of the labels [default: that of the terminal]
    #[arg(long, value_name = "en|zh", value_enum, hide_possible_values = true)]
    lang: Option<Language>,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(global: &GlobalArgs, args: &ShowArgs) -> Result<(), Failure> {
    let include = if args.all { Include::All } else { Include::Required };
    let operations = find(&args.path)?;
    let output = Output::new(global).with_file(args.output.as_deref())?;
    if args.skeleton {
        let operation = operations.first().ok_or_else(|| usage_error("nothing to show"))?;
        let skeleton = match operation.body_skeleton(include) {
            Value::Null => operation.query_skeleton(include),
            body => body,
        };
        return output.json(&skeleton);
    }
    if args.json {
        let all: Vec<_> = operations.iter().map(|operation| page::json(*operation)).collect();
        return match <[Value; 1]>::try_from(all) {
            Ok([one]) => output.json(&one),
            Err(all) => output.json(&all.into()),
        };
    }
    let language = args.lang.unwrap_or_else(Language::of_terminal);
    let pages: Vec<_> =
        operations.iter().map(|operation| page::text(*operation, include, language)).collect();
    output.text(&pages.join("\n\n"))
}

/// The operations of a path, those of the verb if one is given.
fn find(words: &[String]) -> Result<Vec<Operation>, Failure> {
    let (verb, path) = match words {
        [verb, path] => (Some(verb.as_str()), path.as_str()),
        [path] => (None, path.as_str()),
        _ => (None, ""),
    };
    let found: Vec<_> = match verb {
        Some(verb) => Catalogue::find(verb, path).into_iter().collect(),
        None => Catalogue::at(path),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let failure = usage_error(format!("no document has the path {}", Excerpt(path)));
    let near = Catalogue::suggest(verb, path);
    Err(match near.first() {
        Some(near) => {
            let operation = near.operation();
            failure.with_hint(format!("did you mean {} `{}`?", operation.verb(), operation.template()))
        }
        None => {
            failure.with_hint("`wxpay endpoints WORDS` searches them; any path can be called all the same")
        }
    })
}
