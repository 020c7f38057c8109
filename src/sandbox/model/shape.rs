//! Values in a documented shape: of a response without a flow, of a notification's resource.

use std::cell::Cell;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::products::DEFAULT_OPENID;
use crate::catalogue::{EncryptedFor, Field, FieldType, Fields};
use crate::sandbox::{
    http::{clock, error_response::ErrorResponse},
    keys::{cipher, identity::Identity},
};

/// The values of one answer. A request can make each of them longer, but not more.
const MOST_VALUES: usize = 20_000;

/// The characters of a field that are encrypted: the key has room for 214 bytes.
const MOST_ENCRYPTED: usize = 53;

/// The length of an id whose length is not documented.
const ID_LENGTH: usize = 28;

/// Makes an object of documented fields. Two shapers with equal settings make equal objects, but for what is encrypted.
pub(crate) struct Shaper<'a> {
    identity: &'a Identity,
    /// The business time, in Unix seconds.
    now: i64,
    /// What all values without a source depend on.
    seed: Vec<u8>,
    left: Cell<usize>,
}

impl<'a> Shaper<'a> {
    /// Values depend on the texts of the seed.
    pub(crate) fn new(identity: &'a Identity, now: i64, seed: &[&str]) -> Shaper<'a> {
        Shaper { identity, now, seed: seed.join("\n").into_bytes(), left: Cell::new(MOST_VALUES) }
    }

    /// All fields that the present documents list, but for optional ones that tell of a failure or of a further page.
    /// A field has the value of the same name in one of `known` if it has one of its type: the first object wins, at the
    /// same place before the top level. All values are in the clear: see [`encrypt`].
    pub(crate) fn object(&self, fields: Fields, known: &[&Value]) -> Value {
        self.members(fields, known, known, "")
    }

    fn members(&self, fields: Fields, here: &[&Value], known: &[&Value], at: &str) -> Value {
        let mut object = Map::new();
        for field in fields.iter().filter(|field| is_shown(*field)) {
            let near: Vec<&Value> = here.iter().filter_map(|object| object.get(field.name())).collect();
            if near.is_empty() && is_left_out(field) {
                continue;
            }
            let at = format!("{at}/{}", field.name());
            let value = match field.is_list() {
                true => self.list(field, &near, known, &at),
                false => self.single(field, &near, known, &at),
            };
            object.insert(field.name().to_owned(), value);
        }
        Value::Object(object)
    }

    /// As many elements as a list of the same name has, else one.
    fn list(&self, field: Field, near: &[&Value], known: &[&Value], at: &str) -> Value {
        let Some(given) = near.iter().find_map(|value| value.as_array()) else {
            return json!([self.single(field, &[], known, &format!("{at}/0"))]);
        };
        let elements = given.iter().enumerate().take_while(|_| self.left.get() > 0);
        elements.map(|(index, value)| self.single(field, &[value], known, &format!("{at}/{index}"))).collect()
    }

    fn single(&self, field: Field, near: &[&Value], known: &[&Value], at: &str) -> Value {
        self.left.set(self.left.get().saturating_sub(1));
        if field.field_type() == FieldType::Object {
            let objects: Vec<&Value> = near.iter().copied().filter(|value| value.is_object()).collect();
            return match objects.first() {
                // No document lists its members.
                Some(object) if field.fields().is_empty() => (*object).clone(),
                _ => self.members(field.fields(), &objects, known, at),
            };
        }
        let mut same = near.iter().copied().chain(known.iter().filter_map(|object| object.get(field.name())));
        match same.find_map(|value| converted(field, value)) {
            Some(value) => value,
            None if field.field_type() == FieldType::Json => {
                self.members(field.fields(), &[], known, at).to_string().into()
            }
            None => self.made(field, at),
        }
    }

    fn made(&self, field: Field, at: &str) -> Value {
        let first = field.values().next();
        match field.field_type() {
            FieldType::Boolean => Value::Bool(false),
            FieldType::Integer | FieldType::Number => match first.and_then(|value| value.parse::<i64>().ok())
            {
                Some(value) => value.into(),
                None => self.number(field).into(),
            },
            _ => match first {
                Some(value) => value.into(),
                None => self.text(field, at).into(),
            },
        }
    }

    fn number(&self, field: Field) -> i64 {
        let name = field.name();
        let value = match kind_of(name) {
            Kind::Time => self.now,
            Kind::Amount => 100,
            _ if name == "offset" => 0,
            _ => 1,
        };
        let (least, most) = field.range();
        let least = least.unwrap_or(i64::MIN);
        value.clamp(least, most.unwrap_or(i64::MAX).max(least))
    }

    fn text(&self, field: Field, at: &str) -> String {
        let (least, most) = (field.min_length().unwrap_or(0), field.max_length().unwrap_or(usize::MAX));
        let most = most.max(least);
        let time = clock::beijing_time(self.now);
        let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
        let value = match field.format() {
            Some("rfc3339") => return time,
            Some("date") => return time[..10].to_owned(),
            Some("yyyyMMddHHmmss") => return digits,
            Some("mm") => return digits[4..6].to_owned(),
            Some("float") => return "1.00".to_owned(),
            Some("url" | "MediaUrl") => self.url(at, most),
            Some("rfc2397") => format!("data:image/png;base64,{}", STANDARD.encode(self.digits(at, 12))),
            Some("base64") => STANDARD.encode(self.digits(at, 12)),
            Some("digits" | "numeric") if kind_of(field.name()) != Kind::Amount => {
                self.digits(at, ID_LENGTH.min(most))
            }
            _ => self.by_name(field.name(), at, most),
        };
        let value: String = value.chars().take(most).collect();
        let missing = least.saturating_sub(value.chars().count());
        value + &self.digits(at, missing)
    }

    /// At most as long as this if that is possible; a caller cuts it.
    fn by_name(&self, name: &str, at: &str, most: usize) -> String {
        let time = clock::beijing_time(self.now);
        match kind_of(name) {
            Kind::Merchant if name.starts_with("sub") => self.digits(at, 10),
            Kind::Merchant => self.identity.mchid.clone(),
            Kind::Openid => DEFAULT_OPENID.to_owned(),
            Kind::Appid => format!("wx{}", self.digits(at, 16)),
            Kind::Currency => "CNY".to_owned(),
            Kind::Amount => "100".to_owned(),
            Kind::Url => self.url(at, most),
            Kind::Id => self.digits(at, ID_LENGTH.min(most)),
            Kind::Time if most < 14 => time[..10].chars().filter(char::is_ascii_digit).collect(),
            Kind::Time if most < 25 => time.chars().filter(char::is_ascii_digit).take(14).collect(),
            Kind::Time => time,
            Kind::Date if most < 10 => time[..10].chars().filter(char::is_ascii_digit).collect(),
            Kind::Date => time[..10].to_owned(),
            Kind::Text => "沙箱".to_owned(),
            Kind::Other => self.digits(at, 12.min(most)),
        }
    }

    fn url(&self, at: &str, most: usize) -> String {
        let digits = self.digits(at, 12);
        let url = format!("https://pay.example.com/{digits}");
        if url.len() > most { format!("https://{}", &digits[..most.saturating_sub(8).min(12)]) } else { url }
    }

    /// Such that the first is not 0.
    fn digits(&self, at: &str, length: usize) -> String {
        let mut text = String::with_capacity(length + 32);
        let mut block = 0_u32;
        while text.len() < length {
            let bytes = [self.seed.as_slice(), at.as_bytes(), &block.to_be_bytes()].concat();
            text.extend(digest(&SHA256, &bytes).as_ref().iter().map(|byte| char::from(b'0' + byte % 10)));
            block += 1;
        }
        if text.starts_with('0') {
            text.replace_range(..1, "4");
        }
        text.truncate(length);
        text
    }
}

/// The documented members of an object, whole, without those that are missing or null. `variant` is that of a
/// notification.
pub(crate) fn select(fields: Fields, object: &Value, variant: &str) -> Value {
    let is_of_variant = |field: &Field| {
        let mut variants = field.variants().peekable();
        variants.peek().is_none() || variants.any(|other| other == variant)
    };
    let member = |field: Field| {
        Some((field.name().to_owned(), object.get(field.name()).filter(|value| !value.is_null())?.clone()))
    };
    Value::Object(fields.iter().filter(is_of_variant).filter_map(member).collect())
}

/// Encrypts the fields for the merchant.
pub(crate) fn encrypt(identity: &Identity, fields: Fields, object: &mut Value) -> Result<(), ErrorResponse> {
    for field in fields.iter() {
        let Some(value) = object.get_mut(field.name()) else { continue };
        let values = match value {
            Value::Array(list) if field.is_list() => list.as_mut_slice(),
            value => std::slice::from_mut(value),
        };
        for value in values {
            encrypt(identity, field.fields(), value)?;
            if let (Some(EncryptedFor::Merchant), Some(text)) = (field.encrypted_for(), value.as_str()) {
                let text: String = text.chars().take(MOST_ENCRYPTED).collect();
                let sealed = cipher::encrypt_field(&identity.merchant.public_key, &text);
                *value =
                    sealed.ok_or_else(|| ErrorResponse::internal("a field could not be encrypted"))?.into();
            }
        }
    }
    Ok(())
}

/// What the last word of a field's name says about its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Merchant,
    Openid,
    Appid,
    Currency,
    Amount,
    Url,
    Id,
    Time,
    Date,
    Text,
    Other,
}

