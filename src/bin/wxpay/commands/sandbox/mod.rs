//! `wxpay sandbox`.

mod child;
mod ready;
mod server;

use clap::Args;

use crate::config;
use crate::failure::{Failure, usage_error};
use crate::signals;

/// Run an offline WeChat Pay platform for any SDK, until Ctrl-C
///
/// Prints the address of its web page and the credentials as `export` lines, then a line on stderr for each request and
/// notification.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay sandbox\n  \
    wxpay sandbox --snippet php\n  \
    wxpay sandbox --port 8080 --keys keys --state state.db\n  \
    wxpay sandbox -- npm test\n  \
    wxpay sandbox --fault 'rate-limited share=0.1' --seed 7")]
pub(crate) struct SandboxArgs {
    #[command(flatten)]
    options: server::Options,
}

pub(crate) fn run(args: SandboxArgs) -> Result<(), Failure> {
    let mut options = args.options;
    options.keys = options.keys.or_else(config::sandbox::keys_folder);
    match server::run(&options) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Failure::Reported(code)),
        Err(error) => {
            Err(usage_error(format!("the sandbox cannot start: {}", server::with_sources(&*error))))
        }
    }
}
