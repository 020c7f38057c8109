//! The values of a form as JSON, by the types of the documented fields.

use serde_json::{Map, Number, Value};

use crate::catalogue::{EncryptedFor, Field, FieldType, Fields};

/// The most elements of a list in a form.
pub(super) const MAX_ELEMENTS: usize = 50;

/// A value that cannot be sent: the name of its input, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) name: String,
    pub(super) kind: MistakeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MistakeKind {
    Missing,
    WholeNumber,
    Number,
    Boolean,
    Json,
    JsonObject,
    File,
}

/// Where the texts of a form come from.
pub(super) trait Texts {
    fn text(&self, name: &str) -> &str;
    /// The elements of a list of objects.
    fn count(&self, name: &str) -> usize;
}

/// What was read: the JSON, pointers to what must be encrypted, and what cannot be sent.
#[derive(Default)]
pub(super) struct Read {
    pub(super) encrypted: Vec<String>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Read {
    /// The fields that have a value. `name` is the beginning of the names of their inputs, and `pointer` theirs in the
    /// JSON.
    pub(super) fn object(
        &mut self,
        texts: &dyn Texts,
        name: &str,
        pointer: &str,
        fields: Fields,
    ) -> Map<String, Value> {
        let mut map = Map::new();
        for field in fields.iter() {
            let own = format!("{name}/{}", field.name());
            let pointer = format!("{pointer}/{}", field.name());
            if let Some(value) = self.field(texts, &own, &pointer, field) {
                map.insert(field.name().to_owned(), value);
            }
        }
        map
    }

    fn field(&mut self, texts: &dyn Texts, name: &str, pointer: &str, field: Field) -> Option<Value> {
        let is_object = field.field_type() == FieldType::Object && !field.fields().is_empty();
        if is_object && field.is_list() {
            let mut list = Vec::new();
            for index in 0..texts.count(name) {
                let pointer = format!("{pointer}/{}", list.len());
                let element = self.object(texts, &format!("{name}/{index}"), &pointer, field.fields());
                if !element.is_empty() {
                    list.push(Value::Object(element));
                }
            }
            return (!list.is_empty()).then_some(Value::Array(list));
        }
        if is_object {
            let map = self.object(texts, name, pointer, field.fields());
            return (!map.is_empty()).then_some(Value::Object(map));
        }
        let text = texts.text(name);
        if text.is_empty() {
            return None;
        }
        if !field.is_list() {
            return self.scalar(name, pointer, field, text);
        }
        let lines = text.lines().filter(|line| !line.trim().is_empty()).enumerate();
        let list: Vec<Value> = lines
            .filter_map(|(index, line)| self.scalar(name, &format!("{pointer}/{index}"), field, line))
            .collect();
        (!list.is_empty()).then_some(Value::Array(list))
    }

    fn scalar(&mut self, name: &str, pointer: &str, field: Field, text: &str) -> Option<Value> {
        match convert(field, text) {
            Ok(value) => {
                if field.encrypted_for() == Some(EncryptedFor::Platform) {
                    self.encrypted.push(pointer.to_owned());
                }
                Some(value)
            }
            Err(kind) => {
                self.mistakes.push(Mistake { name: name.to_owned(), kind });
                None
            }
        }
    }
}

fn convert(field: Field, text: &str) -> Result<Value, MistakeKind> {
    let number = text.trim();
    match field.field_type() {
        FieldType::Integer => number.parse::<i64>().map(Value::from).map_err(|_| MistakeKind::WholeNumber),
        FieldType::Number => {
            let whole = number.parse::<i64>().ok().map(Number::from);
            let number = whole.or_else(|| number.parse().ok().and_then(Number::from_f64));
            number.map(Value::Number).ok_or(MistakeKind::Number)
        }
        FieldType::Boolean => number.parse::<bool>().map(Value::Bool).map_err(|_| MistakeKind::Boolean),
        FieldType::Object => serde_json::from_str(text).map_err(|_| MistakeKind::Json),
        FieldType::String | FieldType::File | FieldType::Json => Ok(text.into()),
    }
}

/// The texts of a JSON value by the names of their inputs: the other way round.
pub(super) fn flatten(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| flatten(&format!("{name}/{key}"), value, found))
        }
        Value::Array(list) if list.iter().any(|value| value.is_object() || value.is_array()) => {
            list.iter()
                .enumerate()
                .for_each(|(index, value)| flatten(&format!("{name}/{index}"), value, found));
        }
        Value::Array(list) => {
            let lines: Vec<String> = list.iter().map(text).collect();
            found.push((name.to_owned(), lines.join("\n")));
        }
        value => found.push((name.to_owned(), text(value))),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::catalogue::{Catalogue, Include};

    struct Pairs(BTreeMap<String, String>);

    impl Texts for Pairs {
        fn text(&self, name: &str) -> &str {
            self.0.get(name).map_or("", String::as_str)
        }

        fn count(&self, name: &str) -> usize {
            let indices =
                self.0.keys().filter_map(|key| key.strip_prefix(name)?.strip_prefix('/')?.split('/').next());
            indices.filter_map(|index| index.parse::<usize>().ok()).max().map_or(0, |index| index + 1)
        }
    }

    #[test]
    fn every_documented_body_survives_the_form() {
        let (mut bodies, mut encrypted) = (0, 0);
        for operation in Catalogue::operations().filter(|operation| !operation.is_v2()) {
            let body = filled(&operation.body_skeleton(Include::All));
            if body.is_null() {
                continue;
            }
            let mut pairs = Vec::new();
            flatten("body", &body, &mut pairs);
            let texts = Pairs(pairs.into_iter().collect());
            let mut read = Read::default();
            let again = Value::Object(read.object(&texts, "body", "", operation.body()));
            assert_eq!(read.mistakes, [], "{} {}", operation.verb(), operation.template());
            assert_eq!(again, body, "{} {}", operation.verb(), operation.template());
            for pointer in &read.encrypted {
                assert!(again.pointer(pointer).is_some(), "{pointer}");
            }
            bodies += 1;
            encrypted += read.encrypted.len();
        }
        assert!(bodies > 500 && encrypted > 200, "{bodies} bodies, {encrypted} encrypted fields");
    }

    /// An empty text is no value in a form.
    fn filled(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let filled = map.iter().map(|(name, value)| (name.clone(), filled(value)));
                filled.filter(|(_, value)| *value != json!({}) && *value != json!([{}])).collect()
            }
            Value::Array(list) => list.iter().map(filled).collect(),
            Value::String(text) if text.is_empty() => json!("x"),
            other => other.clone(),
        }
    }

    #[test]
    fn a_value_has_the_type_of_its_field() {
        let refund = Catalogue::find("POST", "v3/refund/domestic/refunds").unwrap();
        let pairs = [
            ("out_refund_no", "007"),
            ("amount/refund", "1,5"),
            ("amount/total", " 100 "),
            ("amount/currency", "CNY"),
        ];
        let texts = Pairs(pairs.map(|(name, value)| (format!("body/{name}"), value.to_owned())).into());
        let mut read = Read::default();
        let body = Value::Object(read.object(&texts, "body", "", refund.body()));
        assert_eq!(body, json!({"out_refund_no": "007", "amount": {"total": 100, "currency": "CNY"}}));
        assert_eq!(
            read.mistakes,
            [Mistake { name: "body/amount/refund".into(), kind: MistakeKind::WholeNumber }]
        );
    }
}
