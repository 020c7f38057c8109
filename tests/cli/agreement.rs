//! The program's tables of variables and exit codes, and every place that must agree with them.

use std::collections::BTreeSet;

use crate::docs::document;
use crate::program::{Done, TestEnv, wxpay};
use crate::tables::exit_codes::{self, Row};
use crate::tables::variables::{self, Kind, Variable};

/// The cells of the table that has this header in a document.
fn rows(name: &str, header: &str) -> Vec<Vec<String>> {
    let text = document(name);
    let lines = text.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<_> = lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "{name}: no table with the header {header}");
    rows
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn the_documents_have_the_table_of_exit_codes() {
    let expected: Vec<_> = exit_codes::TABLE
        .iter()
        .map(|Row { code: number, kind, meaning, batch }| {
            let kind = if kind.is_empty() || *kind == "interrupted" { String::new() } else { code(kind) };
            vec![number.to_string(), kind, (*meaning).to_owned(), (*batch).to_owned()]
        })
        .collect();
    assert_eq!(rows("docs/cli.md", "| code | `error` | a command | `batch` |"), expected);
    // In the other language: the codes and the names.
    let chinese = rows("docs/cli.zh-CN.md", "| 退出码 | `error` | 单条命令 | `batch` |");
    let first_two = |rows: &[Vec<String>]| rows.iter().map(|row| row[..2].to_vec()).collect::<Vec<_>>();
    assert_eq!(first_two(&chinese), first_two(&expected));
}

#[test]
fn the_documents_have_the_table_of_variables() {
    let expected: Vec<_> = variables::TABLE
        .iter()
        .map(|variable| {
            let key = variable.key().map(|key| code(&key)).unwrap_or_default();
            let secret = if variable.is_secret() { " (secret)" } else { "" };
            vec![code(variable.name), key, format!("{}{secret}", variable.doc)]
        })
        .collect();
    assert_eq!(rows("docs/cli.md", "| variable | key of a profile | value |"), expected);
    let chinese = rows("docs/cli.zh-CN.md", "| 变量 | 配置组的键 | 值 |");
    for (row, (variable, expected)) in chinese.iter().zip(variables::TABLE.iter().zip(&expected)) {
        assert_eq!(row[..2], expected[..2]);
        assert_eq!(row[2].ends_with("（保密）"), variable.is_secret(), "{row:?}");
    }
    assert_eq!(chinese.len(), expected.len());
}

#[test]
fn the_readmes_name_every_setting() {
    let secret_of_the_program = |variable: &&Variable| variable.kind != Kind::Program;
    for name in ["README.md", "docs/README.zh-CN.md"] {
        let text = document(name);
        for variable in variables::TABLE.iter().filter(secret_of_the_program) {
            assert!(text.contains(&code(variable.name)), "{name}: {}", variable.name);
        }
    }
}

#[test]
fn the_help_has_both_tables() {
    let home = tempfile::tempdir().unwrap();
    let words = |arguments: &[&str]| {
        let done = Done::of(wxpay(home.path()).args(arguments));
        done.ok().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for arguments in [&["--help"][..], &["help"], &["help", "environment"], &["help", "ENVIRONMENT"]] {
        let help = words(arguments);
        for variable in variables::TABLE {
            let row = format!("{} {}", variable.name, variable.doc);
            assert!(help.contains(&row), "{arguments:?}: {row} is not in {help}");
        }
    }
    let profiles = words(&["help", "profiles"]);
    for variable in variables::settings() {
        let row = format!("{} {}", variable.key().unwrap(), variable.doc);
        assert!(profiles.contains(&row), "{row} is not in {profiles}");
    }
    let (commands, topic, batch) =
        (words(&["--help"]), words(&["help", "exit-codes"]), words(&["help", "batch"]));
    for Row { code, meaning, batch: of_batch, .. } in &exit_codes::TABLE {
        assert!(commands.contains(&format!("{code} {meaning}")), "{code}: {commands}");
        assert!(topic.contains(&format!("{code} {meaning}")), "{code}: {topic}");
        assert!(topic.contains(&format!("{code} {of_batch}")), "{code}: {topic}");
        assert!(batch.contains(&format!("{code} {of_batch}")), "{code}: {batch}");
    }
}

#[test]
fn the_sandbox_exports_variables_of_the_table() {
    let env = TestEnv::new();
    let known: BTreeSet<_> = variables::names().collect();
    let keys = env.home.path().join("keys");
    let exports = env.sandbox.exports(&keys).unwrap();
    let exported =
        exports.lines().map(|line| line.strip_prefix("export ").unwrap().split_once('=').unwrap().0);
    let exported: Vec<_> = exported.collect();
    let given: Vec<_> = env.sandbox.variables().into_iter().map(|(name, _)| name).collect();
    assert_eq!(exported, given);
    assert!(exported.iter().all(|name| known.contains(name)), "{exported:?}");
}

#[test]
fn every_key_of_the_table_is_a_key_of_a_profile() {
    let env = TestEnv::new();
    let run = |text: &str| {
        let file = env.file("config.toml", text);
        env.finish(wxpay(env.home.path()).args(["get", "v3/x", "--dry-run", "--config", &file]))
    };
    for variable in variables::settings() {
        let key = variable.key().unwrap();
        let done = run(&format!("[default]\n{key} = \"\"\n"));
        assert!(!done.err.contains("unknown key"), "{key}: {done:?}");
    }
    let done = run("[default]\nsandbox_keys = \"x\"\n");
    done.fails(1, "unknown key `sandbox_keys`");
    assert!(variables::settings().all(|variable| done.err.contains(&variable.key().unwrap())), "{done:?}");
}