const KINDS: &[(Kind, &[&str])] = &[
    (Kind::Merchant, &["mchid", "mch_id"]),
    (Kind::Openid, &["openid"]),
    (Kind::Appid, &["appid"]),
    (Kind::Currency, &["currency"]),
    (Kind::Amount, &["amount", "total", "fee", "price", "cost", "refund", "balance"]),
    (Kind::Url, &["url", "uri", "link"]),
    (Kind::Id, &["id", "no", "code", "number", "sn", "phone", "token"]),
    (Kind::Time, &["time", "timestamp"]),
    (Kind::Date, &["date", "day"]),
    (
        Kind::Text,
        &[
            "name",
            "description",
            "desc",
            "remark",
            "reason",
            "title",
            "message",
            "msg",
            "address",
            "wording",
            "detail",
            "introduction",
            "content",
            "value",
            "merchant",
            "bank",
            "city",
            "province",
        ],
    ),
];

fn kind_of(name: &str) -> Kind {
    let ends = |word: &&&str| {
        name.strip_suffix(**word)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('_') || **word == "openid")
    };
    let found = KINDS.iter().find(|(_, words)| words.iter().any(|word| ends(&word)));
    found.map_or(Kind::Other, |(kind, _)| *kind)
}

fn is_shown(field: Field) -> bool {
    field.is_listed() && !field.is_automatic() && field.field_type() != FieldType::File
}

