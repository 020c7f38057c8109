//! Completion in a shell: the scripts of `wxpay completions` call the program with the line that was typed.
//!
//! Nothing here fails and nothing is printed on stderr: without an answer, there is no candidate.

mod call;
mod fields;
mod line;
mod paths;
mod values;

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate as Candidate};

use crate::cli::Cli;
use crate::global;
use crate::output;
use call::Call;
use line::{Line, Shell};

/// Names the shell that asks. The arguments are then the line up to the cursor and, in bash, the part of it that is to
/// be replaced.
const ASKED_BY: &str = "_WXPAY_COMPLETE";

/// Candidates for the value that is being typed.
type Completer = fn(&Call, &str) -> Vec<Candidate>;

const VERBS: &str = "get post put patch delete";

/// Commands, one of their arguments, and its candidates. Command `*` is every one. Arguments that are not here are completed
/// by clap: options, lists of values, files.
const COMPLETERS: &[(&str, &str, Completer)] = &[
    ("*", "profile", values::profiles),
    (VERBS, "path", paths::of_verb),
    (VERBS, "var", fields::path_variables),
    (VERBS, "query", fields::query),
    (VERBS, "header", fields::headers),
    (VERBS, "encrypt", fields::encrypted),
    (VERBS, "decrypt", fields::decrypted),
    ("post put patch delete", "data", values::file_after_at),
    ("get", "fields", fields::query_fields),
    ("post put patch delete", "fields", fields::body_fields),
    ("upload", "path", paths::of_uploads),
    ("upload", "var", fields::path_variables),
    ("upload", "query", fields::query),
    ("upload", "fields", fields::form),
    ("upload", "meta", values::file_after_at),
    ("bill", "path", paths::of_verb),
    ("bill", "var", fields::path_variables),
    ("bill", "query", fields::query),
    ("endpoints", "verb", values::verbs),
    ("show", "path", paths::with_verb),
    ("suggest", "path", paths::of_verb),
    ("suggest", "verb", values::verbs),
    ("sandbox", "fault", values::faults),
    ("trigger", "event", values::events),
    ("trigger", "set", fields::of_resource),
    ("trigger", "data", values::file_after_at),
    ("help", "topic", values::topics),
];

/// Prints candidates and returns `true`, if a shell asks for them.
pub(crate) fn answer(arguments: &[OsString]) -> bool {
    let Some(shell) = std::env::var_os(ASKED_BY) else { return false };
    if let Some(shell) = shell.to_str().and_then(Shell::of_name)
        && let Some(text) = candidates(shell, arguments.get(1..).unwrap_or_default())
    {
        // Fails only if the shell does not wait for it.
        let _ = output::raw(text.as_bytes());
    }
    true
}

/// A candidate a line; after a tab, what it is.
fn candidates(shell: Shell, arguments: &[OsString]) -> Option<String> {
    let typed = arguments.first()?.to_str()?;
    let replaced = arguments.get(1).and_then(|text| text.to_str()).unwrap_or_default();
    let line = Line::split(typed, shell);
    let found = complete(&line);
    // bash replaces only a part of the word, which begins after `=`, `:` or a quote.
    let before = match shell {
        Shell::Bash => Line::split(typed.strip_suffix(replaced)?, shell),
        _ => Line::default(),
    };
    let mut text = String::new();
    for candidate in found {
        let Some(value) = candidate.get_value().to_str().filter(|value| !value.contains(char::is_control))
        else {
            continue;
        };
        let Some(rest) = value.strip_prefix(&*before.current) else { continue };
        match shell {
            Shell::Bash => text.push_str(&line::quoted(rest, before.quote)),
            _ => {
                let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
                text.push_str(rest);
                text.push('\t');
                text.push_str(help.lines().next().unwrap_or_default());
            }
        }
        text.push('\n');
    }
    Some(text)
}

/// The candidates for the last word.
fn complete(line: &Line) -> Vec<Candidate> {
    let mut words: Vec<OsString> = line.words.iter().map(OsString::from).collect();
    let mut program = Cli::command();
    program.build();
    // A command may be written in any letter case.
    if let Some(word) = words.iter_mut().skip(1).find(|word| {
        word.to_str().is_some_and(|word| program.find_subcommand(word.to_ascii_lowercase()).is_some())
    }) {
        word.make_ascii_lowercase();
    }
    let call = Arc::new(Call::of(&words));
    let mut program = with_completers(program, "", &call);
    let index = words.len();
    words.push(OsString::from(&line.current));
    let folder = std::env::current_dir().ok();
    let mut found = engine::complete(&mut program, words, index, folder.as_deref()).unwrap_or_default();
    // Options only if nothing else can follow, or if they are asked for.
    let is_option = |candidate: &Candidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
    if !line.current.starts_with('-') && !found.iter().all(is_option) {
        found.retain(|candidate| !is_option(candidate));
    }
    found
}

