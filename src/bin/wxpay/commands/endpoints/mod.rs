//! `wxpay endpoints`: the documented endpoints, searched, shown and suggested.

mod export;
mod find;
mod language;
mod page;
mod show;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::global::GlobalArgs;
use export::ExportArgs;
use find::{FindArgs, SuggestArgs};
use show::ShowArgs;

/// Search the documented endpoints, and show one with its fields and as code
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    wxpay endpoints 退款\n  \
    wxpay endpoints refund --verb POST --mode partner\n  \
    wxpay endpoints show v3/refund/domestic/refunds\n  \
    wxpay endpoints show v3/refund/domestic/refunds --skeleton\n  \
    wxpay endpoints suggest v3/refunds/domestic/refund --verb POST\n  \
    wxpay endpoints export --html reference"
)]
pub(crate) struct EndpointsArgs {
    #[command(subcommand)]
    command: Option<EndpointsCommand>,
    #[command(flatten)]
    find: FindArgs,
}

#[derive(Subcommand)]
enum EndpointsCommand {
    Show(ShowArgs),
    Suggest(SuggestArgs),
    Export(ExportArgs),
}

pub(crate) fn run(global: &GlobalArgs, args: &EndpointsArgs) -> Result<(), Failure> {
    match &args.command {
        None => find::search(global, &args.find),
        Some(EndpointsCommand::Show(args)) => show::run(global, args),
        Some(EndpointsCommand::Suggest(args)) => find::suggest(global, args),
        Some(EndpointsCommand::Export(args)) => export::run(global, args),
    }
}
