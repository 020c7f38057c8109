//! Output: JSON on stdout, indented and coloured on a terminal, compact in a pipe; warnings on stderr.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use jaq_json::write::{Pp, Styles, write};
use jaq_json::{Val, read};
use serde_json::Value;
use wechatpay_chain::Response;

use crate::complete_file::{Access, CompleteFile, is_standard_stream};
use crate::failure::{self, Failure, usage_error};
use crate::files;
use crate::global::{ColorChoice, GlobalArgs};
use crate::jq::Filter;
use crate::text::escaped;
use crate::variables;

/// How JSON is printed, and where.
pub(crate) struct Output {
    layout: Pp,
    filter: Option<Filter>,
    /// Print strings that the filter yields without quotes.
    raw_strings: bool,
    /// Instead of stdout.
    file: Option<CompleteFile>,
}

impl Output {
    pub(crate) fn new(global: &GlobalArgs) -> Output {
        Output { layout: layout(global), filter: None, raw_strings: false, file: None }
    }

    /// Passes the output through a jq filter. It is compiled now, so that an invalid filter sends nothing.
    pub(crate) fn with_filter(mut self, filter: Option<&str>, raw_strings: bool) -> Result<Output, Failure> {
        self.filter = filter.map(Filter::compile).transpose()?;
        self.raw_strings = raw_strings;
        Ok(self)
    }

    /// Writes into this file; `-` is stdout. A file that cannot be written is an error now, so that nothing is sent.
    pub(crate) fn with_file(mut self, path: Option<&Path>) -> Result<Output, Failure> {
        self.file = path
            .filter(|path| !is_standard_stream(path))
            .map(|path| CompleteFile::new("-o", path, Access::Usual))
            .transpose()
            .map_err(|failure| match path.is_some_and(|path| files::not_a_file(path).is_some()) {
                true => failure.with_hint("`-o -` is stdout"),
                false => failure,
            })?;
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
                None => self.bytes(bytes),
            };
        }
        let value =
            read::parse_single(text).map_err(|e| usage_error(format!("cannot parse the response: {e}")))?;
        self.print(value)
    }

    pub(crate) fn json(&self, value: &Value) -> Result<(), Failure> {
        self.body(value.to_string().as_bytes())
    }

    /// Prints a response: its body unchanged if that is asked for, else as JSON.
    pub(crate) fn response(&self, response: &Response, unchanged: bool) -> Result<(), Failure> {
        match unchanged && self.filter.is_none() {
            true => self.bytes(response.bytes()),
            // Only the library can read it: U+FFFD replaces half of a character.
            false if !response.data().is_string() && !is_json(response.bytes()) => self.json(response.data()),
            // With the digits that its numbers were written with.
            false => self.body(response.bytes()),
        }
    }

    /// Prints values, one after another.
    pub(crate) fn lines(&self, values: &[Value]) -> Result<(), Failure> {
        self.write(|out| {
            values.iter().try_for_each(|value| match read::parse_single(value.to_string().as_bytes()) {
                Ok(value) => self.write_line(out, &value),
                Err(e) => Err(usage_error(format!("cannot print the result: {e}"))),
            })
        })
    }

    /// Prints a line of text.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Whether the output goes into a file.
    pub(crate) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Prints bytes unchanged.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(|out| Ok(out.write_all(bytes)?))
    }

    fn print(&self, value: Val) -> Result<(), Failure> {
        self.write(|out| match &self.filter {
            None => self.write_line(out, &value),
            Some(filter) => filter.run(value, |value| match value {
                Val::TStr(text) if self.raw_strings => {
                    out.write_all(&text)?;
                    Ok(out.write_all(b"\n")?)
                }
                value => self.write_line(out, &value),
            }),
        })
    }

    /// Prints what the function writes; into a file, once it is complete.
    pub(crate) fn write(
        &self,
        print: impl FnOnce(&mut dyn io::Write) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(file) = &self.file else {
            let mut out = io::BufWriter::new(io::stdout().lock());
            print(&mut out)?;
            return Ok(out.flush()?);
        };
        let mut text = Vec::new();
        print(&mut text)?;
        file.write(&text)
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
fn is_json(text: &[u8]) -> bool {
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

fn layout(global: &GlobalArgs) -> Pp {
    let is_set = |name| std::env::var_os(name).is_some_and(|value: OsString| !value.is_empty());
    let terminal = io::stdout().is_terminal();
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let (indented, coloured) = match global.color {
        ColorChoice::Always => (true, true),
        ColorChoice::Never => (terminal, false),
        ColorChoice::Auto => (terminal, terminal && !dumb && !is_set(variables::NO_COLOR)),
    };
    let indented = (indented || global.pretty) && !global.compact;
    Pp {
        indent: indented.then(|| "  ".to_owned()),
        sort_keys: false,
        styles: if coloured { Styles::ansi() } else { Styles::default() },
        sep_space: indented,
    }
}
