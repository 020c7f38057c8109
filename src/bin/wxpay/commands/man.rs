//! `wxpay man`.

use clap::{Args, Command};

use crate::failure::{Failure, usage_error};
use crate::output;
use crate::text::Excerpt;

/// Print a manual page (roff) of the program or of a command
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay man > wxpay.1\n  \
    wxpay man post > wxpay-post.1")]
pub(crate) struct ManArgs {
    /// The command [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// `program` is complete, as [`crate::cli::documented`] makes it.
pub(crate) fn run(args: &ManArgs, mut program: Command) -> Result<(), Failure> {
    let mut documented = &mut program;
    for name in &args.command {
        documented = documented.find_subcommand_mut(name.to_ascii_lowercase()).ok_or_else(|| {
            usage_error(format!("no such command: {}", Excerpt(name)))
                .with_hint("`wxpay help` lists the commands")
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(documented.clone()).render(&mut page)?;
    output::raw(&page)
}
