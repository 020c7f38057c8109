//! `wxpay endpoints WORDS` and `wxpay endpoints suggest PATH`.

use std::io::BufRead as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use wechatpay_chain::catalogue::{Availability, Catalogue, Operation, Search};

use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::output::Output;
use crate::text::{Excerpt, io_text};

/// The longest query that is read from stdin, in bytes.
const LONGEST_QUERY: u64 = 4 << 10;

#[derive(Args)]
pub(super) struct FindArgs {
    /// What to search for, in Chinese or English; - reads a query from each line of stdin
    #[arg(value_name = "WORDS", required = true)]
    words: Vec<String>,
    /// Only this verb
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    /// Only for this kind of caller: merchant, partner, platform, institution or global
    #[arg(long, value_name = "MODE", value_parser = ["merchant", "partner", "platform", "institution", "global"], hide_possible_values = true)]
    mode: Option<String>,
    /// Only APIv2
    #[arg(long, conflicts_with = "v3")]
    v2: bool,
    /// Only APIv3
    #[arg(long)]
    v3: bool,
    #[command(flatten)]
    list: ListArgs,
}

/// Suggest documented endpoints for a path that may be mistyped
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay endpoints suggest v3/refunds/domestic/refund --verb POST")]
pub(super) struct SuggestArgs {
    /// The path; - reads one from each line of stdin, with its verb before it or not
    #[arg(value_name = "PATH")]
    path: String,
    /// The verb of the call
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Args)]
struct ListArgs {
    /// Show at most N endpoints
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Print JSON: one array for each query
    #[arg(long)]
    json: bool,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn search(global: &GlobalArgs, args: &FindArgs) -> Result<(), Failure> {
    let mut search = Search::default();
    if let Some(verb) = &args.verb {
        search = search.verb(verb);
    }
    if let Some(mode) = &args.mode {
        search = search.mode(mode);
    }
    if args.v2 || args.v3 {
        search = search.v2(args.v2);
    }
    let find = |words: &str| {
        let found = Catalogue::search(words, &search);
        found.iter().take(args.list.limit).map(|found| (found.operation(), found.score())).collect()
    };
    answer(global, &args.list, &args.words.join(" "), find)
}

pub(super) fn suggest(global: &GlobalArgs, args: &SuggestArgs) -> Result<(), Failure> {
    let find = |line: &str| {
        // A path has no blank, but whoever pastes one may.
        let is_verb = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let (verb, path) = match line.trim().split_once(' ').filter(|(word, _)| is_verb(word)) {
            Some((verb, path)) => (Some(verb), path.trim()),
            None => (args.verb.as_deref(), line.trim()),
        };
        let found = Catalogue::suggest(verb, path);
        found.iter().take(args.list.limit).map(|found| (found.operation(), found.score())).collect()
    };
    answer(global, &args.list, &args.path, find)
}

type Ranked = Vec<(Operation, f64)>;

/// Prints what is found for one query, or for each line of stdin.
fn answer(
    global: &GlobalArgs,
    list: &ListArgs,
    query: &str,
    find: impl Fn(&str) -> Ranked,
) -> Result<(), Failure> {
    let output = Output::new(global).with_file(list.output.as_deref())?;
    if query != "-" {
        let found = find(query);
        if list.json {
            return output.json(&as_json(&found));
        }
        if found.is_empty() {
            let failure = usage_error(format!("no documented endpoint for {}", Excerpt(query)));
            return Err(failure.with_hint("try other words, or fewer; any path can be called all the same"));
        }
        return output.text(&as_lines(&found));
    }
    let mut input = std::io::stdin().lock();
    output.write(|out| {
        loop {
            let mut line = Vec::new();
            let read = std::io::Read::take(&mut input, LONGEST_QUERY).read_until(b'\n', &mut line);
            let unreadable = |e: std::io::Error| usage_error(format!("cannot read stdin: {}", io_text(&e)));
            if read.map_err(unreadable)? == 0 {
                return Ok(());
            }
            // One answer for each line, however long it is.
            if line.last() != Some(&b'\n') {
                input.skip_until(b'\n').map_err(unreadable)?;
            }
            let found = find(&String::from_utf8_lossy(&line));
            match list.json {
                true => writeln!(out, "{}", as_json(&found))?,
                false => writeln!(out, "{}\n", as_lines(&found))?,
            }
        }
    })
}

fn as_json(found: &Ranked) -> Value {
    let entry = |(operation, score): &(Operation, f64)| {
        json!({
            "verb": operation.verb(),
            "template": operation.template(),
            "title": operation.title(),
            "base": operation.base(),
            "mode": operation.modes().collect::<Vec<_>>(),
            "docs": operation.docs().next(),
            "score": (score * 1000.0).round() / 1000.0,
        })
    };
    found.iter().map(entry).collect()
}

fn as_lines(found: &Ranked) -> String {
    let width = found.iter().map(|(operation, _)| operation.template().len()).max().unwrap_or(0);
    let line = |(operation, _): &(Operation, f64)| {
        let mark = match operation.availability() {
            Availability::Withdrawn(_) => " (withdrawn)",
            Availability::Superseded => " (superseded)",
            _ => "",
        };
        format!("{:6} {:width$}  {}{mark}", operation.verb(), operation.template(), operation.title())
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}
