//! The help of the program, of each command and of each topic.

mod calls;
mod endpoints;
mod files;
mod short;
mod tools;
mod topics;

use crate::program::{Done, wxpay};

/// What `wxpay WORDS --help` prints.
fn help(words: &str) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(words.split_whitespace()).arg("--help"))
}

/// What `wxpay WORDS -h` prints.
fn short(words: &str) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(words.split_whitespace()).arg("-h"))
}

/// What `wxpay help TOPIC` prints.
fn topic(topic: &str) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(["help", topic]))
}

#[test]
fn every_command_has_a_snapshot_of_its_help() {
    let sources = [
        include_str!("calls.rs"),
        include_str!("endpoints.rs"),
        include_str!("files.rs"),
        include_str!("tools.rs"),
        include_str!("topics.rs"),
    ]
    .concat();
    // `put_patch_and_delete` compares these with `post`.
    let compared = ["put", "patch", "delete"];
    for command in crate::help::commands().into_iter().filter(|words| !compared.contains(&&*words.join(" ")))
    {
        let call = format!("snapshot!(help(\"{}\")", command.join(" "));
        assert!(sources.contains(&call), "missing: {call}");
    }
}

#[test]
fn each_short_help_is_the_whole_one_or_has_a_snapshot() {
    let sources = include_str!("short.rs");
    for command in crate::help::commands() {
        let words = command.join(" ");
        let differs = short(&words).ok() != help(&words).ok();
        assert_eq!(differs, sources.contains(&format!("snapshot!(short(\"{words}\")")), "{words}");
    }
}
