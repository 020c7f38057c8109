//! What a form says: the texts of its fields, and the call that they make.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::super::{commands, connect::DEFAULT_NOTIFY_URL};
use super::values::{MAX_ELEMENTS, Mistake, MistakeKind, Read, Texts, flatten};
use crate::Media;
use crate::catalogue::examples::Parts;
use crate::catalogue::{EncryptedFor, Field, FieldType, Include, Operation, OperationKind};
use crate::sandbox::{http::multipart::FormField, server::platform::Platform};

/// The most fields of a form. The largest documented body has 146.
const MAX_FIELDS: usize = 4_000;

/// The headers that the client sets itself.
const OWN_HEADERS: [&str; 2] = ["Wechatpay-Serial", "Accept-Encoding"];

/// The appid of the platform's examples.
const APPID: &str = "wxd678efh567hg6787";

/// A file that was chosen in the form.
struct File {
    name: String,
    content: Bytes,
}

/// The texts of a form, by the names of its inputs: the place and a JSON pointer, such as `body/amount/total`.
pub(super) struct Draft {
    texts: BTreeMap<String, String>,
    /// The body as JSON, if that was sent.
    json: Option<String>,
    /// Whether marked fields are encrypted.
    pub(super) encrypts: bool,
    action: String,
    file: Option<File>,
}

/// A call that can be sent, unless it has mistakes.
pub(super) struct Call {
    pub(super) parts: Parts,
    pub(super) media: Option<Media>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Texts for Draft {
    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    fn count(&self, name: &str) -> usize {
        let prefix = format!("{name}/");
        let below = self.texts.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let indices =
            below.filter_map(|(key, _)| key[prefix.len()..].split('/').next()?.parse::<usize>().ok());
        indices.max().map_or(0, |index| index.saturating_add(1)).min(MAX_ELEMENTS)
    }
}

impl Draft {
    /// Before anything is entered: what the sandbox knows, the values of the path, and those of the address
    /// (`?body/amount/total=1`).
    pub(super) fn first(platform: &Platform, operation: Operation, path: &str, query: &str) -> Draft {
        let mut texts = BTreeMap::new();
        for (place, fields) in operation.sections().filter(|(place, _)| matches!(*place, "query" | "body")) {
            for field in fields.iter().filter(|field| field.is_required() || is_merchant(field.name())) {
                if let Some(value) = known(platform, field) {
                    texts.insert(format!("{place}/{}", field.name()), value);
                }
            }
            let currency = fields.get("amount").and_then(|amount| amount.fields().get("currency"));
            if place == "body" && currency.is_some_and(|currency| currency.is_required()) {
                texts.insert("body/amount/currency".into(), "CNY".into());
            }
        }
        for (name, value) in operation.template().split('/').zip(path.split('/')) {
            if let Some(name) = variable(name).filter(|_| variable(value).is_none()) {
                texts.insert(format!("path/{name}"), value.to_owned());
            }
        }
        let given = form_urlencoded::parse(query.as_bytes()).take(MAX_FIELDS);
        texts.extend(
            given.filter(|(name, _)| is_field(name)).map(|(name, value)| (name.into(), value.into())),
        );
        Draft { texts, json: None, encrypts: true, action: String::new(), file: None }
    }

    pub(super) fn of_pairs(pairs: Vec<(String, String)>) -> Draft {
        let mut draft =
            Draft { texts: BTreeMap::new(), json: None, encrypts: false, action: String::new(), file: None };
        let mut added = None;
        for (name, value) in pairs.into_iter().take(MAX_FIELDS) {
            match name.as_str() {
                "do" => draft.action = value,
                "json" => draft.json = Some(value),
                "encrypt" => draft.encrypts = true,
                "add" => added = Some(value),
                _ if is_field(&name) => {
                    draft.texts.insert(name, value.replace("\r\n", "\n"));
                }
                _ => {}
            }
        }
        if let Some(list) = added {
            draft.add(&list);
        }
        if draft.action != "send-json" {
            draft.json = None;
        }
        draft.apply_json();
        draft
    }

    /// The fields of a form with a file.
    pub(super) fn of_fields(fields: Vec<FormField<'_>>) -> Draft {
        let mut file = None;
        let mut pairs = Vec::new();
        for field in fields {
            match field.filename {
                // A browser sends an empty part if no file was chosen.
                Some(name) if name.is_empty() && field.content.is_empty() => {}
                Some(name) => file = Some(File { name, content: Bytes::copy_from_slice(field.content) }),
                None => pairs.push((field.name, String::from_utf8_lossy(field.content).into_owned())),
            }
        }
        Draft { file, ..Draft::of_pairs(pairs) }
    }

