//! A request of a documented operation, filled from its own fields.

use serde_json::{Map, Value, json};
use sha2::Digest as _;
use wechatpay_chain::catalogue::{EncryptedFor, Field, FieldType, Fields, Operation, OperationKind};
use wechatpay_chain::{Media, Request, WeChatPay};

/// A request of an operation, before it is sent.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) path: Map<String, Value>,
    pub(crate) query: Map<String, Value>,
    pub(crate) body: Value,
    pub(crate) encrypted: Vec<String>,
}

impl Call {
    pub(crate) fn new(wx: &WeChatPay, operation: Operation) -> Call {
        let texts = |fields: Fields| {
            let text = |value: Value| {
                let first = value.get(0).cloned().unwrap_or(value);
                first.as_str().map_or_else(|| first.to_string(), String::from)
            };
            let pairs = fields.iter().filter(|field| field.is_listed());
            pairs.map(|field| (field.name().to_owned(), json!(text(value(wx, field))))).collect()
        };
        let mut query: Map<String, Value> = texts(operation.query());
        for field in operation.query().iter().filter(|field| field.encrypted_for().is_some()) {
            query.insert(field.name().into(), json!(wx.encrypt("张三").unwrap()));
        }
        let fields = operation.form().get("meta").map_or(operation.body(), |meta| meta.fields());
        let mut encrypted = Vec::new();
        pointers(fields, "", &mut encrypted);
        let upload = operation.kind() == OperationKind::Upload;
        let mut body = if fields.is_empty() && !upload { Value::Null } else { object(wx, fields) };
        if !body["sha256"].is_null() {
            let digest = sha2::Sha256::digest(file(operation).1);
            body["sha256"] = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        }
        if upload {
            for pointer in std::mem::take(&mut encrypted) {
                *body.pointer_mut(&pointer).unwrap() = json!(wx.encrypt("张三").unwrap());
            }
        }
        Call { operation, path: texts(operation.path_variables()), query, body, encrypted }
    }

    pub(crate) fn request(&self, wx: &WeChatPay) -> Request {
        let operation = self.operation;
        let chain = wx.chain(operation.template());
        let mut request = match operation.verb() {
            "GET" => chain.get(),
            "DELETE" => chain.delete(),
            "PUT" => chain.put(Value::Null),
            "PATCH" => chain.patch(Value::Null),
            _ => chain.post(Value::Null),
        };
        for segment in operation.template().split('/').filter_map(|segment| segment.strip_prefix('{')) {
            let name = segment.trim_end_matches('}');
            let text = self.path.get(name).and_then(Value::as_str).unwrap_or("4200001234");
            request = request.var(name, text);
        }
        if !self.query.is_empty() {
            request = request.query(Value::Object(self.query.clone()));
        }
        for header in operation.headers().iter().filter(|header| header.name() != "Wechatpay-Serial") {
            request = request.header(header.name(), "gzip");
        }
        if operation.kind() == OperationKind::Upload {
            let (name, bytes) = file(operation);
            let mut media = Media::bytes(name, bytes).meta(self.body.clone());
            for part in operation.form().iter().filter(|part| part.name() != "meta") {
                media = match part.field_type() {
                    FieldType::File => media.part_name(part.name()),
                    _ => media.field(part.name(), "1"),
                };
            }
            return request.media(media);
        }
        match &self.body {
            Value::Null => request,
            body => request.json(body.clone()).encrypt(&strs(&self.encrypted)),
        }
    }
}

fn file(operation: Operation) -> (&'static str, &'static [u8]) {
    match operation.template().contains("video") {
        true => ("a.mp4", b"\0\0\0\x18ftypmp42"),
        false => ("a.png", b"\x89PNG\r\n\x1a\n1"),
    }
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn pointers(fields: Fields, at: &str, found: &mut Vec<String>) {
    for field in fields.iter().filter(|field| field.is_listed()) {
        let at = format!("{at}/{}{}", field.name(), if field.is_list() { "/0" } else { "" });
        if field.encrypted_for() == Some(EncryptedFor::Platform) {
            found.push(at.clone());
        }
        pointers(field.fields(), &at, found);
    }
}

fn object(wx: &WeChatPay, fields: Fields) -> Value {
    let listed = fields.iter().filter(|field| field.is_listed());
    listed.map(|field| (field.name().to_owned(), value(wx, field))).collect::<Map<_, _>>().into()
}

fn value(wx: &WeChatPay, field: Field) -> Value {
    let single = single(wx, field);
    if field.is_list() { json!([single]) } else { single }
}

fn single(wx: &WeChatPay, field: Field) -> Value {
    let first = field.values().next();
    match field.field_type() {
        FieldType::Object => object(wx, field.fields()),
        FieldType::Json => object(wx, field.fields()).to_string().into(),
        FieldType::Boolean => true.into(),
        FieldType::Integer | FieldType::Number => {
            let first = first.and_then(|value| value.parse::<i64>().ok());
            first.unwrap_or_else(|| field.range().0.unwrap_or(1).max(1)).into()
        }
        _ if first.is_some() => first.into(),
        _ => text(wx, field).into(),
    }
}

fn text(wx: &WeChatPay, field: Field) -> String {
    match (field.name(), field.format()) {
        (name, _) if name.ends_with("mchid") && !name.contains("sub") => return wx.mchid().to_owned(),
        // The sandbox knows the one value of it.
        ("type", None) => return "Order_Paid".to_owned(),
        ("currency", _) => return "CNY".to_owned(),
        ("notify_url", _) | (_, Some("url")) => return "https://www.example.com/n".to_owned(),
        (_, Some("rfc3339")) | ("time_expire", _) => return "2999-12-31T23:59:59+08:00".to_owned(),
        (_, Some("date")) | ("bill_date", _) => return "2026-11-20".to_owned(),
        _ => {}
    }
    let (least, most) = (field.min_length().unwrap_or(1), field.max_length().unwrap_or(8));
    "4".repeat(8.clamp(least, most.max(least)))
}
