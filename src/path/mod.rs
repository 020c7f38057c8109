//! Paths: normalise segments, expand variables, encode queries. Pure functions.
//!
//! PHP's rules, without PHP's traps (docs/porting-from-php.md). `iri-string` expands RFC 6570 templates.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::error::{PathError, shown_template};

mod expand;
mod query;

use expand::expand_template;
pub(crate) use query::{Query, map_query};

/// The most that is expanded or encoded, in bytes: far above any URL that can be sent. A template may name a long value,
/// and a query a long key, any number of times.
const MAX_LENGTH: usize = 1 << 20;

/// All but RFC 3986's unreserved characters.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[allow(clippy::disallowed_methods)] // the place for it
fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, VALUE)
}

/// `None` if the bytes are not UTF-8.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Whether `path` is an absolute URL, which is used unchanged.
pub(crate) fn is_absolute(path: &str) -> bool {
    let starts =
        |scheme: &str| path.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

/// Two normalised paths, joined by one slash.
pub(crate) fn join(left: &str, right: &str) -> Result<String, PathError> {
    if is_absolute(right) || left.is_empty() {
        return Ok(right.to_owned());
    }
    if right.is_empty() {
        return Ok(left.to_owned());
    }
    if query_start(left).is_some() {
        return Err(PathError::AfterQuery { path: left.to_owned() });
    }
    let left = left.strip_suffix('/').unwrap_or(left);
    // Only `/` itself, a slash at the end, begins with one.
    let right = right.strip_prefix('/').unwrap_or(right);
    if left.is_empty() {
        return Ok(right.to_owned());
    }
    let mut joined = String::with_capacity(left.len() + 1 + right.len());
    joined.push_str(left);
    joined.push('/');
    joined.push_str(right);
    Ok(joined)
}

/// What becomes of the capitals of a camelCase word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// PHP's rule: `merchantService` is `merchant-service`.
    Php,
    /// They stay: a literal path.
    Keep,
}

/// The template of a path: the case rule applied to each segment; a query, an absolute URL and a slash at the end
/// unchanged.
pub(crate) fn normalise(path: &str) -> Result<String, PathError> {
    normalise_as(path, Case::Php)
}

/// The template of a literal path: without the case rule.
pub(crate) fn normalise_literal(path: &str) -> Result<String, PathError> {
    normalise_as(path, Case::Keep)
}

