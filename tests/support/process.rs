//! Tests that need a process of their own: for its environment, its memory, or to be killed.

use std::process::Command;

/// Runs one test of this binary, alone in a process. `module` is the caller's `module_path!()`.
pub(crate) fn alone(module: &str, test: &str) -> Command {
    let (_, module) = module.split_once("::").expect("a module of a test binary");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("{module}::{test}"), "--exact", "--nocapture"]);
    command
}
