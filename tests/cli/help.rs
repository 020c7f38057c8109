//! Help, manual pages, the version; and the errors in the arguments.

use serde_json::Value;

use crate::program::{Done, wxpay};
use crate::support::has;

/// The width of every help text.
const WIDTH: usize = 100;

fn run(arguments: &[&str]) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(arguments))
}

/// Every command, and the program itself: the words after `wxpay`.
pub(crate) fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut next = 0;
    while next < all.len() {
        let command: Vec<String> = all[next].clone();
        let arguments: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = run(&arguments);
        let names = help.ok().lines().skip_while(|line| *line != "Commands:").skip(1);
        let names = names.take_while(|line| !line.is_empty());
        // A line that is indented further goes on with the description.
        for line in names.filter(|line| !line.starts_with("   ")) {
            let name = line.split_whitespace().next().unwrap();
            // The parser's own, of a command with commands.
            if command.is_empty() || name != "help" {
                all.push([&command[..], &[name.to_owned()]].concat());
            }
        }
        next += 1;
    }
    assert!(all.len() > 15, "{all:?}");
    all
}

#[test]
fn every_command_has_help_with_examples_a_manual_page_and_completions() {
    let program = run(&["--help"]);
    assert!(program.ok().contains("Exit codes:"));
    for command in commands().iter().filter(|command| !command.is_empty()) {
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        let help = run(&[&words[..], &["--help"]].concat());
        assert!(
            help.ok().contains("Examples:\n  ") && help.out.contains(&format!("wxpay {}", words.join(" "))),
            "{words:?}: {}",
            help.out
        );
        assert_eq!(run(&[&["help"], &words[..]].concat()).ok(), help.out, "{words:?}");
        let page = run(&[&["man"], &words[..]].concat());
        assert!(page.ok().contains(&format!("wxpay\\-{}", words.join("\\-"))), "{words:?}");
    }
    assert!(run(&["man"]).ok().contains(".TH wxpay 1"));
    assert_eq!(run(&["help"]).ok(), program.out);
    if has("bash") {
        let mut bash = assert_cmd::Command::new("bash");
        Done::of(bash.args(["-n"]).write_stdin(run(&["completions", "bash"]).ok())).ok();
    }
}

#[test]
fn help_fits_100_columns() {
    let topics = ["environment", "profiles", "exit-codes", "outcomes"];
    let topics = topics.map(|topic| vec!["help".to_owned(), topic.to_owned()]);
    for command in commands().into_iter().chain(topics) {
        for option in ["--help", "-h"] {
            let mut arguments: Vec<_> = command.iter().map(String::as_str).collect();
            if !command.contains(&"help".to_owned()) {
                arguments.push(option);
            }
            let help = run(&arguments);
            for line in help.ok().lines() {
                assert!(line.chars().count() <= WIDTH, "{arguments:?}: {line}");
            }
        }
    }
}

#[test]
fn the_options_of_every_command_stand_once() {
    let program = run(&["--help"]);
    let (_, section) = program.ok().split_once("\nGlobal options:\n").unwrap();
    let section = section.split("\nExamples:").next().unwrap();
    let options: Vec<_> = section
        .lines()
        .filter_map(|line| {
            line.split_whitespace().find(|word| word.starts_with("--")).map(|word| word.trim_end_matches('.'))
        })
        .collect();
    assert!(options.contains(&"--profile") && options.len() >= 7, "{options:?}");
    for command in commands().iter().filter(|command| !command.is_empty()) {
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        for option in ["-h", "--help"] {
            let help = run(&[&words[..], &[option]].concat());
            let (arguments, names) = help.ok().rsplit_once("\nGlobal options, see `wxpay --help`: ").unwrap();
            for option in &options {
                if !names.contains(option) {
                    // A command that has no use for it refuses it.
                    let value = if *option == "--sandbox" { vec![*option] } else { vec![*option, "1"] };
                    let text = format!("{option} cannot be used with `wxpay {}`", words.join(" "));
                    run(&[&words[..], &value].concat()).fails(1, &text);
                    continue;
                }
                assert_eq!(names.matches(option).count(), 1, "{words:?}: {option} in {names}");
                let described = arguments.lines().any(|line| {
                    line.trim_start().trim_start_matches("-v, ").starts_with(&format!("{option} "))
                });
                assert!(!described, "{words:?}: {option} in {arguments}");
            }
        }
    }
}

