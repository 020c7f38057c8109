//! The programs that other tests need: those that are missing here, in one place.

#[path = "support/tools.rs"]
#[expect(dead_code, reason = "the other test programs ask for single tools")]
mod tools;

#[test]
fn every_tool_is_installed() {
    let missing: Vec<_> = tools::TOOLS.iter().filter(|tool| !tools::installed(tool)).copied().collect();
    if !missing.is_empty() {
        tools::cannot_run(format!("not on PATH, so that some tests were skipped: {}", missing.join(", ")));
    }
}