/// `command` with the completers of its arguments, and without the options that it refuses.
fn with_completers(command: Command, name: &str, call: &Arc<Call>) -> Command {
    let refused = global::unused(name.trim_start());
    let command = command.mut_args(|argument| {
        let is_refused = argument
            .get_long()
            .is_some_and(|long| refused.iter().any(|option| option.strip_prefix("--") == Some(long)));
        let argument = if is_refused { argument.hide(true) } else { argument };
        with_completer(argument, name, call)
    });
    command.mut_subcommands(|command| {
        let name = format!("{name} {}", command.get_name());
        with_completers(command, name.trim_start(), call)
    })
}

fn with_completer(argument: Arg, command: &str, call: &Arc<Call>) -> Arg {
    let last = command.rsplit(' ').next().unwrap_or_default();
    let row = COMPLETERS.iter().find(|(commands, id, _)| {
        *id == argument.get_id().as_str()
            && (*commands == "*" || commands.split(' ').any(|name| name == last))
    });
    let Some((_, _, completer)) = row else { return argument };
    let (completer, call) = (*completer, Arc::clone(call));
    argument.add(ArgValueCompleter::new(move |typed: &OsStr| match typed.to_str() {
        Some(typed) => completer(&call, typed),
        None => Vec::new(),
    }))
}

/// The script of a shell, which calls `program` if the one that is completed is not on `PATH`.
pub(crate) fn script(shell: &str, program: &str) -> Option<String> {
    let shell = Shell::of_name(shell)?;
    let (script, program) = match shell {
        Shell::Bash => (include_str!("wxpay.bash"), line::single_quoted(program)),
        Shell::Zsh => (include_str!("wxpay.zsh"), line::single_quoted(program)),
        Shell::Fish => {
            (include_str!("wxpay.fish"), format!("'{}'", program.replace('\\', "\\\\").replace('\'', "\\'")))
        }
    };
    Some(script.replace("@PROGRAM@", &program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(command: &Command, all: &mut Vec<(String, Vec<String>)>) {
        let ids = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        all.push((command.get_name().to_owned(), ids));
        command.get_subcommands().for_each(|command| commands(command, all));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(300))]

        /// A candidate goes on with the word that is typed, in any line.
        #[test]
        fn no_line_fails(words in proptest::collection::vec(
            proptest::sample::select(vec![
                "get", "post", "endpoints", "show", "sandbox", "help", "--", "-", "-q", "--var", "--fault", "--profile",
                "-d", "@", "v3/refund/domestic/refunds", "v3/", "v3/pay/transactions/id/", "amount[", "amount[total]:=",
                "goods_detail[0][", "/amount/", "bill_type==", "=", ":=", "'", "\"", "\\", "x'", "支付", "[]", "{", "$(x)",
                "funds_account=", "trigger", "-vv", "--color=", "-H", "https://", "\u{301}",
            ]), 0..7,
        ), joined in proptest::prelude::any::<[bool; 7]>(), replaced in 0..12_usize) {
            let mut line = "wxpay ".to_owned();
            for (word, joined) in words.iter().zip(joined) {
                line.push_str(word);
                line.push_str(if joined { "" } else { " " });
            }
            for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
                let at = line.char_indices().rev().nth(replaced).map_or(line.len(), |(at, _)| at);
                let asked = candidates(shell, &[OsString::from(&line), OsString::from(&line[at..])]).unwrap();
                let current = Line::split(&line, shell).current;
                for candidate in asked.lines().filter(|_| shell != Shell::Bash) {
                    proptest::prop_assert!(candidate.starts_with(&current), "{line:?}: {candidate:?}");
                }
            }
        }
    }

    #[test]
    fn every_row_of_the_table_names_an_argument() {
        let mut program = Cli::command();
        program.build();
        let mut all = Vec::new();
        commands(&program, &mut all);
        for (names, id, _) in COMPLETERS {
            for name in names.split(' ').filter(|name| *name != "*") {
                assert!(
                    all.iter().any(|(command, ids)| command == name && ids.iter().any(|own| own == id)),
                    "{name} {id}"
                );
            }
        }
    }
}
