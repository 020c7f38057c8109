//! Programs that some tests need, and how a test says that it was skipped.

use std::fmt::Display;
use std::io::Write as _;

/// All programs that tests look for on `PATH`. A name with `|` stands for any of several.
pub(crate) const TOOLS: &[&str] = &[
    "bash",
    "chromedriver",
    "chromium|chromium-browser|google-chrome",
    "curl",
    "fish",
    "jq",
    "node",
    "npm",
    "openssl",
    "python3",
    "script",
    "sqlite3",
    "zsh",
];

/// Whether one of [`TOOLS`] is installed. If it is not, the test that asks must return: it is reported as skipped, and
/// fails if `CI` is `true`.
#[track_caller]
pub(crate) fn has(tool: &str) -> bool {
    assert!(TOOLS.contains(&tool), "`{tool}` is not listed in TOOLS");
    let there = installed(tool);
    if !there {
        cannot_run(format!("`{tool}` is not on PATH"));
    }
    there
}

pub(crate) fn installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| tool.split('|').any(|name| folder.join(name).is_file()))
}

/// Reports the running test as skipped for want of something that CI has; there it fails.
#[track_caller]
pub(crate) fn cannot_run(reason: impl Display) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "{reason}; with CI=true, this test must run"
    );
    skipped(reason);
}

/// Reports the running test as skipped.
pub(crate) fn skipped(reason: impl Display) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {reason}\n", thread.name().unwrap_or("a test"));
    // Written to the handle: the output of a test that passes is captured only from `println!` and `eprintln!`.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