    /// One more element of a list.
    fn add(&mut self, list: &str) {
        if is_field(list) {
            let next = self.count(list).clamp(1, MAX_ELEMENTS - 1);
            self.texts.insert(format!("{list}/{next}/"), String::new());
        }
    }

    /// The form shows what the JSON says.
    fn apply_json(&mut self) {
        let Some(Ok(body)) = self.json.as_deref().map(serde_json::from_str::<Value>) else { return };
        let mut found = Vec::new();
        flatten("body", &body, &mut found);
        self.texts.retain(|name, _| !name.starts_with("body/"));
        self.texts.extend(found.into_iter().take(MAX_FIELDS));
    }

    /// Whether the form is to be sent, and not only shown again.
    pub(super) fn sends(&self) -> bool {
        matches!(self.action.as_str(), "send" | "send-json")
    }

    /// Whether an input of this group has a text.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        let below = self.texts.range(name.to_owned()..).take_while(|(key, _)| key.starts_with(name));
        let mut own = below.filter(|(key, _)| matches!(key.as_bytes().get(name.len()), None | Some(b'/')));
        own.any(|(_, text)| !text.is_empty())
    }

    /// The JSON to begin with: what was sent, or else what the form makes.
    pub(super) fn json(&self, operation: Operation, body: &Value) -> String {
        match &self.json {
            Some(json) => json.clone(),
            None if body.is_null() => format!("{:#}", operation.body_skeleton(Include::Required)),
            None => format!("{body:#}"),
        }
    }

    pub(super) fn call(&self, operation: Operation) -> Call {
        let mut read = Read::default();
        let mut query = read.object(self, "query", "", operation.query());
        query.retain(|_, value| !value.is_null());
        let mut encrypted: Vec<String> =
            read.encrypted.drain(..).map(|pointer| format!("?{}", &pointer[1..])).collect();
        let headers = headers(operation).map(|field| {
            (field.name().to_owned(), self.text(&format!("headers/{}", field.name())).to_owned())
        });
        let headers = headers.filter(|(_, value)| !value.is_empty()).collect();
        let body = self.body(operation, &mut read);
        encrypted.append(&mut read.encrypted);
        let variables: Vec<(String, String)> = operation
            .template()
            .split('/')
            .filter_map(variable)
            .map(|name| (name.to_owned(), self.text(&format!("path/{name}")).to_owned()))
            .collect();
        for (name, _) in variables.iter().filter(|(_, value)| value.is_empty()) {
            read.mistakes.push(Mistake { name: format!("path/{name}"), kind: MistakeKind::Missing });
        }
        let media = match operation.kind() {
            OperationKind::Upload => self.media(operation, &mut read),
            _ => None,
        };
        if !self.encrypts {
            encrypted.clear();
        }
        let query = if query.is_empty() { Value::Null } else { Value::Object(query) };
        Call { parts: Parts { variables, headers, query, body, encrypted }, media, mistakes: read.mistakes }
    }

    fn body(&self, operation: Operation, read: &mut Read) -> Value {
        if let Some(json) = &self.json {
            match serde_json::from_str::<Value>(json) {
                Ok(body) if body.is_object() => {
                    let all = operation.encrypted_pointers(Include::All);
                    read.encrypted.extend(all.into_iter().filter(|pointer| selects(&body, pointer)));
                    return body;
                }
                Ok(_) => read.mistakes.push(Mistake { name: "json".into(), kind: MistakeKind::JsonObject }),
                Err(_) => read.mistakes.push(Mistake { name: "json".into(), kind: MistakeKind::Json }),
            }
            return Value::Null;
        }
        match read.object(self, "body", "", operation.body()) {
            empty if empty.is_empty() && operation.body().is_empty() => Value::Null,
            body => Value::Object(body),
        }
    }

    /// The `meta` of an upload, with the marks of [`commands`] for what follows from the file.
    pub(super) fn meta(&self, operation: Operation) -> Value {
        let Some(meta) = operation.form().get("meta").map(|meta| meta.fields()) else { return Value::Null };
        let mut known = Read::default().object(self, "form/meta", "", meta);
        for field in meta.iter().filter(|field| field.is_required()) {
            let mark = match of_file(field.name(), "", b"") {
                Some(value) if value == "" => commands::FILE_NAME,
                Some(_) => commands::FILE_DIGEST,
                None => "",
            };
            known.entry(field.name()).or_insert(mark.into());
        }
        Value::Object(known)
    }

