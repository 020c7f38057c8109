//! Every documented operation of APIv3, filled from its own fields: the sandbox accepts it, and responds in the
//! documented shape. What is left out is named. The values are made here, and the response is compared here.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use wechatpay_chain::catalogue::{
    Catalogue, EncryptedFor, Field, FieldType, Fields, Operation, OperationKind,
};
use wechatpay_chain::sandbox::{EndpointKind, Sandbox, Seen};
use wechatpay_chain::{Error, Media, Request, WeChatPay};

use crate::support::sandbox_builder;

/// A sandbox, and the last request that it saw: its kind and its hints.
struct Platform {
    _sandbox: Sandbox,
    wx: WeChatPay,
    last: Arc<Mutex<Option<(EndpointKind, Vec<String>)>>>,
}

impl Platform {
    fn start(strict: bool) -> Platform {
        let last = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&last);
        let sandbox = sandbox_builder().strict(strict).seed(7).watch(move |event| {
            if let Seen::Request(request) = event {
                *seen.lock().unwrap() = Some((request.endpoint, request.hints()));
            }
        });
        let sandbox = sandbox.start().unwrap();
        Platform { wx: sandbox.client().unwrap(), _sandbox: sandbox, last }
    }

    fn last(&self) -> (EndpointKind, Vec<String>) {
        self.last.lock().unwrap().clone().unwrap()
    }
}

fn operations() -> Vec<Operation> {
    Catalogue::operations().filter(|operation| !operation.is_v2()).collect()
}

/// A request of an operation, before it is sent.
#[derive(Clone)]
struct Call {
    operation: Operation,
    path: Map<String, Value>,
    query: Map<String, Value>,
    body: Value,
    encrypted: Vec<String>,
}

impl Call {
    fn new(wx: &WeChatPay, operation: Operation) -> Call {
        let texts = |fields: Fields| {
            let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), String::from);
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
        let body = if fields.is_empty() { Value::Null } else { object(wx, fields) };
        Call { operation, path: texts(operation.path_variables()), query, body, encrypted }
    }

    fn request(&self, wx: &WeChatPay) -> Request {
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
            let mut media = Media::bytes("a.png", &b"\x89PNG\r\n\x1a\n1"[..]).meta(self.body.clone());
            for part in operation.form().iter().filter(|part| part.name() != "meta") {
                media = match part.field_type() {
                    FieldType::File => media.part_name(part.name()),
                    _ => media.field(part.name(), "1"),
                };
            }
            return request.media(media).encrypt(&strs(&self.encrypted));
        }
        match &self.body {
            Value::Null => request,
            body => request.json(body.clone()).encrypt(&strs(&self.encrypted)),
        }
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
        // The SHA-256 of the file.
        ("sha256", _) => {
            return "d4cf5fbbc645b0c920964a8a076a29454f6d8702a17da38506fae24aa0621f90".to_owned();
        }
        ("currency", _) => return "CNY".to_owned(),
        ("notify_url", _) | (_, Some("url")) => return "https://www.example.com/n".to_owned(),
        (_, Some("rfc3339")) | ("time_expire", _) => return "2999-12-31T23:59:59+08:00".to_owned(),
        (_, Some("date")) => return "2026-11-20".to_owned(),
        _ => {}
    }
    let (least, most) = (field.min_length().unwrap_or(1), field.max_length().unwrap_or(12));
    "4".repeat(12.clamp(least, most.max(least)))
}

/// The first field of this shape that a response does not have so.
fn wrong(wx: &WeChatPay, fields: Fields, value: &Value, at: &str) -> Option<String> {
    let Some(members) = value.as_object() else { return Some(format!("{at} is no object: {value}")) };
    fields.iter().filter(|field| field.is_listed()).find_map(|field| {
        let at = format!("{at}/{}", field.name());
        match members.get(field.name()) {
            None => field.is_required().then(|| format!("{at} is missing")),
            Some(Value::Array(list)) if field.is_list() => {
                list.iter().find_map(|value| wrong_single(wx, field, value, &at))
            }
            Some(other) if field.is_list() => Some(format!("{at} is no list: {other}")),
            Some(value) => wrong_single(wx, field, value, &at),
        }
    })
}

fn wrong_single(wx: &WeChatPay, field: Field, value: &Value, at: &str) -> Option<String> {
    let fits = match field.field_type() {
        FieldType::Object => return wrong(wx, field.fields(), value, at),
        FieldType::Integer => value.is_i64() || value.is_u64(),
        FieldType::Number => value.is_number(),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Json => {
            let json = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            return json.is_none().then(|| format!("{at} is no JSON: {value}"));
        }
        _ if field.encrypted_for() == Some(EncryptedFor::Merchant) => {
            value.as_str().is_some_and(|text| wx.decrypt(text).is_ok())
        }
        _ => value.is_string(),
    };
    (!fits).then(|| format!("{at} is not of the type {}: {value}", field.type_name()))
}

/// Runs this for every operation, on every core.
fn for_each(strict: bool, work: impl Fn(&Platform, Operation) -> Vec<String> + Sync) {
    let all = operations();
    assert!(all.len() >= 1_020, "{}", all.len());
    let found: Vec<String> = std::thread::scope(|scope| {
        let work = &work;
        let parts = all.chunks(all.len().div_ceil(2)).map(|part| {
            scope.spawn(move || {
                let platform = Platform::start(strict);
                part.iter().flat_map(|operation| work(&platform, *operation)).collect::<Vec<_>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{} problems:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_operation_is_accepted_and_answered_in_its_shape() {
    for_each(false, |platform, operation| {
        let name = format!("{} {}", operation.verb(), operation.template());
        let call = Call::new(&platform.wx, operation);
        let result = call.request(&platform.wx).wait();
        let (kind, hints) = platform.last();
        let problem = match (result, kind) {
            (Ok(response), _) => {
                let status = response.status();
                let shaped = response.header("Sandbox-Answer") == Some("shaped");
                let is_download = operation.kind() == OperationKind::Download;
                if !operation.statuses().any(|documented| documented == status) {
                    Some(format!("status {status}"))
                } else if (kind == EndpointKind::Shaped && !is_download) != shaped {
                    Some(format!("{kind:?}, but header {shaped}"))
                } else if operation.response().is_empty() {
                    None
                } else {
                    wrong(&platform.wx, operation.response(), response.data(), "")
                }
            }
            // A flow: there is no order, no refund … with these numbers.
            (Err(Error::Api(error)), EndpointKind::Modelled) if error.code != "PARAM_ERROR" => None,
            (Err(error), _) => Some(error.to_string()),
        };
        let hints = hints.iter().map(|hint| format!("{name}: hint {hint}"));
        hints
            .filter(|hint| !hint.contains("this operation"))
            .chain(problem.map(|problem| format!("{name}: {problem}")))
            .collect()
    });
}
