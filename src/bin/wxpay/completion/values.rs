//! Values that do not depend on the operation.

use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::engine::{CompletionCandidate as Candidate, PathCompleter, ValueCompleter as _};
use wechatpay_chain::catalogue::Catalogue;
use wechatpay_chain::sandbox::Fault;

use super::call::Call;
use crate::cli::Cli;
use crate::config::profile;
use crate::topics::TOPICS;

/// Those of `all` that begin with what is typed.
pub(super) fn starting<T: Into<String>>(typed: &str, all: impl IntoIterator<Item = T>) -> Vec<Candidate> {
    all.into_iter().map(Into::into).filter(|value| value.starts_with(typed)).map(Candidate::new).collect()
}

/// The profiles of config.toml; none, if it cannot be read.
pub(super) fn profiles(call: &Call, typed: &str) -> Vec<Candidate> {
    let file = call.value("config").map(PathBuf::from).or_else(profile::default_file);
    starting(typed, file.map(|file| profile::names(&file)).unwrap_or_default())
}

pub(super) fn verbs(_: &Call, typed: &str) -> Vec<Candidate> {
    let upper = typed.to_ascii_uppercase();
    let verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|verb| verb.starts_with(&upper));
    match typed == upper {
        true => verbs.map(Candidate::new).collect(),
        // bash and zsh take only what begins as it is typed.
        false => verbs.map(|verb| Candidate::new(verb.to_ascii_lowercase())).collect(),
    }
}

/// A fault; after it, the conditions of its rule.
pub(super) fn faults(_: &Call, typed: &str) -> Vec<Candidate> {
    const CONDITIONS: [&str; 6] = ["nth=", "share=", "path=", "times=", "on=requests", "on=notifications"];
    let Some((rule, begun)) = typed.rsplit_once(' ') else {
        return starting(typed, Fault::names());
    };
    let is_given = |condition: &str| {
        let name = condition.split_inclusive('=').next().unwrap_or_default();
        rule.split(' ').any(|word| word.starts_with(name))
    };
    let conditions = CONDITIONS.into_iter().filter(|condition| !is_given(condition));
    starting(begun, conditions)
        .into_iter()
        .map(|candidate| candidate.add_prefix(format!("{rule} ")))
        .collect()
}

/// The documented notifications.
pub(super) fn events(_: &Call, typed: &str) -> Vec<Candidate> {
    let mut events: Vec<_> =
        Catalogue::notifications().filter(|known| known.event().starts_with(typed)).collect();
    // Some names belong to both versions; then that of APIv3 is sent.
    events.sort_by_key(|known| (known.event(), known.is_v2()));
    events.dedup_by_key(|known| known.event());
    let events = events.into_iter();
    events.map(|known| Candidate::new(known.event()).help(Some(known.title().into()))).collect()
}

/// Commands and topics of the help.
pub(super) fn topics(_: &Call, typed: &str) -> Vec<Candidate> {
    let program = Cli::command();
    let commands = program.get_subcommands().map(|command| command.get_name().to_owned());
    starting(typed, commands.chain(TOPICS.iter().map(|topic| topic.name.to_owned())))
}

/// `@FILE`.
pub(super) fn file_after_at(_: &Call, typed: &str) -> Vec<Candidate> {
    let Some(path) = typed.strip_prefix('@') else { return Vec::new() };
    let files = PathCompleter::any().complete(path.as_ref());
    files.into_iter().map(|file| file.add_prefix("@")).collect()
}