fn normalise_as(path: &str, case: Case) -> Result<String, PathError> {
    if is_absolute(path) {
        // A URL parser would silently drop or rewrite these.
        let odd = path
            .chars()
            .find(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`' | '|'));
        return match odd {
            Some(character) => {
                Err(PathError::UnsafeCharacter { segment: shown_template(path).into_owned(), character })
            }
            None => Ok(path.to_owned()),
        };
    }
    let (segments, query) = match query_start(path) {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    };
    let mut template = String::with_capacity(path.len() + 8);
    let segments = match segments.strip_prefix('/') {
        // No segment, but the slash at the end of the path that it is appended to.
        Some("") => {
            template.push('/');
            ""
        }
        Some(segments) => segments,
        None => segments,
    };
    let mut rest = Some(segments);
    while let Some(text) = rest {
        let (segment, tail) = match split_outside_braces(text, b'/') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        // A slash at the end is kept: some documented paths have it.
        if segment.is_empty() && tail.is_some() {
            return Err(PathError::EmptySegment { path: path.to_owned() });
        }
        normalise_segment(segment, case, &mut template).map_err(|error| match error {
            PathError::DotSegment { segment, .. } => PathError::DotSegment { segment, path: path.to_owned() },
            other => other,
        })?;
        if tail.is_some() {
            template.push('/');
        }
        rest = tail;
    }
    if let Some(query) = query.filter(|q| !q.is_empty()) {
        check_query(query)?;
        template.push('?');
        template.push_str(query);
    }
    Ok(template)
}

/// The template of one segment, for `seg`. It may have the slash at the end of a documented path.
pub(crate) fn normalise_one(segment: &str) -> Result<String, PathError> {
    let name = segment.strip_suffix('/').unwrap_or(segment);
    if name.is_empty() {
        return Err(PathError::EmptySegment { path: segment.to_owned() });
    }
    if split_outside_braces(name, b'/').is_some() {
        return Err(PathError::SlashInSegment { segment: segment.to_owned() });
    }
    if let Some(character) = split_outside_braces(name, b'?').and(Some('?')) {
        return Err(PathError::UnsafeCharacter { segment: segment.to_owned(), character });
    }
    let mut template = String::with_capacity(segment.len() + 4);
    normalise_segment(name, Case::Php, &mut template)?;
    template.push_str(&segment[name.len()..]);
    Ok(template)
}

fn normalise_segment(segment: &str, case: Case, out: &mut String) -> Result<(), PathError> {
    for mark in ['_', '$'] {
        let name = segment.strip_prefix(mark).and_then(|s| s.strip_suffix(mark));
        if let Some(name) = name.filter(|n| !n.is_empty()) {
            out.push('{');
            out.push_str(name);
            out.push('}');
            return Ok(());
        }
    }
    if segment == "." || segment == ".." {
        return Err(PathError::DotSegment { segment: segment.to_owned(), path: segment.to_owned() });
    }
    let refuse = |character| Err(PathError::UnsafeCharacter { segment: segment.to_owned(), character });
    let bytes = segment.as_bytes();
    let (mut at, mut capitals) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => match segment[at..].find('}') {
                Some(end) => at += end,
                None => return refuse('{'),
            },
            b'%' if is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)) => at += 2,
            b'A'..=b'Z' => capitals = true,
            byte if is_pchar(byte) => {}
            _ => return refuse(segment[at..].chars().next().unwrap_or('\u{fffd}')),
        }
        at += 1;
    }
    if !capitals || case == Case::Keep && is_word(bytes) {
        out.push_str(segment);
    } else if is_word(bytes) {
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && byte.is_ascii_uppercase() {
                out.push('-');
            }
            out.push(byte.to_ascii_lowercase() as char);
        }
    } else {
        return Err(PathError::ValueAsSegment { segment: segment.to_owned() });
    }
    Ok(())
}

/// A camelCase word: `[a-z][a-z0-9]*` or `[A-Z][a-z]+`, then any number of `[A-Z][a-z0-9]+`.
fn is_word(bytes: &[u8]) -> bool {
    let run = |from: usize, digits: bool| {
        bytes[from..].iter().take_while(|b| b.is_ascii_lowercase() || (digits && b.is_ascii_digit())).count()
    };
    let mut at = match bytes.first() {
        Some(b'a'..=b'z') => run(0, true),
        Some(b'A'..=b'Z') => match run(1, false) {
            0 => return false,
            n => 1 + n,
        },
        _ => return false,
    };
    while at < bytes.len() {
        let tail = if bytes[at].is_ascii_uppercase() { run(at + 1, true) } else { 0 };
        if tail == 0 {
            return false;
        }
        at += 1 + tail;
    }
    true
}

fn is_hex(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_hexdigit)
}

/// RFC 3986 `pchar`, except percent-encoding, which is checked separately.
fn is_pchar(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\''
        | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

fn split_outside_braces(text: &str, mark: u8) -> Option<usize> {
    let mut inside = false;
    text.bytes().position(|byte| {
        match byte {
            b'{' => inside = true,
            b'}' => inside = false,
            _ => {}
        }
        byte == mark && !inside
    })
}

fn query_start(path: &str) -> Option<usize> {
    split_outside_braces(path, b'?')
}

/// A query in the path stays unchanged, so it must be encoded already (RFC 3986 section 3.4).
fn check_query(query: &str) -> Result<(), PathError> {
    let bytes = query.as_bytes();
    // Looked up once: a search from each `{` would read a long query as many times.
    let last_close = query.rfind('}');
    let mut inside = false;
    for (at, character) in query.char_indices() {
        let fine = match character {
            '{' => {
                inside = true;
                last_close.is_some_and(|close| at < close)
            }
            '}' => std::mem::replace(&mut inside, false),
            _ if inside => true,
            '%' => is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)),
            '/' | '?' => true,
            _ => character.is_ascii() && is_pchar(character as u8),
        };
        if !fine {
            // Only the name of the parameter: its value may be a token.
            let pair = query[..at].rsplit('&').next().unwrap_or_default();
            let segment = match pair.split_once('=') {
                Some((name, _)) => format!("{name}=…"),
                None => pair.to_owned(),
            };
            return Err(PathError::UnsafeCharacter { segment, character });
        }
    }
    Ok(())
}

/// The path (and query) of a template with these variables.
pub(crate) fn expand<'t>(template: &'t str, vars: &[(String, Value)]) -> Result<Cow<'t, str>, PathError> {
    let path = &template[..query_start(template).unwrap_or(template.len())];
    if matches!(path, "" | "/") {
        return Err(PathError::EmptySegment { path: template.to_owned() });
    }
    let expanded = if template.contains('{') {
        Cow::Owned(expand_template(template, vars)?)
    } else {
        if let Some((name, _)) = vars.first() {
            return Err(PathError::UnknownVariable { name: name.clone(), template: template.to_owned() });
        }
        Cow::Borrowed(template)
    };
    refuse_dot_segments(&expanded)?;
    Ok(expanded)
}

/// The names of the variables of an RFC 6570 template, without operators and modifiers.
pub(crate) fn variable_names(template: &str) -> impl Iterator<Item = &str> {
    let expressions = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    expressions.flat_map(|(expression, _)| {
        let list = expression.strip_prefix(['+', '#', '.', '/', ';', '?', '&']).unwrap_or(expression);
        list.split(',').map(|variable| variable.split([':', '*']).next().unwrap_or(variable))
    })
}

fn scalar(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn refuse_dot_segments(url: &str) -> Result<(), PathError> {
    let path = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    // The usual path has no dot and is read only once.
    if !path.contains(['.', '%']) {
        return Ok(());
    }
    for segment in path.split('/') {
        let dots = segment.len() <= 6
            && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if dots {
            return Err(PathError::DotSegment { segment: segment.to_owned(), path: path.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
