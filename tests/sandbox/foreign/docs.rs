//! The lines of docs/sandbox.md that point an SDK at the sandbox.
