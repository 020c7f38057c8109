//! Many calls.

use std::path::PathBuf;

use clap::Args;

/// Run many calls, one JSON object a line, into a journal that survives a crash
#[derive(Args)]
#[command(after_help = "A line of CALLS (only method and path are required):\n  \
    {\"id\": \"R1\", \"method\": \"POST\", \"path\": \"v3/…/{var}\", \"vars\": {}, \"query\": {}, \"body\": {}, \"headers\": {}, \
    \"encrypt\": [\"/pointer\"], \"timeout\": 10}\n\n\
    Examples:\n  \
    wxpay batch calls.jsonl\n  \
    wxpay batch calls.jsonl -j 32 -o results.jsonl --resume\n  \
    wxpay batch - -o more.jsonl < calls.jsonl\n\n\
    Exit codes:\n  \
    0    every call was answered with success\n  \
    1    an argument, a line or the journal is wrong; nothing was sent\n  \
    2    some were refused by the platform\n  \
    3    the outcome of some is unknown, or some are left: see --resume\n  \
    4    some answers are not proved to be the platform's\n  \
    130  Ctrl-C (143 for SIGTERM), and some are left")]
pub(crate) struct Batch {
    /// The calls; - for stdin
    #[arg(value_name = "CALLS")]
    pub(crate) calls: PathBuf,
    /// How many calls may be in flight
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: u16,
    /// The journal with the results; CALLS with the ending .results.jsonl unless given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Go on with a journal: what was answered is not sent again, what may have been carried out only if it is a GET
    #[arg(long)]
    pub(crate) resume: bool,
    /// Repeat every call whose outcome is unknown, with the same numbers and the same body
    #[arg(long)]
    pub(crate) repeat_unknown: bool,
}
