//! One module for each fuzz target: `run` takes any bytes, and panics if a promise is broken. `fuzz/` runs them under
//! libFuzzer, `tests/client/fuzz/mod.rs` for some seconds in every run of the tests. Nothing here may use the rest of the
//! tests.

#[cfg(feature = "bill")]
pub(crate) mod bill_rows;
pub(crate) mod common;
pub(crate) mod key_text;
pub(crate) mod notification;
pub(crate) mod options_and_factory;
pub(crate) mod paths_and_variables;
#[cfg(feature = "bill")]
pub(crate) mod response_headers_and_body;
