//! `wxpay bill`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use wechatpay_chain::Error;

use super::call::{pair, query_pair};
use crate::config::{Session, sandbox};
use crate::download;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::hints::PathHint;
use crate::input;
use crate::output::{self, Output};
use crate::text::Excerpt;

/// Download a bill and check its digest
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay bill 2026-11-20\n  \
    wxpay bill 2026-11-20 --bill-type REFUND --sub-mchid 1900000109\n  \
    wxpay bill 2026-11-20 --type fundflow --account-type FEES -o fundflow.csv --gzip\n  \
    wxpay bill --path v3/marketing/favor/stocks/{stock_id}/use-flow --var stock_id=9856000")]
pub(crate) struct BillArgs {
    /// The day, in the form 2026-11-20
    #[arg(value_name = "DATE", value_parser = day, required_unless_present = "path")]
    date: Option<String>,
    /// The kind of bill: tradebill (default), fundflow or profitsharing
    #[arg(long = "type", value_name = "TYPE", hide_possible_values = true, ignore_case = true)]
    kind: Option<BillType>,
    /// Any other path whose response has the address and the digest of a file
    #[arg(long, value_name = "PATH", conflicts_with = "kind")]
    path: Option<String>,
    /// The orders of a tradebill: ALL (default), SUCCESS, REFUND, RECHARGE_REFUND, ALL_SPECIAL, SUC_SPECIAL or REF_SPECIAL
    #[arg(long, value_name = "TYPE", ignore_case = true, hide_possible_values = true,
        value_parser = ["ALL", "SUCCESS", "REFUND", "RECHARGE_REFUND", "ALL_SPECIAL", "SUC_SPECIAL", "REF_SPECIAL"])]
    bill_type: Option<String>,
    /// The account of a fundflow: BASIC (default), OPERATION or FEES
    #[arg(long, value_name = "TYPE", ignore_case = true, hide_possible_values = true,
        value_parser = ["BASIC", "OPERATION", "FEES"])]
    account_type: Option<String>,
    /// The bill of this sub-merchant
    #[arg(long, value_name = "MCHID")]
    sub_mchid: Option<String>,
    /// Set a variable of --path (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "path")]
    var: Vec<(String, String)>,
    /// Add a query parameter (repeatable)
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = query_pair)]
    query: Vec<(String, String)>,
    /// Write the bill to this file, which appears only once it is complete; - for stdout [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Transfer the bill compressed; the output is not compressed
    #[arg(long)]
    gzip: bool,
    /// Accept a response without a digest that can be checked, as that of profit sharing in Hong Kong
    #[arg(long)]
    allow_unverified: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BillType {
    /// The orders and refunds of the day
    Tradebill,
    /// The money that entered or left an account
    Fundflow,
    /// The profit shares of the day
    Profitsharing,
}

pub(crate) fn run(global: &GlobalArgs, args: &BillArgs) -> Result<(), Failure> {
    let kind = args.kind.unwrap_or(BillType::Tradebill);
    let is_kind = |wanted| kind == wanted || args.path.is_some();
    if args.bill_type.is_some() && !is_kind(BillType::Tradebill) {
        return Err(usage_error("--bill-type is for --type tradebill"));
    }
    if args.account_type.is_some() && !is_kind(BillType::Fundflow) {
        return Err(usage_error("--account-type is for --type fundflow"));
    }
    let path = args.path.as_deref().unwrap_or(match kind {
        BillType::Tradebill => "v3/bill/tradebill",
        BillType::Fundflow => "v3/bill/fundflowbill",
        BillType::Profitsharing => "v3/profitsharing/bills",
    });
    let session = Session::open(global)?;
    let mut request = session.wx.chain("").literal(path).bill();
    for (name, value) in &args.var {
        request = request.var(name, value.as_str());
    }
    let named = [
        ("bill_date", &args.date),
        ("bill_type", &args.bill_type),
        ("account_type", &args.account_type),
        ("sub_mchid", &args.sub_mchid),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            request = request.query(json!({ name: value }));
        }
    }
    for (name, value) in input::query(&args.query)? {
        request = request.query(json!({ name: value }));
    }
    if args.gzip {
        request = request.gzip();
    }
    if args.allow_unverified {
        request = request.allow_unverified();
    }
    let file = args.output.as_deref().unwrap_or(Path::new("-"));
    let downloaded = download::save(file, |path| request.save_to(path)).map_err(|f| not_modelled(f, path));
    let chain = session.wx.chain("").literal(path);
    let bare = args.var.iter().fold(chain.get(), |request, (name, value)| request.var(name, value.as_str()));
    let downloaded = PathHint::of(bare).report(downloaded)?;
    if !downloaded.saved().verified {
        output::warn("the bill has no digest that can be checked: it is not verified");
    }
    downloaded.print(|description| Output::new(global).json(description))
}

/// The sandbox's response to a path that it does not model is `{}`, which has no address of a file.
fn not_modelled(failure: Failure, path: &str) -> Failure {
    match failure.library_error() {
        Some(Error::Decode(e)) if e.headers().is_some_and(sandbox::is_not_modelled) => {
            usage_error(format!("the sandbox does not model {}, so it has no bill there", Excerpt(path)))
                .with_hint("`wxpay sandbox --script FILE` gives a path a response")
        }
        _ => failure,
    }
}

/// Checked here as well as by the platform, to save a request.
fn day(text: &str) -> Result<String, String> {
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => Ok(text.to_owned()),
        _ => Err("expected a day such as 2026-11-20".to_owned()),
    }
}
