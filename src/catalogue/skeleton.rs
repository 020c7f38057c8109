//! A body to fill in: every field with an empty value of its type.

use serde_json::{Map, Value};

use super::fields::{Field, FieldType, Fields};
use super::operation::Operation;

/// Which fields a skeleton has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// The required ones, and of those of which one is needed, the first.
    #[default]
    Required,
    /// All that the present documents list.
    All,
}

impl Operation {
    /// A body to fill in: `""`, `0`, `false`, the first of the documented values, one element in a list.
    /// [`Value::Null`] if it has none.
    ///
    /// ```
    /// use serde_json::json;
    /// use wechatpay_chain::catalogue::{Catalogue, Include};
    ///
    /// let close = Catalogue::find("POST", "v3/pay/transactions/out-trade-no/{out_trade_no}/close").ok_or("")?;
    /// assert_eq!(close.body_skeleton(Include::Required), json!({"mchid": ""}));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn body_skeleton(&self, include: Include) -> Value {
        self.skeleton_of("body", self.body(), include)
    }

    /// Query parameters to fill in, as [`body_skeleton`](Self::body_skeleton).
    pub fn query_skeleton(&self, include: Include) -> Value {
        self.skeleton_of("query", self.query(), include)
    }

    fn skeleton_of(&self, place: &str, fields: Fields, include: Include) -> Value {
        match object(*self, place, fields, include) {
            map if map.is_empty() => Value::Null,
            map => Value::Object(map),
        }
    }

    /// The JSON pointers of the skeleton's fields that must be encrypted, `*` for each element of a list.
    pub fn encrypted_pointers(&self, include: Include) -> Vec<String> {
        let mut found = Vec::new();
        pointers(*self, "body", "", self.body(), include, &mut found);
        found
    }
}

/// Whether a field belongs to the skeleton.
fn is_included(operation: Operation, place: &str, field: Field, include: Include) -> bool {
    let mut groups = operation.either_or().filter(|either| either.place() == place);
    let group = groups.find(|either| either.names().any(|name| name == field.name()));
    let is_listed = field.is_listed() && !field.is_automatic() && !field.name().contains('$');
    match (include, group) {
        (Include::All, _) => is_listed,
        (Include::Required, Some(group)) => group.names().next() == Some(field.name()),
        (Include::Required, None) => is_listed && field.is_required(),
    }
}

fn object(operation: Operation, place: &str, fields: Fields, include: Include) -> Map<String, Value> {
    let mut included: Vec<Field> =
        fields.iter().filter(|field| is_included(operation, place, *field, include)).collect();
    if included.is_empty() && place != "query" && place != "body" && include == Include::Required {
        // An object of which nothing in particular is required.
        included.extend(fields.iter().next());
    }
    let value = |field: Field| {
        let single = single(operation, place, field, include);
        (field.name().to_owned(), if field.is_list() { Value::Array(vec![single]) } else { single })
    };
    included.into_iter().map(value).collect()
}

fn single(operation: Operation, place: &str, field: Field, include: Include) -> Value {
    match field.field_type() {
        FieldType::Integer | FieldType::Number => field.range().0.unwrap_or(0).into(),
        FieldType::Boolean => Value::Bool(false),
        FieldType::Object => {
            object(operation, &format!("{place}.{}", field.name()), field.fields(), include).into()
        }
        FieldType::String | FieldType::File | FieldType::Json => {
            field.values().next().unwrap_or_default().into()
        }
    }
}

fn pointers(
    operation: Operation,
    place: &str,
    pointer: &str,
    fields: Fields,
    include: Include,
    found: &mut Vec<String>,
) {
    for field in fields.iter().filter(|field| is_included(operation, place, *field, include)) {
        let own = format!("{pointer}/{}{}", field.name(), if field.is_list() { "/*" } else { "" });
        if field.encrypted_for().is_some() {
            found.push(own.clone());
        }
        pointers(operation, &format!("{place}.{}", field.name()), &own, field.fields(), include, found);
    }
}