#[test]
fn commands_and_topics_in_any_letter_case() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| Done::of(wxpay(home.path()).args(arguments));
    for verb in ["GET", "Get", "gEt"] {
        let call = [verb, "v3/certificates", "--jq", ".method", "--raw", "--dry-run", "--sandbox"];
        assert_eq!(run(&call).ok(), "GET\n", "{verb}");
    }
    // Only the command: a value of the same text stays.
    let done = run(&["--profile", "Get", "--config", "/nowhere", "Get", "Get"]);
    done.fails(1, "cannot read `/nowhere`");
    let call = ["--sandbox", "POST", "v3/x", "--dry-run", "--jq", ".body", "--raw", "POST=POST"];
    assert_eq!(run(&call).ok(), "{\"POST\":\"POST\"}\n");
    assert_eq!(run(&["VERSION"]).ok(), run(&["version"]).ok());
    assert!(run(&["Help", "Batch"]).ok().contains("Usage: wxpay batch"));
    assert!(run(&["BATCH", "-h"]).ok().contains("Usage: wxpay batch"));
    assert!(run(&["help", "Exit-Codes"]).ok().contains("Exit codes"));
    // What is not a command is quoted as it was written.
    run(&["FETCH", "v3/x"]).fails(1, "'FETCH'");
    run(&["FETCH", "fetch"]).fails(1, "'FETCH'");
    run(&["help", "Nope"]).fails(1, "no such command or topic: `Nope`");
    run(&["help", "batch", "nope"]).fails(1, "`nope`");
}

#[test]
fn the_version() {
    let version = concat!("wxpay ", env!("CARGO_PKG_VERSION"), "\n");
    for arguments in [["version"], ["--version"], ["-V"]] {
        assert_eq!(run(&arguments).ok(), version);
    }
}

