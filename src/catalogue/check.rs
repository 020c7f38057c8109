//! Compares a call with the documents.

use serde_json::{Map, Value};

use super::fields::{EncryptedFor, Field, FieldType, Fields};
use super::hint::{FieldHint, FieldProblem, Hint};
use super::index::{self, Parsed};
use super::operation::{Availability, Operation};
use super::suggest;

#[cfg(test)]
mod tests;

/// A call with as many mistakes as this has one cause.
const MOST_HINTS: usize = 100;
/// The length of base64 below which a text is no ciphertext: RSA gives 344 letters and more, SM2 at least 130.
const SHORTEST_CIPHERTEXT: usize = 130;
/// No documented name is nearly as long.
const LONGEST_NAME: usize = 64;

/// A call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) verb: &'a str,
    /// A complete URL, or a path; without a query.
    pub(crate) url: &'a str,
    /// Decoded.
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: Option<&'a Value>,
}

impl Call<'_> {
    /// All hints: none if the documents have the call as it is.
    pub(crate) fn hints(&self) -> Vec<Hint> {
        let parsed = Parsed::new(self.url);
        // Not a test server's or a proxy's.
        let base = parsed.base.filter(|base| is_documented_base(base));
        let Some(operation) = index::find(self.verb, parsed.path, base) else {
            let documented: Vec<_> = index::at(parsed.path).collect();
            return vec![match documented.is_empty() {
                true => Hint::UnknownPath { suggestions: suggest::suggest(Some(self.verb), parsed.path) },
                false => Hint::OtherVerb { documented },
            }];
        };
        let mut hints = Vec::new();
        if base.is_some_and(|base| !operation.bases().any(|known| known == base)) {
            hints.push(Hint::OtherBase { operation });
        }
        if matches!(operation.availability(), Availability::Superseded | Availability::Withdrawn(_)) {
            hints.push(Hint::Outdated { operation });
        }
        hints.extend(self.field_hints(operation).into_iter().map(Hint::Field));
        hints
    }

    /// Hints about the query and the body.
    fn field_hints(&self, operation: Operation) -> Vec<FieldHint> {
        let no_body = Value::Object(Map::new());
        let body = self.body.or_else(|| operation.form().is_empty().then_some(&no_body));
        compare(operation, self.query, operation.body(), body)
    }
}

/// Hints about a query, and about a body of these fields.
pub(crate) fn compare(
    operation: Operation,
    query: &[(String, String)],
    fields: Fields,
    body: Option<&Value>,
) -> Vec<FieldHint> {
    let mut found = Found { hints: Vec::new(), is_v2: operation.is_v2() };
    found.query(operation, query);
    match body {
        Some(Value::Object(body)) => found.object("body", "", fields, body, operation),
        Some(Value::Null) | None => {}
        Some(other) => {
            found.add("body", "", FieldProblem::WrongType { expected: "object", found: type_of(other) })
        }
    }
    found.hints
}

struct Found {
    hints: Vec<FieldHint>,
    is_v2: bool,
}

impl Found {
    fn add(&mut self, place: &'static str, field: &str, problem: FieldProblem) {
        if !self.is_full() {
            self.hints.push(FieldHint { place, field: field.to_owned(), problem });
        }
    }

    /// Whether there are so many that the rest is not looked at: a call may be as large as its sender likes.
    fn is_full(&self) -> bool {
        self.hints.len() >= MOST_HINTS
    }

    fn query(&mut self, operation: Operation, query: &[(String, String)]) {
        let fields = operation.query();
        let either = either_or(operation, "query");
        for field in fields.iter().filter(|field| is_needed(*field) && !either.contains(&field.name())) {
            if !query.iter().any(|(name, _)| is_parameter(field.name(), name)) {
                self.add("query", field.name(), FieldProblem::Missing);
            }
        }
        self.one_of(operation, "query", &|name| query.iter().any(|(given, _)| given == name));
        for (name, value) in query {
            if self.is_full() {
                return;
            }
            match fields.iter().find(|field| is_parameter(field.name(), name)) {
                Some(field) => self.text("query", name, field, value),
                None => self.add("query", name, FieldProblem::Unknown { near: near(fields, name) }),
            }
        }
    }

    /// `pointer` is that of the object.
    fn object(
        &mut self,
        place: &'static str,
        pointer: &str,
        fields: Fields,
        object: &Map<String, Value>,
        operation: Operation,
    ) {
        let here = if pointer.is_empty() {
            place.to_owned()
        } else {
            format!("{place}{}", pointer.replace('/', "."))
        };
        let either = either_or(operation, &here);
        for field in fields.iter().filter(|field| is_needed(*field) && !either.contains(&field.name())) {
            // Of a numbered name of APIv2, there may be none.
            let is_numbered = self.is_v2 && field.name().contains('$');
            if !is_numbered && !object.contains_key(field.name()) {
                self.add(place, &format!("{pointer}/{}", field.name()), FieldProblem::Missing);
            }
        }
        self.one_of(operation, &here, &|name| object.get(name).is_some_and(|value| !value.is_null()));
        for (name, value) in object {
            if self.is_full() {
                return;
            }
            let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            match fields.iter().find(|field| is_numbered(field.name(), name)) {
                Some(field) => self.value(place, &at, field, value, operation),
                // An object whose members no document lists.
                None if fields.is_empty() && !pointer.is_empty() => {}
                None => self.add(place, &at, FieldProblem::Unknown { near: near(fields, name) }),
            }
        }
    }