    fn media(&self, operation: Operation, read: &mut Read) -> Option<Media> {
        let form = operation.form();
        let part = form.iter().find(|field| field.field_type() == FieldType::File)?;
        let Some(File { name, content }) = &self.file else {
            read.mistakes.push(Mistake { name: format!("form/{}", part.name()), kind: MistakeKind::File });
            return None;
        };
        let mut media = Media::bytes(name, content.clone());
        if part.name() != "file" {
            media = media.part_name(part.name());
        }
        if let Some(meta) = form.get("meta").map(|meta| meta.fields()).filter(|fields| !fields.is_empty()) {
            let mut known = read.object(self, "form/meta", "", meta);
            for field in meta.iter().filter(|field| !self.is_filled(&format!("form/meta/{}", field.name()))) {
                if let Some(value) = of_file(field.name(), name, content) {
                    known.insert(field.name().to_owned(), value);
                }
            }
            media = media.meta(Value::Object(known));
        }
        for field in form.iter().filter(|field| field.name() != "meta" && field.name() != part.name()) {
            let text = self.text(&format!("form/{}", field.name()));
            if !text.is_empty() {
                media = media.field(field.name(), text);
            }
        }
        Some(media)
    }
}

/// A field of `meta` that follows from the file.
pub(super) fn of_file(field: &str, name: &str, content: &[u8]) -> Option<Value> {
    match field {
        "filename" | "file_name" => Some(name.into()),
        "sha256" | "file_digest" | "digest" => {
            Some(Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
        }
        _ => None,
    }
}

/// The headers to fill in.
pub(super) fn headers(operation: Operation) -> impl Iterator<Item = Field> {
    operation.headers().iter().filter(|field| !OWN_HEADERS.contains(&field.name()))
}

/// Whether marked fields of the request are encrypted with the platform's key.
pub(super) fn is_encrypted(field: Field) -> bool {
    field.encrypted_for() == Some(EncryptedFor::Platform)
}

/// `{name}`
pub(super) fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Whether it is the name of an input.
fn is_field(name: &str) -> bool {
    name.split_once('/').is_some_and(|(place, rest)| {
        !rest.is_empty() && matches!(place, "path" | "query" | "headers" | "form" | "body")
    })
}

fn is_merchant(name: &str) -> bool {
    matches!(name, "mchid" | "sp_mchid")
}

/// A value that the sandbox knows.
fn known(platform: &Platform, field: Field) -> Option<String> {
    match field.name() {
        name if is_merchant(name) => Some(platform.identity.mchid.clone()),
        "appid" | "sp_appid" => Some(APPID.to_owned()),
        "notify_url" => Some(DEFAULT_NOTIFY_URL.to_owned()),
        _ => {
            let mut values = field.values();
            let first = values.next()?;
            (values.next().is_none()).then(|| first.to_owned())
        }
    }
}

/// Whether a pointer, in which `*` stands for each element, selects a text.
fn selects(value: &Value, pointer: &str) -> bool {
    let Some(rest) = pointer.strip_prefix('/') else { return value.is_string() };
    let (token, rest) =
        rest.split_once('/').map_or((rest, String::new()), |(token, rest)| (token, format!("/{rest}")));
    match (token, value) {
        ("*", Value::Array(list)) => list.iter().any(|value| selects(value, &rest)),
        (token, value) => value.get(token).is_some_and(|value| selects(value, &rest)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::Catalogue;

    fn draft(pairs: &[(&str, &str)]) -> Draft {
        Draft::of_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn elements_are_added_up_to_a_limit() {
        let mut list = draft(&[("add", "body/list"), ("body/list/0/a", "1")]);
        assert_eq!(list.count("body/list"), 2);
        (0..MAX_ELEMENTS).for_each(|_| list.add("body/list"));
        assert_eq!(list.count("body/list"), MAX_ELEMENTS);
        assert_eq!(draft(&[("body/list/99999999999/a", "1")]).count("body/list"), MAX_ELEMENTS);
        assert_eq!(draft(&[("body/lists/1/a", "1")]).count("body/list"), 0);
    }

    #[test]
    fn json_fills_the_form_and_names_what_is_encrypted() {
        let operation = Catalogue::find("POST", "v3/applyment4sub/applyment/").unwrap();
        let json = json!({"business_code": "B1", "contact_info": {"contact_name": "张三"}}).to_string();
        let sent = draft(&[("do", "send-json"), ("encrypt", "1"), ("json", &json)]);
        let call = sent.call(operation);
        assert!(sent.sends() && call.mistakes.is_empty());
        assert_eq!(call.parts.encrypted, ["/contact_info/contact_name"]);
        assert_eq!(sent.text("body/contact_info/contact_name"), "张三");
        let clear = draft(&[("do", "send-json"), ("json", &json)]).call(operation);
        assert!(clear.parts.encrypted.is_empty());
        for (json, kind) in
            [("[]", MistakeKind::JsonObject), ("{", MistakeKind::Json), ("", MistakeKind::Json)]
        {
            let call = draft(&[("do", "send-json"), ("json", json)]).call(operation);
            assert_eq!(call.mistakes, [Mistake { name: "json".into(), kind }], "{json}");
        }
    }
}
