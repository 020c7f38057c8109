//! `wxpay completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay completions bash > wxpay.bash")]
pub(crate) struct CompletionsArgs {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, mut program: Command) -> Result<(), Failure> {
    // Into a buffer: the generator panics if a write fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "wxpay", &mut script);
    output::raw(&script)
}
