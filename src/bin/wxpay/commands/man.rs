//! Completions and manual pages, made of the arguments' own description.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Failure, usage};
use crate::output;

pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    // Not straight to stdout: the generator panics when a write fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wxpay", &mut script);
    output::raw(&script)
}

pub(crate) fn manual(command: Option<&str>) -> Result<(), Failure> {
    let mut program = Cli::command();
    program.build();
    let described = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => return Err(usage(format!("there is no command `{name}`"))),
        },
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(described).render(&mut page)?;
    output::raw(&page)
}