    fn one_of(&mut self, operation: Operation, place: &str, is_given: &dyn Fn(&str) -> bool) {
        for either in operation.either_or().filter(|either| either.place() == place) {
            if !either.names().any(is_given) {
                let first = if place.starts_with("query") { "query" } else { "body" };
                self.add(first, place, FieldProblem::MissingOneOf(either.names().collect()));
            }
        }
    }

    fn value(
        &mut self,
        place: &'static str,
        pointer: &str,
        field: Field,
        value: &Value,
        operation: Operation,
    ) {
        if value.is_null() {
            return self.add(place, pointer, FieldProblem::Null);
        }
        if !field.is_list() {
            return self.single(place, pointer, field, value, operation);
        }
        match value {
            Value::Array(list) => {
                if let Some(most) = field.max_items().filter(|most| list.len() > *most) {
                    let problem = FieldProblem::Length { allowed: (0, most), found: list.len() };
                    self.add(place, pointer, problem);
                }
                for (number, element) in list.iter().enumerate() {
                    if self.is_full() {
                        return;
                    }
                    self.single(place, &format!("{pointer}/{number}"), field, element, operation);
                }
            }
            // APIv2 has lists as JSON texts.
            Value::String(_) if field.field_type() == FieldType::Json => {}
            other => self.wrong_type(place, pointer, field, other),
        }
    }

    fn single(
        &mut self,
        place: &'static str,
        pointer: &str,
        field: Field,
        value: &Value,
        operation: Operation,
    ) {
        match (field.field_type(), value) {
            (FieldType::Object, Value::Object(object)) => {
                self.object(place, pointer, field.fields(), object, operation);
            }
            (FieldType::String | FieldType::Json, Value::String(text)) => {
                self.text(place, pointer, field, text)
            }
            (FieldType::Integer | FieldType::Number, Value::Number(number)) => {
                let whole = number.as_i64();
                if field.field_type() == FieldType::Integer && whole.is_none() && !number.is_u64() {
                    return self.wrong_type(place, pointer, field, value);
                }
                let allowed = range(field);
                if whole.is_some_and(|whole| !(allowed.0..=allowed.1).contains(&whole)) {
                    self.add(place, pointer, FieldProblem::Range { allowed });
                }
            }
            (FieldType::Boolean, Value::Bool(_)) => {}
            // All values of APIv2 are texts.
            (FieldType::Integer | FieldType::Number | FieldType::Boolean, Value::String(text))
                if self.is_v2 =>
            {
                self.text(place, pointer, field, text);
            }
            (FieldType::String, Value::Number(_)) if self.is_v2 => {}
            (FieldType::Json, Value::Object(_)) if self.is_v2 => {}
            _ => self.wrong_type(place, pointer, field, value),
        }
    }

    fn wrong_type(&mut self, place: &'static str, pointer: &str, field: Field, value: &Value) {
        let problem = FieldProblem::WrongType { expected: field.type_name(), found: type_of(value) };
        self.add(place, pointer, problem);
    }

    fn text(&mut self, place: &'static str, pointer: &str, field: Field, text: &str) {
        if field.encrypted_for() == Some(EncryptedFor::Platform) {
            let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
            if !text.is_empty() && (text.len() < SHORTEST_CIPHERTEXT || !text.chars().all(is_base64)) {
                self.add(place, pointer, FieldProblem::NotEncrypted);
            }
            return;
        }
        let (least, most) = (field.min_length().unwrap_or(0), field.max_length().unwrap_or(usize::MAX));
        let length = text.chars().count();
        if field.field_type() == FieldType::String && !(least..=most).contains(&length) {
            self.add(place, pointer, FieldProblem::Length { allowed: (least, most), found: length });
        }
        if field.values().next().is_some() && !field.values().any(|value| value == text) {
            let documented = field.values().collect();
            self.add(place, pointer, FieldProblem::OtherValue { documented });
        }
    }
}

/// Whether the documents have operations on this host.
pub(crate) fn is_documented_base(base: &str) -> bool {
    index::bases().any(|known| host(known) == host(base))
}

fn host(base: &str) -> &str {
    base.splitn(3, '/').nth(2).and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

fn range(field: Field) -> (i64, i64) {
    let (least, most) = field.range();
    (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))
}

fn is_needed(field: Field) -> bool {
    field.is_required() && field.is_listed() && !field.is_automatic()
}

/// The fields of a place of which one is needed.
fn either_or(operation: Operation, place: &str) -> Vec<&'static str> {
    operation.either_or().filter(|either| either.place() == place).flat_map(|either| either.names()).collect()
}

/// `ids[0]` is an element of the parameter `ids`.
fn is_parameter(documented: &str, name: &str) -> bool {
    name.strip_prefix(documented).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

/// `coupon_id_0` is one of `coupon_id_$n`.
fn is_numbered(documented: &str, name: &str) -> bool {
    if !documented.contains('$') {
        return documented == name;
    }
    let (mut expected, mut found) = (documented.split('_'), name.split('_'));
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return true,
            (Some("$n" | "$m"), Some(number)) => {
                if number.is_empty() || number.len() > 9 || !number.bytes().all(|byte| byte.is_ascii_digit())
                {
                    return false;
                }
            }
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// A documented name that `name` may be a slip of: another spelling of words, or a letter or two.
pub(crate) fn near(fields: Fields, name: &str) -> Option<&'static str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let length = wanted.chars().count();
    let far = 1 + length / 6;
    let near = fields.iter().filter_map(|field| {
        let known = plain(field.name());
        let apart = (known.len().abs_diff(length) <= far).then(|| suggest::letters_apart(&known, &wanted))?;
        (apart <= far as f64).then_some((apart, field.name()))
    });
    near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
