//! RFC 6570 expansion with `iri-string`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use iri_string::spec::UriSpec;
use iri_string::template::UriTemplateStr;
use iri_string::template::context::{DynamicContext, VisitPurpose, Visitor};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde_json::Value;

use super::{MAX_LENGTH, is_hex, scalar};
use crate::error::{Excerpt, PathError};

/// A map: a template may have thousands of variables, and each is looked up.
type Values<'a> = HashMap<&'a str, &'a Value>;

pub(super) fn expand_template(template: &str, vars: &[(String, Value)]) -> Result<String, PathError> {
    let bad = |e: iri_string::template::Error| bad_template(template, e);
    check_ascii(template)?;
    check_prefixes(template)?;
    let parsed = UriTemplateStr::new(template).map_err(bad)?;
    let wanted: HashSet<&str> = parsed.variables().map(|variable| variable.as_str()).collect();
    // The last value of a name counts, as with PHP's array keys.
    let mut values = Values::with_capacity(vars.len());
    for (name, value) in vars {
        if !wanted.contains(name.as_str()) {
            return Err(PathError::UnknownVariable { name: name.clone(), template: template.to_owned() });
        }
        if let Some(found) = not_expandable(value) {
            return Err(PathError::VariableValue { name: name.clone(), found: found.to_owned() });
        }
        values.insert(name, value);
    }
    let mut expanded = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((literal, (expression, tail))) =
        rest.split_once('{').and_then(|(literal, rest)| Some((literal, rest.split_once('}')?)))
    {
        expanded.push_str(literal);
        expand_expression(template, expression, &values, &mut expanded)?;
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// A template is ASCII (RFC 6570 sections 2.1 and 2.3); the library panics on some others.
fn check_ascii(template: &str) -> Result<(), PathError> {
    let Some((at, character)) = template.char_indices().find(|(_, c)| !c.is_ascii()) else { return Ok(()) };
    let before = &template[..at];
    let reason = if before.rfind('{') > before.rfind('}') {
        format!("the name of a variable must be ASCII; it has {character:?}")
    } else {
        format!("{character:?} must be percent-encoded")
    };
    Err(PathError::Template { template: template.to_owned(), reason })
}

/// A prefix is 1 to 9999 (RFC 6570 section 2.4.1); the library panics on one that overflows.
fn check_prefixes(template: &str) -> Result<(), PathError> {
    for expression in
        template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside)
    {
        for (_, length) in expression.split(',').filter_map(|variable| variable.split_once(':')) {
            let plain = (1..=4).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
            if !plain || length.starts_with('0') {
                let reason = format!("a prefix must be 1 to 9999; it is {}", Excerpt(length));
                return Err(PathError::Template { template: template.to_owned(), reason });
            }
        }
    }
    Ok(())
}

/// Expands one expression, given without its braces. The library receives it without prefixes (`:n`) and, for a reserved
/// expansion, with ASCII values only: iri-string 0.7.14 panics on either with a value that is not ASCII.
fn expand_expression(
    template: &str,
    expression: &str,
    values: &Values<'_>,
    out: &mut String,
) -> Result<(), PathError> {
    if out.len() > MAX_LENGTH {
        return Err(too_long(template));
    }
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
    let mut context = Variables { values, reserved, lengths: lengths.into_iter(), missing: None };
    let mut bounded = Bounded { out, full: false };
    let done = UriTemplateStr::new(&plain)
        .and_then(|plain| plain.expand_dynamic::<UriSpec, _, _>(&mut bounded, &mut context));
    if bounded.full {
        return Err(too_long(template));
    }
    if let Some(name) = context.missing {
        return Err(PathError::MissingVariable { name, template: template.to_owned() });
    }
    done.map_err(|e| bad_template(template, e))
}

/// A text that grows no further than to [`MAX_LENGTH`].
struct Bounded<'a> {
    out: &'a mut String,
    full: bool,
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.out.len() + text.len() > MAX_LENGTH {
            self.full = true;
            return Err(fmt::Error);
        }
        self.out.push_str(text);
        Ok(())
    }
}

fn too_long(template: &str) -> PathError {
    let url = template.chars().take(200).collect();
    PathError::Url { url, reason: format!("it is too long with its values: more than {MAX_LENGTH} bytes") }
}

fn bad_template(template: &str, e: iri_string::template::Error) -> PathError {
    PathError::Template { template: template.to_owned(), reason: reason(&e) }
}

/// In our words; the library's text has no more than a place.
fn reason(e: &iri_string::template::Error) -> String {
    let text = e.to_string();
    let what = match () {
        () if text.contains("not closed") => "a `{` has no `}`",
        () if text.contains("operator") => "an operator after `{` is not known (known: + # . / ; ? &)",
        () if text.contains("percent") => "a `%` must be followed by two hex digits",
        () if text.contains("character") => "a character is not allowed",
        () => "an expression in braces is wrong",
    };
    let place = text.rsplit_once("(at ").and_then(|(_, rest)| rest.split('-').next()?.parse::<usize>().ok());
    place.map_or_else(|| what.to_owned(), |place| format!("{what}, after {place} bytes"))
}

struct Variables<'a> {
    values: &'a Values<'a>,
    reserved: bool,
    /// The maximum length of each variable, in characters, in the order of expansion.
    lengths: std::vec::IntoIter<usize>,
    missing: Option<String>,
}

impl DynamicContext for Variables<'_> {
    fn visit_dynamic<V: Visitor>(&mut self, visitor: V) -> V::Result {
        let name = visitor.var_name();
        let expands = visitor.purpose() == VisitPurpose::Expand;
        let length = if expands { self.lengths.next() } else { None }.unwrap_or(usize::MAX);
        let item = |value| self.escape(scalar(value));
        match self.values.get(name.as_str()).copied() {
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
    /// Encodes non-ASCII characters in advance. The result is the same: a reserved expansion keeps encoded triplets.
    #[allow(clippy::disallowed_methods)] // the place for it
    fn escape<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        if !self.reserved || text.is_ascii() {
            return text;
        }
        Cow::Owned(utf8_percent_encode(&text, &AsciiSet::EMPTY).to_string())
    }
}

/// The first `count` characters (RFC 6570 section 2.4.1). With `triplets`, an encoded triplet counts as one.
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

fn not_expandable(value: &Value) -> Option<&'static str> {
    let nested = |v: &Value| v.is_array() || v.is_object() || v.is_null();
    match value {
        Value::Array(items) => items.iter().find(|v| nested(v)),
        Value::Object(map) => map.values().find(|v| nested(v)),
        _ => None,
    }
    .map(|inner| match inner {
        Value::Null => "a list or map that contains null",
        Value::Array(_) => "a list or map that contains an array",
        _ => "a list or map that contains an object",
    })
}
