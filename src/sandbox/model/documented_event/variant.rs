//! The variant of an event: a payment to a merchant, to a service provider's merchant, of a combined order.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalogue::{Field, Fields};

/// Without an override that says otherwise.
const USUAL: &str = "merchant";

/// Removes the fields of other variants than those of the fields that the overrides name.
pub(super) fn choose(resource: &mut Value, fields: Fields, overrides: &Value) {
    let mut named = BTreeSet::new();
    for (name, value) in overrides.as_object().into_iter().flatten() {
        match name.strip_prefix('/') {
            None => of_member(fields, name, value, &mut named),
            Some(pointer) if !value.is_null() => of_pointer(fields, pointer, &mut named),
            Some(_) => {}
        }
    }
    // A field of several variants says nothing if the usual one is among them.
    if named.is_empty() {
        named.insert(USUAL);
    }
    keep(resource, fields, &named);
}

fn add(field: Field, named: &mut BTreeSet<&'static str>) {
    if !field.variants().any(|variant| variant == USUAL) {
        named.extend(field.variants());
    }
}

fn of_member(fields: Fields, name: &str, value: &Value, named: &mut BTreeSet<&'static str>) {
    // One that is removed does not count.
    let Some(field) = fields.get(name).filter(|_| !value.is_null()) else { return };
    add(field, named);
    for (name, value) in value.as_object().into_iter().flatten() {
        of_member(field.fields(), name, value, named);
    }
}

fn of_pointer(mut fields: Fields, pointer: &str, named: &mut BTreeSet<&'static str>) {
    // An index is no field.
    for token in pointer.split('/') {
        if let Some(field) = fields.get(token) {
            add(field, named);
            fields = field.fields();
        }
    }
}

fn keep(value: &mut Value, fields: Fields, named: &BTreeSet<&'static str>) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|element| keep(element, fields, named)),
        Value::Object(object) => {
            for field in fields.iter() {
                let mut variants = field.variants().peekable();
                if variants.peek().is_some() && !variants.any(|variant| named.contains(variant)) {
                    object.remove(field.name());
                } else if let Some(inner) = object.get_mut(field.name()) {
                    keep(inner, field.fields(), named);
                }
            }
        }
        _ => {}
    }
}
