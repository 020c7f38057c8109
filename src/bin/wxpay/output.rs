//! What goes to stdout: JSON, set out and coloured for people, compact for programs.

use std::io::{self, IsTerminal as _, Write as _};

use jaq_json::write::{Pp, Styles, write};
use jaq_json::{Val, read};
use serde_json::Value;

use crate::cli::When;
use crate::exit::{Failure, usage};
use crate::jq::Filter;

/// How JSON is printed.
pub(crate) struct Output {
    layout: Pp,
    filter: Option<Filter>,
    /// Texts that a filter gives are printed without quotes.
    plain_texts: bool,
}

impl Output {
    pub(crate) fn new(color: When) -> Output {
        Output { layout: layout(color), filter: None, plain_texts: false }
    }

    /// Passes what is printed through a jq filter. It is compiled now, so that a mistake in it costs no call.
    pub(crate) fn with_filter(mut self, filter: Option<&str>, plain_texts: bool) -> Result<Output, Failure> {
        self.filter = filter.map(Filter::compile).transpose()?;
        self.plain_texts = plain_texts;
        Ok(self)
    }

    /// A body as it came: numbers keep their digits. What is no JSON is printed as it is.
    pub(crate) fn body(&self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() && self.filter.is_none() {
            return Ok(());
        }
        let text = if bytes.is_empty() { b"null" } else { bytes };
        // Asked first: it bounds how deep a value may be, and takes no more than JSON.
        if serde_json::from_slice::<Value>(text).is_err() {
            return match &self.filter {
                Some(_) => Err(usage("the answer is no JSON: there is nothing for --jq")),
                None => raw(bytes),
            };
        }
        let value = read::parse_single(text).map_err(|e| usage(format!("the answer cannot be read: {e}")))?;
        self.print(value)
    }

    pub(crate) fn json(&self, value: &Value) -> Result<(), Failure> {
        self.body(value.to_string().as_bytes())
    }

    fn print(&self, value: Val) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match &self.filter {
            None => self.line(&mut out, &value)?,
            Some(filter) => filter.run(value, |value| match value {
                Val::TStr(text) if self.plain_texts => {
                    out.write_all(&text)?;
                    Ok(out.write_all(b"\n")?)
                }
                value => self.line(&mut out, &value),
            })?,
        }
        Ok(out.flush()?)
    }

    fn line(&self, out: &mut dyn io::Write, value: &Val) -> Result<(), Failure> {
        write(out, &self.layout, 0, value)?;
        Ok(out.write_all(b"\n")?)
    }
}

/// Bytes, untouched.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// A line of text.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    raw(format!("{text}\n").as_bytes())
}

/// Something that is no reason to stop.
pub(crate) fn warn(text: &str) {
    // Nowhere to say it, if this fails.
    let _ = writeln!(io::stderr(), "wxpay: warning: {text}");
}

fn layout(color: When) -> Pp {
    let variable = |name| std::env::var_os(name).is_some_and(|value: std::ffi::OsString| !value.is_empty());
    let terminal = io::stdout().is_terminal();
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let (people, coloured) = match color {
        When::Always => (true, true),
        When::Never => (terminal, false),
        When::Auto => (terminal, terminal && !dumb && !variable("NO_COLOR")),
    };
    Pp {
        indent: people.then(|| "  ".to_owned()),
        sort_keys: false,
        styles: if coloured { Styles::ansi() } else { Styles::default() },
        sep_space: people,
    }
}

/// What went wrong, and what to do about it.
pub(crate) fn hint(problem: &str, hint: &str) {
    // Nowhere to say it, if this fails.
    let _ = writeln!(io::stderr(), "wxpay: {problem}\n  {hint}");
}
