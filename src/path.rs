//! Paths, purely: normalise what was written, expand variables, encode queries.
//!
//! PHP's rules, without PHP's traps (docs/porting-from-php.md). Expansion is RFC 6570, by `iri-string`.

use std::borrow::Cow;

use iri_string::spec::UriSpec;
use iri_string::template::UriTemplateStr;
use iri_string::template::context::{DynamicContext, VisitPurpose, Visitor};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::Value;

use crate::error::{PathError, kind_of};

/// All but RFC 3986's unreserved characters.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[allow(clippy::disallowed_methods)] // this is the room for it
fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, VALUE)
}

/// Whether `path` is a whole URL, which is taken as it is.
pub(crate) fn is_absolute(path: &str) -> bool {
    let starts =
        |scheme: &str| path.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

/// `left` and what was chained behind it, already normalised both.
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
    let mut joined = String::with_capacity(left.len() + 1 + right.len());
    joined.push_str(left);
    joined.push('/');
    joined.push_str(right);
    Ok(joined)
}

/// The template that a path stands for: each segment by the case rule, the query and whole URLs as they are.
pub(crate) fn normalise(path: &str) -> Result<String, PathError> {
    if is_absolute(path) {
        // A parser would drop or rewrite these without a word.
        let odd = path
            .chars()
            .find(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`' | '|'));
        return match odd {
            Some(character) => Err(PathError::UnsafeCharacter { segment: path.to_owned(), character }),
            None => Ok(path.to_owned()),
        };
    }
    let (segments, query) = match query_start(path) {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    };
    let segments = segments.strip_prefix('/').unwrap_or(segments);
    let mut template = String::with_capacity(path.len() + 8);
    let mut rest = Some(segments);
    while let Some(text) = rest {
        let (segment, tail) = match split_outside_braces(text, b'/') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        // A slash at the end is a joint to what may yet be chained; `expand` refuses one that stays.
        if segment.is_empty() && tail.is_some() {
            return Err(PathError::EmptySegment { path: path.to_owned() });
        }
        normalise_segment(segment, &mut template)?;
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

/// One segment by the case rule, for `seg`.
pub(crate) fn normalise_one(segment: &str) -> Result<String, PathError> {
    if segment.is_empty() {
        return Err(PathError::EmptySegment { path: segment.to_owned() });
    }
    if split_outside_braces(segment, b'/').is_some() {
        return Err(PathError::SlashInSegment { segment: segment.to_owned() });
    }
    if let Some(character) = split_outside_braces(segment, b'?').and(Some('?')) {
        return Err(PathError::UnsafeCharacter { segment: segment.to_owned(), character });
    }
    let mut template = String::with_capacity(segment.len() + 4);
    normalise_segment(segment, &mut template)?;
    Ok(template)
}

fn normalise_segment(segment: &str, out: &mut String) -> Result<(), PathError> {
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
    if !capitals {
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

/// RFC 3986 `pchar` but for capitals and percent-encoding, which have rules of their own here.
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

/// A query written in the path stays as it is, so it must be one already (RFC 3986 section 3.4).
fn check_query(query: &str) -> Result<(), PathError> {
    let bytes = query.as_bytes();
    let mut inside = false;
    for (at, character) in query.char_indices() {
        let fine = match character {
            '{' => {
                inside = true;
                query[at..].contains('}')
            }
            '}' => std::mem::replace(&mut inside, false),
            _ if inside => true,
            '%' => is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)),
            '/' | '?' => true,
            _ => character.is_ascii() && is_pchar(character as u8),
        };
        if !fine {
            return Err(PathError::UnsafeCharacter { segment: query.to_owned(), character });
        }
    }
    Ok(())
}

/// The path (and query) that a template makes with these variables.
pub(crate) fn expand<'t>(template: &'t str, vars: &[(String, Value)]) -> Result<Cow<'t, str>, PathError> {
    let path = &template[..query_start(template).unwrap_or(template.len())];
    if path.is_empty() || path.ends_with('/') && !is_absolute(path) {
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

fn expand_template(template: &str, vars: &[(String, Value)]) -> Result<String, PathError> {
    let bad = |e: iri_string::template::Error| bad_template(template, e);
    check_prefixes(template)?;
    let parsed = UriTemplateStr::new(template).map_err(bad)?;
    for (name, value) in vars {
        if !parsed.variables().any(|v| v.as_str() == name) {
            return Err(PathError::UnknownVariable { name: name.clone(), template: template.to_owned() });
        }
        if let Some(found) = not_expandable(value) {
            return Err(PathError::VariableValue { name: name.clone(), found: found.to_owned() });
        }
    }
    let mut expanded = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((literal, (expression, tail))) =
        rest.split_once('{').and_then(|(literal, rest)| Some((literal, rest.split_once('}')?)))
    {
        expanded.push_str(literal);
        expand_expression(template, expression, vars, &mut expanded)?;
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// A prefix is 1 to 9999 (RFC 6570 section 2.4.1); the library panics on a larger one than it can count.
fn check_prefixes(template: &str) -> Result<(), PathError> {
    for expression in
        template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside)
    {
        for (_, length) in expression.split(',').filter_map(|variable| variable.split_once(':')) {
            let plain = (1..=4).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
            if !plain || length.starts_with('0') {
                let reason = format!("a prefix must be 1 to 9999; it is `{length}`");
                return Err(PathError::Template { template: template.to_owned(), reason });
            }
        }
    }
    Ok(())
}

/// One expression, without its braces. The library gets it without prefixes (`:n`) and, for a reserved expansion, with
/// ASCII values only: iri-string 0.7.14 panics on either with a value that is not ASCII.
fn expand_expression(
    template: &str,
    expression: &str,
    vars: &[(String, Value)],
    out: &mut String,
) -> Result<(), PathError> {
    let reserved = expression.starts_with(['+', '#']);
    let mut plain = String::with_capacity(expression.len() + 2);
    let mut lengths = Vec::new();
    plain.push('{');
    for (at, variable) in expression.split(',').enumerate() {
        if at > 0 {
            plain.push(',');
        }
        let (name, length) = match variable.split_once(':') {
            Some((name, length)) => (name, length.parse().unwrap_or(usize::MAX)),
            None => (variable, usize::MAX),
        };
        plain.push_str(name);
        lengths.push(length);
    }
    plain.push('}');
    let mut context = Variables { vars, reserved, lengths: lengths.into_iter(), missing: None };
    let done = UriTemplateStr::new(&plain)
        .and_then(|plain| plain.expand_dynamic::<UriSpec, _, _>(out, &mut context));
    if let Some(name) = context.missing {
        return Err(PathError::MissingVariable { name, template: template.to_owned() });
    }
    done.map_err(|e| bad_template(template, e))
}

fn bad_template(template: &str, e: iri_string::template::Error) -> PathError {
    PathError::Template { template: template.to_owned(), reason: e.to_string() }
}

struct Variables<'a> {
    vars: &'a [(String, Value)],
    reserved: bool,
    /// How many characters of each variable are wanted, in the order in which they are expanded.
    lengths: std::vec::IntoIter<usize>,
    missing: Option<String>,
}

impl DynamicContext for Variables<'_> {
    fn visit_dynamic<V: Visitor>(&mut self, visitor: V) -> V::Result {
        let name = visitor.var_name();
        let expands = visitor.purpose() == VisitPurpose::Expand;
        let length = if expands { self.lengths.next() } else { None }.unwrap_or(usize::MAX);
        let item = |value| self.escape(scalar(value));
        // The last value given for a name counts, as with PHP's array keys.
        match self.vars.iter().rev().find(|(n, _)| n == name.as_str()).map(|(_, value)| value) {
            Some(Value::Array(items)) if !items.is_empty() => {
                visitor.visit_list_direct(items.iter().map(item))
            }
            Some(Value::Object(map)) if !map.is_empty() => {
                let pairs = map.iter().map(|(k, v)| (self.escape(Cow::Borrowed(k)), item(v)));
                visitor.visit_assoc_direct(pairs)
            }
            Some(value @ (Value::String(_) | Value::Bool(_) | Value::Number(_))) => {
                let text = match scalar(value) {
                    text if length == usize::MAX => text,
                    text => Cow::Owned(first_characters(&text, length, self.reserved).to_owned()),
                };
                visitor.visit_string(self.escape(text))
            }
            // Null and the empty list are "undefined" in RFC 6570 section 3.2.1.
            _ => {
                if expands && self.missing.is_none() {
                    self.missing = Some(name.as_str().to_owned());
                }
                visitor.visit_undefined()
            }
        }
    }
}

impl Variables<'_> {
    /// A reserved expansion keeps percent-encoded triplets, so encoding what is not ASCII beforehand changes nothing.
    #[allow(clippy::disallowed_methods)] // this is the room for it
    fn escape<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        if !self.reserved || text.is_ascii() {
            return text;
        }
        Cow::Owned(utf8_percent_encode(&text, &AsciiSet::EMPTY).to_string())
    }
}

/// The first `count` characters (RFC 6570 section 2.4.1); where triplets are kept, none is split.
fn first_characters(text: &str, count: usize, triplets: bool) -> &str {
    let bytes = text.as_bytes();
    let mut end = 0;
    for _ in 0..count {
        let Some(character) = text[end..].chars().next() else { break };
        let triplet =
            triplets && character == '%' && is_hex(bytes.get(end + 1)) && is_hex(bytes.get(end + 2));
        end += if triplet { 3 } else { character.len_utf8() };
    }
    &text[..end]
}

fn scalar(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn not_expandable(value: &Value) -> Option<&'static str> {
    let nested = |v: &Value| v.is_array() || v.is_object() || v.is_null();
    match value {
        Value::Array(items) => items.iter().find(|v| nested(v)),
        Value::Object(map) => map.values().find(|v| nested(v)),
        _ => None,
    }
    .map(|inner| match inner {
        Value::Null => "a list or map with null in it",
        Value::Array(_) => "a list or map with an array in it",
        _ => "a list or map with an object in it",
    })
}

fn refuse_dot_segments(url: &str) -> Result<(), PathError> {
    let path = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    // No dot, no dot segment: the usual path is read once, and no more.
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

/// Appends a query value to `query`: strings as they are, arrays as `a[0]=`, null left out, space as `%20`.
///
/// # Errors
/// What was found, when `value` is neither an object nor a string.
pub(crate) fn append_query(query: &mut String, value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                append_pair(query, &mut encode(key).to_string(), value);
            }
        }
        Value::String(raw) => {
            separate(query);
            append_raw(query, raw);
        }
        other => return Err(kind_of(other)),
    }
    Ok(())
}

fn append_pair(query: &mut String, key: &mut String, value: &Value) {
    let mut nested = |query: &mut String, index: &str, value: &Value| {
        let length = key.len();
        key.push_str("%5B");
        key.extend(encode(index));
        key.push_str("%5D");
        append_pair(query, key, value);
        key.truncate(length);
    };
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                nested(query, &at.to_string(), item);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                nested(query, name, item);
            }
        }
        leaf => {
            separate(query);
            query.push_str(key);
            query.push('=');
            query.extend(encode(&scalar(leaf)));
        }
    }
}

fn separate(query: &mut String) {
    if !query.is_empty() {
        query.push('&');
    }
}

/// A query that is given as text keeps what is legal in it; anything else is encoded, as Guzzle does.
fn append_raw(query: &mut String, raw: &str) {
    let bytes = raw.as_bytes();
    for (at, character) in raw.char_indices() {
        let legal = match character {
            '%' => is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)),
            '/' | '?' => true,
            _ => character.is_ascii() && is_pchar(character as u8),
        };
        if legal {
            query.push(character);
        } else {
            query.extend(encode(character.encode_utf8(&mut [0; 4])));
        }
    }
}

#[cfg(test)]
mod tests;
