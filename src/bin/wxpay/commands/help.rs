//! `wxpay help` and `wxpay version`.

use clap::{Args, Command};

use crate::failure::{Failure, usage_error};
use crate::output;
use crate::text::Excerpt;
use crate::topics::TOPICS;

/// Print the help of a command or of a topic
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay help batch\n  \
    wxpay help environment\n  \
    wxpay help exit-codes")]
pub(crate) struct HelpArgs {
    /// A command, or environment, profiles, exit-codes or outcomes [default: the program]
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// `program` is complete, as [`crate::cli::documented`] makes it.
pub(crate) fn run(args: &HelpArgs, program: Command) -> Result<(), Failure> {
    if let [name] = &args.topic[..]
        && let Some(topic) = TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(name))
    {
        return output::line(&(topic.text)());
    }
    let words: Vec<_> = args.topic.iter().map(|word| word.to_ascii_lowercase()).collect();
    let mut command = &program;
    for (word, name) in words.iter().zip(&args.topic) {
        command = command.find_subcommand(word).ok_or_else(|| unknown(name))?;
    }
    let line = std::iter::once("wxpay".to_owned()).chain(words).chain(["--help".to_owned()]);
    match program.try_get_matches_from(line) {
        Err(help) => output::line(help.render().to_string().trim_end()),
        Ok(_) => Err(unknown(&args.topic.join(" "))),
    }
}

fn unknown(name: &str) -> Failure {
    let topics: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
    usage_error(format!("no such command or topic: {}", Excerpt(name)))
        .with_hint(format!("`wxpay help` lists the commands; the topics are {}", topics.join(", ")))
}

/// Print the version
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay version")]
pub(crate) struct VersionArgs {}

pub(crate) fn version() -> Result<(), Failure> {
    output::line(concat!("wxpay ", env!("CARGO_PKG_VERSION")))
}
