//! Output: JSON on stdout, indented and coloured on a terminal, compact in a pipe; warnings on stderr.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

use jaq_json::write::{Pp, Styles, write};
use jaq_json::{Val, read};
use serde_json::Value;

use crate::failure::{self, Failure, usage_error};
use crate::global::ColorChoice;
use crate::jq::Filter;
use crate::text::escaped;
use crate::variables;

/// How JSON is printed.
pub(crate) struct Output {
    layout: Pp,
    filter: Option<Filter>,
    /// Print strings that the filter yields without quotes.
    raw_strings: bool,
}

impl Output {
    pub(crate) fn new(color: ColorChoice) -> Output {
        Output { layout: layout(color), filter: None, raw_strings: false }
    }

    /// Passes the output through a jq filter. It is compiled now, so that an invalid filter sends nothing.
    pub(crate) fn with_filter(mut self, filter: Option<&str>, raw_strings: bool) -> Result<Output, Failure> {
        self.filter = filter.map(Filter::compile).transpose()?;
        self.raw_strings = raw_strings;
        Ok(self)
    }

    /// Prints a response body. Numbers keep their digits; a body that is not JSON is printed unchanged.
    pub(crate) fn body(&self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() && self.filter.is_none() {
            return Ok(());
        }
        let text = if bytes.is_empty() { b"null" } else { bytes };
        // serde_json limits the depth and accepts only JSON; the other parser does neither.
        if !is_json(text) {
            return match &self.filter {
                Some(_) => Err(usage_error("--jq: the response is not JSON")),
                None => raw(bytes),
            };
        }
        let value =
            read::parse_single(text).map_err(|e| usage_error(format!("cannot parse the response: {e}")))?;
        self.print(value)
    }

    pub(crate) fn json(&self, value: &Value) -> Result<(), Failure> {
        self.body(value.to_string().as_bytes())
    }

    fn print(&self, value: Val) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match &self.filter {
            None => self.write_line(&mut out, &value)?,
            Some(filter) => filter.run(value, |value| match value {
                Val::TStr(text) if self.raw_strings => {
                    out.write_all(&text)?;
                    Ok(out.write_all(b"\n")?)
                }
                value => self.write_line(&mut out, &value),
            })?,
        }
        Ok(out.flush()?)
    }

    fn write_line(&self, out: &mut dyn io::Write, value: &Val) -> Result<(), Failure> {
        let mut line = Vec::new();
        write(&mut line, &self.layout, 0, value)?;
        // Other text is not JSON: a string of bytes that are not UTF-8.
        match std::str::from_utf8(&line) {
            Ok(text) => out.write_all(escaped(text).as_bytes())?,
            Err(_) => out.write_all(&line)?,
        }
        Ok(out.write_all(b"\n")?)
    }
}

/// Whether a body is strict JSON; an empty one stands for null.
pub(crate) fn is_json(text: &[u8]) -> bool {
    text.is_empty() || serde_json::from_slice::<Value>(text).is_ok()
}

/// Prints bytes unchanged.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Prints a line of text.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    raw(format!("{text}\n").as_bytes())
}

/// Prints a warning to stderr.
pub(crate) fn warn(text: &str) {
    failure::print("warning", text);
}

/// Prints the lines of an error to stderr.
pub(crate) fn error_lines(text: &str) {
    // A closed stderr is not an error.
    let _ = writeln!(io::stderr(), "{text}");
}

fn layout(color: ColorChoice) -> Pp {
    let is_set = |name| std::env::var_os(name).is_some_and(|value: OsString| !value.is_empty());
    let terminal = io::stdout().is_terminal();
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let (indented, coloured) = match color {
        ColorChoice::Always => (true, true),
        ColorChoice::Never => (terminal, false),
        ColorChoice::Auto => (terminal, terminal && !dumb && !is_set(variables::NO_COLOR)),
    };
    Pp {
        indent: indented.then(|| "  ".to_owned()),
        sort_keys: false,
        styles: if coloured { Styles::ansi() } else { Styles::default() },
        sep_space: indented,
    }
}
