//! `wxpay completions`.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay completions bash > wxpay.bash\n  \
    wxpay completions zsh > _wxpay\n  \
    wxpay completions fish > wxpay.fish")]
pub(crate) struct CompletionsArgs {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    shell: Shell,
}

/// `dynamic`: the script of a shell that calls the program.
pub(crate) fn run(
    args: &CompletionsArgs,
    mut program: Command,
    dynamic: impl Fn(&str, &str) -> Option<String>,
) -> Result<(), Failure> {
    if let Some(script) = dynamic(&args.shell.to_string(), &own_path()) {
        return output::raw(script.as_bytes());
    }
    // Into a buffer: the generator panics if a write fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "wxpay", &mut script);
    output::raw(&script)
}

/// The program as it was called: a name, or a complete path.
fn own_path() -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    match called.components().count() {
        0 | 1 => "wxpay".to_owned(),
        _ => std::path::absolute(&called).as_deref().unwrap_or(Path::new("wxpay")).display().to_string(),
    }
}
