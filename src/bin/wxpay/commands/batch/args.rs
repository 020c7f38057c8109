//! The arguments of `wxpay batch`.

use std::path::PathBuf;

use clap::Args;

use crate::topics;

/// Run many calls, one JSON object per line, with a crash-safe journal of the results
#[derive(Args)]
#[command(after_help = format!("A line of CALLS (only method and path are required):\n  \
    {{\"id\": \"R1\", \"method\": \"POST\", \"path\": \"v3/…/{{var}}\", \"vars\": {{}}, \"query\": {{}}, \"body\": {{}}, \"headers\": {{}}, \
    \"encrypt\": [\"/pointer\"], \"timeout\": 10}}\n  \
    For APIv2 (v2/…), \"client_certificate\": true presents the merchant's certificate\n\n\
    Examples:\n  \
    wxpay batch calls.jsonl\n  \
    wxpay batch calls.jsonl -j 32 -o results.jsonl --resume\n  \
    wxpay batch - -o more.jsonl < calls.jsonl\n\n\
    {}\n\n{}", topics::outcomes(), topics::batch_exit_codes()))]
pub(crate) struct BatchArgs {
    /// The file with the calls; - for stdin
    #[arg(value_name = "CALLS")]
    pub(super) calls: PathBuf,
    /// Run up to N calls at the same time
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
    /// The journal with the results; - for stdout [default: CALLS with the extension .results.jsonl]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Continue an existing journal: calls with a response are not sent again, calls whose outcome is unknown only if
    /// they are GETs
    #[arg(long)]
    pub(super) resume: bool,
    /// Send every call whose outcome is unknown again, with the same numbers and the same body
    #[arg(long)]
    pub(super) repeat_unknown: bool,
    /// Send nothing; compare each call with the documents, without credentials. Exit code 6 if there is something to say
    #[arg(long, conflicts_with_all = ["resume", "repeat_unknown", "jobs"])]
    pub(super) check: bool,
    /// With --check: print a line of JSON for each call that has hints
    #[arg(long, requires = "check")]
    pub(super) json: bool,
}
