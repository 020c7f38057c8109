//! `wxpay man`.

use clap::{Args, Command};

use crate::failure::{Failure, usage_error};
use crate::output;

/// Print a manual page (roff) of the program or of a command
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay man > wxpay.1\n  \
    wxpay man post > wxpay-post.1")]
pub(crate) struct ManArgs {
    /// The command [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(crate) fn run(args: &ManArgs, mut program: Command) -> Result<(), Failure> {
    program.build();
    let documented = match args.command.as_deref() {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => return Err(usage_error(format!("no such command: `{name}`"))),
        },
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(documented).render(&mut page)?;
    output::raw(&page)
}