/// What an answer has only after a failure, or if there is a further page.
fn is_left_out(field: Field) -> bool {
    let failure = ["fail", "err", "reject", "abnormal"].iter().any(|word| field.name().starts_with(word));
    !field.is_required() && (failure || matches!(field.name(), "next" | "prev"))
}

/// A known value as one of this field's type.
fn converted(field: Field, value: &Value) -> Option<Value> {
    match (field.field_type(), value) {
        (FieldType::String, Value::String(_)) | (FieldType::Boolean, Value::Bool(_)) => Some(value.clone()),
        (FieldType::Json, Value::Object(_) | Value::Array(_)) => Some(value.to_string().into()),
        (FieldType::Json, Value::String(text)) if serde_json::from_str::<Value>(text).is_ok() => {
            Some(value.clone())
        }
        (FieldType::String, Value::Number(number)) => Some(number.to_string().into()),
        (FieldType::Integer, Value::Number(number)) => (!number.is_f64()).then(|| value.clone()),
        (FieldType::Number, Value::Number(_)) => Some(value.clone()),
        // Of the path or the query.
        (FieldType::Integer | FieldType::Number, Value::String(text)) => {
            text.parse::<i64>().ok().map(Value::from)
        }
        (FieldType::Boolean, Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::sandbox::keys::key_pair::Serials;

    #[test]
    fn an_object_has_every_field_and_takes_over_what_is_known() {
        let identity = Identity::generate("1900000109".into(), None, Serials::WithoutZero).unwrap();
        let shape = |seed: &str, known: &[&Value]| {
            let query = Catalogue::find("GET", "v3/pay/transactions/id/{transaction_id}").unwrap();
            Shaper::new(&identity, 1_528_425_296, &[seed]).object(query.response(), known)
        };
        let made = shape("1", &[]);
        assert_eq!(made, shape("1", &[]));
        assert_ne!(made["transaction_id"], shape("2", &[])["transaction_id"]);
        assert_eq!(
            (&made["mchid"], &made["success_time"]),
            (&json!("1900000109"), &json!("2018-06-08T10:34:56+08:00"))
        );
        assert_eq!((&made["amount"]["total"], &made["amount"]["currency"]), (&json!(100), &json!("CNY")));

        let order =
            json!({ "out_trade_no": "P1", "amount": { "total": 7, "currency": 8, "unknown": 9 }, "x": 1 });
        let known = shape("1", &[&json!({ "out_trade_no": 1.5e300 }), &order]);
        assert_eq!(known["amount"]["total"], 7);
        assert_eq!((known.get("x"), known["amount"].get("unknown")), (None, None));
    }

    #[test]
    fn a_long_list_is_cut() {
        let identity = Identity::generate("1900000109".into(), None, Serials::WithoutZero).unwrap();
        let shares = Catalogue::find("POST", "v3/profitsharing/orders").unwrap();
        let known = json!({ "receivers": vec![json!({}); 100_000] });
        let made = Shaper::new(&identity, 0, &[]).object(shares.response(), &[&known]);
        let length = made["receivers"].as_array().unwrap().len();
        assert!((100..=MOST_VALUES).contains(&length), "{length}");
    }
}
