//! What the words before the cursor say: the command, the operation of the catalogue, and the fields that are given.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory as _};
use wechatpay_chain::catalogue::{Catalogue, Operation};

use crate::cli::Cli;

#[derive(Default)]
pub(super) struct Call {
    /// The innermost command.
    command: String,
    matches: ArgMatches,
}

impl Call {
    /// Words that cannot be parsed, and those after them, say nothing.
    pub(super) fn of(words: &[OsString]) -> Call {
        let parsed = Cli::command().ignore_errors(true).try_get_matches_from(words);
        let mut call = Call { command: String::new(), matches: parsed.unwrap_or_default() };
        while let Some((name, matches)) = call.matches.remove_subcommand() {
            call = Call { command: name, matches };
        }
        call
    }

    /// What is given for an argument.
    pub(super) fn values(&self, argument: &str) -> impl Iterator<Item = &str> {
        let values = self.matches.try_get_raw(argument).ok().flatten();
        values.into_iter().flatten().filter_map(|value| value.to_str())
    }

    pub(super) fn value(&self, argument: &str) -> Option<&str> {
        self.values(argument).next()
    }

    /// The verb of the command, or the one that is given.
    pub(super) fn verb(&self) -> Option<String> {
        let verb = match &*self.command {
            "get" | "post" | "put" | "patch" | "delete" => &self.command,
            "upload" => "post",
            "bill" => "get",
            _ => self.value("verb")?,
        };
        Some(verb.to_ascii_uppercase())
    }

    /// The documented operation that is called.
    pub(super) fn operation(&self) -> Option<Operation> {
        Catalogue::find(&self.verb()?, self.value("path")?)
    }
}
