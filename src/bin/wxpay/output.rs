//! Output: JSON on stdout, indented and coloured on a terminal, compact in a pipe; warnings on stderr.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use jaq_json::write::{Pp, Styles, write};
use jaq_json::{Val, read};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::failure::{self, Failure, usage_error};
use crate::files;
use crate::global::{ColorChoice, GlobalArgs};
use crate::jq::Filter;
use crate::text::{ShownPath, escaped};
use crate::variables;

/// How JSON is printed, and where.
pub(crate) struct Output {
    layout: Pp,
    filter: Option<Filter>,
    /// Print strings that the filter yields without quotes.
    raw_strings: bool,
    /// Instead of stdout.
    file: Option<OutputFile>,
}

/// A file that appears only once it is complete.
struct OutputFile {
    path: PathBuf,
    temporary: RefCell<Option<NamedTempFile>>,
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
        self.file = match path.filter(|path| path.as_os_str() != "-") {
            None => None,
            Some(path) => {
                let refused = |reason: &str| usage_error(format!("-o: {} {reason}", ShownPath(path)));
                // The complete file would take its place: for root, that of `/dev/null`, too.
                if let Some(kind) = files::not_a_file(path) {
                    let failure = refused(&format!("is {kind}, not a regular file"));
                    return Err(failure.with_hint("`-o -` is stdout"));
                }
                // A link stays a link.
                let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
                let path = target.as_path();
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let temporary = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
                let temporary = temporary.map_err(|e| cannot_write(path, e.kind()))?;
                Some(OutputFile { path: path.to_owned(), temporary: RefCell::new(Some(temporary)) })
            }
        };
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

    fn write(&self, print: impl FnOnce(&mut dyn io::Write) -> Result<(), Failure>) -> Result<(), Failure> {
        let Some(file) = &self.file else {
            let mut out = io::BufWriter::new(io::stdout().lock());
            print(&mut out)?;
            return Ok(out.flush()?);
        };
        let mut text = Vec::new();
        print(&mut text)?;
        let failed = |e: io::Error| cannot_write(&file.path, e.kind());
        let Some(mut temporary) = file.temporary.take() else { return Ok(()) };
        temporary.write_all(&text).map_err(failed)?;
        temporary.persist(&file.path).map_err(|e| failed(e.error))?;
        Ok(())
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

fn cannot_write(path: &Path, reason: io::ErrorKind) -> Failure {
    usage_error(format!("-o: cannot write {}: {reason}", ShownPath(path)))
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