/// Each error is `error:`, then hints, whoever found it: the parser of the arguments, the program, the library.
#[test]
fn errors_speak_in_one_voice() {
    for (arguments, error, hint) in [
        (&["get"][..], "the following required arguments were not provided: <PATH>", "usage: wxpay get"),
        (&["get", "v3/x", "--nope"], "unexpected argument '--nope' found", "to pass '--nope' as a value"),
        (
            &["get", "v3/x", "--color", "blue"],
            "invalid value 'blue' for '--color <WHEN>' [possible values: auto",
            "",
        ),
        (
            &["get", "v3/x", "--var", "id"],
            "invalid value 'id' for '--var <NAME=VALUE>': expected NAME=VALUE",
            "",
        ),
        (
            &["post", "v3/x", "--dry-run", "--curl"],
            "the argument '--dry-run' cannot be used with '--curl'",
            "usage:",
        ),
        (&["get", "v3/x", "--config"], "a value is required for '--config <FILE>'", ""),
        (&["gett", "v3/x"], "unrecognized subcommand 'gett'", "a similar subcommand exists: 'get'"),
        (&["--json"], "unexpected argument '--json' found", "a similar argument exists: '--json-errors'"),
        (
            &["help", "nope"],
            "no such command or topic: `nope`",
            "environment, profiles, exit-codes, outcomes",
        ),
        (
            &["--sandbox", "get", "v3/{id}"],
            "the variable `id` of `v3/{id}` has no value",
            "give it with `--var id=VALUE`",
        ),
        (
            &["--sandbox", "get", "v3/P1"],
            "the segment `P1` of the path looks like a value",
            "--var name=VALUE",
        ),
        (&["--sandbox", "get", "v3/x", "--var", "id=1"], "`id` is not a variable of `v3/x`", "-q NAME=VALUE"),
        (&["--sandbox", "get", "v3/a b"], "`a b` has the character ' '", "-q NAME=VALUE"),
        (&["--sandbox", "get", "v3//x"], "`v3//x` has an empty segment", "a variable with an empty value"),
        (&["--sandbox", "get", "v3/x", "--retry", "4"], "--retry must be at most 3; it is 4", ""),
        (&["--sandbox", "get", "v3/x", "-H", "a b: c"], "-H `a b` is not a header name", ""),
        (
            &["--sandbox", "post", "v3/x", "json:={}", "--encrypt", "/json"],
            "the body is an `$options` array",
            "`json` alone",
        ),
        (&["--sandbox", "get", "v3/x", "--save", "/"], "names `/`", ""),
        (
            &["--sandbox", "post", "https://example.com/x", "a=1"],
            "its host is neither configured nor the platform's",
            "--base-url",
        ),
        (
            &["--sandbox", "get", "http://example.com/x"],
            "http:// is for this machine only",
            "`WECHATPAY_ALLOW_HTTP=1`, or `allow_http = true` in a profile",
        ),
        (&["--sandbox", "get", "v3/x", "a==@./nothing"], "there is no file `./nothing`", "PATH?NAME=%40…"),
        (&["--sandbox", "get", "v3/x", "-q", "a=@./nothing"], "-q `a`: there is no file", "PATH?NAME=%40…"),
        (&["sandbox", "--profile", "x"], "--profile cannot be used with `wxpay sandbox`", ""),
        (&["--config", "x", "sandbox"], "--config cannot be used with `wxpay sandbox`", ""),
        (&["sandbox", "--base-url", "http://x/"], "--base-url cannot be used with `wxpay sandbox`", ""),
        (&["sandbox", "--timeout", "1"], "--timeout cannot be used with `wxpay sandbox`", ""),
        (&["sign", "--timeout", "1"], "--timeout cannot be used with `wxpay sign`", ""),
        (&["config", "list", "--profile", "x"], "--profile cannot be used with `wxpay config list`", ""),
        (&["config", "path", "--timeout", "1"], "--timeout cannot be used with `wxpay config path`", ""),
        (&["config", "init", "--base-url", "x"], "--base-url cannot be used with `wxpay config init`", ""),
        (&["--sandbox", "get", "v3/x", "--pkcs1v15"], "--pkcs1v15 is for --encrypt and --decrypt", ""),
        (&["get", "v3/x", "--curl", "-o", "x"], "-o cannot be used with --curl, which sends nothing", ""),
        (&["post", "v3/x", "--curl", "--jq", "."], "--jq cannot be used with --curl", ""),
        (&["get", "v3/x", "--dry-run", "-i"], "--include cannot be used with --dry-run", ""),
        (&["post", "v3/x", "--dry-run", "--raw"], "--raw cannot be used with --dry-run", ""),
        (&["post", "v3/x", "--dry-run", "--decrypt", "/a"], "--decrypt cannot be used with --dry-run", ""),
        (&["post", "v3/x", "--curl", "--retry", "1"], "--retry cannot be used with --curl", ""),
        (&["get", "v3/x", "--timeout", "soon"], "--timeout <SECONDS>': expected a number", ""),
        (&["get", "v3/x", "--retry", "two"], "--retry <N>': expected a whole number", ""),
        (&["get", "v3/x", "--retry", "5000000000"], "expected a whole number from 0 to 4294967295", ""),
        (&["batch", "x", "-j", "0"], "--jobs <N>': expected a whole number from 1 to 1024", ""),
        (&["sandbox", "--port", "65536"], "expected a whole number from 0 to 65535", ""),
        (&["sandbox", "--seed", "1.5"], "--seed <SEED>': expected a whole number", ""),
        (&["sandbox", "--seed", "99999999999999999999"], "expected a smaller whole number", ""),
        (&["sandbox", "--time-scale", "fast"], "--time-scale <X>': expected a number", ""),
        (&["sandbox", "--clock-skew", "1h"], "--clock-skew <SECONDS>': expected a whole number", ""),
        (&["--sandbox", "post", "v3/x", "a=b", "--encrypt", "c"], "--encrypt `c` matches no parameter", ""),
        (
            &["--sandbox", "post", "v3/x", "a=b", "--encrypt", "/c"],
            "`/c` matches nothing in the body",
            "a parameter of the query is named without a slash",
        ),
        (&["get", "v3/x", "a=b"], "a GET has no body", "a query parameter is NAME==VALUE"),
        (&["post", "v3/x", "a.b=1"], "field `a.b`: a name has letters", "write `a[b]` for a member"),
        (&["post", "v3/x", "A:b"], "expected NAME=TEXT, NAME:=JSON or NAME==VALUE", "-H 'NAME: VALUE'"),
        (&["post", "v3/x", "a=@./nothing"], "there is no file `./nothing`", "NAME:='\"@…\"'"),
        (&["post", "v3/x", "/a==1"], "whose name is not a JSON pointer", "NAME:='\"=…\"'"),
        (&["upload", "-", "v3/x"], "a file from stdin has no name", "name it with --name"),
        (&["--sandbox", "get", "v3/x", "--curl"], "--curl cannot be used with --sandbox", "`wxpay sandbox`"),
        (
            &["--sandbox", "get", "v3/x", "-o", "-", "--digest", "12"],
            "--digest: expected 40 (SHA-1) or 64",
            "",
        ),
        (&["--sandbox", "get", "v3/x", "--timeout", "4000"], "error: --timeout must be more than 0", ""),
        (
            &["--sandbox", "post", "v2/x", "a=b"],
            "the sandbox speaks APIv3 only: no `v2/…` with --sandbox",
            "",
        ),
        (&["--sandbox", "get", "v3/x", "--client-certificate"], "--client-certificate is for APIv2", ""),
        (&["post", "v2/x", "a=b", "--check"], "--check compares calls of APIv3 only", "--dry-run"),
        (&["post", "v2/x", "a=b", "--encrypt", "/a"], "--encrypt is for APIv3", ""),
        (
            &["post", "v2/x", "a=b", "--client-certificate", "--curl"],
            "--client-certificate cannot be used with --curl",
            "--cert apiclient_cert.pem --key apiclient_key.pem",
        ),
    ] {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{arguments:?}: {done:?}");
        let mut lines = done.err.lines();
        let first = lines.next().unwrap();
        assert!(first.starts_with("wxpay: error: ") && first.contains(error), "{arguments:?}: {done:?}");
        let hints: Vec<_> = lines.collect();
        assert!(hints.iter().all(|line| line.starts_with("wxpay: hint: ")), "{arguments:?}: {done:?}");
        assert!(hints.join("\n").contains(hint), "{arguments:?}: {done:?}");
        // Nothing of Rust.
        for word in
            [".var(", ".query(", ".options(", ".filename(", "`save_to`", "camelCase", "builder", "axios"]
        {
            assert!(!done.err.contains(word), "{arguments:?}: {word} in {done:?}");
        }
        let json = run(&[arguments, &["--json-errors"]].concat());
        if arguments.last() != Some(&"--config") {
            let json: Value = serde_json::from_str(&json.err).unwrap();
            let message = json["message"].as_str().unwrap();
            assert_eq!((json["error"].as_str(), first.ends_with(message)), (Some("usage"), true), "{json}");
            assert!(json["hint"].as_str().unwrap_or_default().contains(hint), "{json}");
        }
    }
    // No command at all: the help, on stderr.
    let none = run(&[]);
    none.fails(1, "Usage: wxpay");
    let json: Value = serde_json::from_str(&run(&["--json-errors"]).err).unwrap();
    assert_eq!(json["message"], "expected a command");
    // After `--`, it is an argument.
    run(&["get", "--nope", "--", "--json-errors"]).fails(1, "wxpay: error: ");
}
