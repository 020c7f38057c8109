//! Compares a request with the documents (the catalogue): what the platform is sure to refuse is an error, the rest are
//! hints. Personal data is decrypted on the way.

use serde_json::{Map, Value};

use super::call::Call;
use crate::catalogue::{
    EncryptedFor, Field, FieldHint, FieldProblem, FieldType, Fields, Hint, Operation, OperationKind, check,
};
use crate::sandbox::{
    http::{error_response::ErrorResponse, path_template::Vars},
    keys::{cipher, keyring::SigningKey},
};

const SERIAL: &str = "Wechatpay-Serial";

/// A private-key operation each.
const MOST_ENCRYPTED: usize = 5_000;

/// The characters of a caller's name that are kept.
const LONGEST_NAME: usize = 256;

/// How much of the documents is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strictness {
    /// Types, required fields at the top level, encryption: what documents are seldom wrong about.
    Documented,
    /// Also undefined fields, which never become state, and limits.
    Modelled,
    /// Everything, lists of values too.
    Strict,
}

impl Strictness {
    fn refuses(self, hint: &FieldHint) -> bool {
        match self {
            // A number of the path once more is never right.
            Strictness::Documented => {
                hint.is_reliable()
                    || (hint.place, &hint.problem) == ("path", &FieldProblem::Unknown { near: None })
            }
            Strictness::Modelled => {
                let names = hint.place != "query" && matches!(hint.problem, FieldProblem::Unknown { .. });
                let limits = matches!(hint.problem, FieldProblem::Length { .. } | FieldProblem::Range { .. });
                names || limits || Strictness::Documented.refuses(hint)
            }
            Strictness::Strict => true,
        }
    }
}

/// The parts of a request with their personal data in the clear, where it has any.
#[derive(Debug, Default)]
pub(crate) struct Clear {
    pub(crate) body: Option<Value>,
    pub(crate) query: Option<Vars>,
}

/// Everything that differs from the documents is in `hints` afterwards, what is refused included.
pub(crate) fn validate(
    call: &Call<'_>,
    operation: Operation,
    strictness: Strictness,
    hints: &mut Vec<Hint>,
) -> Result<Clear, ErrorResponse> {
    check_content_type(call, operation)?;
    let mut found = field_hints(call, operation);
    for hint in &mut found {
        if let Some((cut, _)) = hint.field.char_indices().nth(LONGEST_NAME) {
            hint.field.truncate(cut);
        }
    }
    let tries_path = strictness == Strictness::Documented && has_few_required_fields(call, operation);
    let is_refused = |hint: &&FieldHint| {
        let missing = matches!(hint.problem, FieldProblem::Missing | FieldProblem::MissingOneOf(_));
        strictness.refuses(hint) && !(tries_path && missing)
    };
    let refused = found.iter().find(is_refused).map(refusal);
    hints.extend(found.into_iter().map(Hint::Field));
    match refused {
        Some(error) => Err(error),
        None => decrypt(call, operation),
    }
}

/// Whether less than half of the required fields are there. Such a request tries a path or a tool; one that lacks a single
/// field is a mistake.
fn has_few_required_fields(call: &Call<'_>, operation: Operation) -> bool {
    let in_body = |field: &Field| call.body.get(field.name()).is_some();
    let in_query = |field: &Field| !call.query(field.name()).is_empty();
    let (mut required, mut given) = (0, 0);
    for field in body_fields(operation).iter().filter(|field| field.is_required()) {
        required += 1;
        given += usize::from(in_body(&field));
    }
    for field in operation.query().iter().filter(|field| field.is_required()) {
        required += 1;
        given += usize::from(in_query(&field));
    }
    2 * given + 1 < required
}

/// The fields of the body: of an upload, those of its part `meta`, which the signature covers.
pub(crate) fn body_fields(operation: Operation) -> Fields {
    match operation.form().get("meta") {
        Some(meta) => meta.fields(),
        None => operation.body(),
    }
}

fn check_content_type(call: &Call<'_>, operation: Operation) -> Result<(), ErrorResponse> {
    let upload = operation.kind() == OperationKind::Upload;
    let expected = if upload { "multipart/form-data" } else { "application/json" };
    if call.request.media_type() != expected && (upload || !call.request.body.is_empty()) {
        return Err(ErrorResponse::param_error("header", "Content-Type", &format!("expected {expected}")));
    }
    match operation.form().iter().find(|part| part.field_type() == FieldType::File && part.is_required()) {
        Some(part) => call.file(part.name()).map(drop),
        None => Ok(()),
    }
}

fn field_hints(call: &Call<'_>, operation: Operation) -> Vec<FieldHint> {
    let mut hints = Vec::new();
    let mut add =
        |place, field: &str, problem| hints.push(FieldHint { place, field: field.to_owned(), problem });
    for field in operation.headers().iter().filter(|field| field.is_required()) {
        let needed = !field.is_needed_with_encrypted() && field.name() != SERIAL;
        if needed && call.header(field.name()).is_empty() {
            add("headers", field.name(), FieldProblem::Missing);
        }
    }
    for field in operation.query().iter() {
        let value = call.query(field.name());
        let fits = match field.field_type() {
            FieldType::Integer => value.parse::<i64>().is_ok(),
            FieldType::Number => value.parse::<f64>().is_ok(),
            // PHP writes `true` as 1.
            FieldType::Boolean => matches!(value, "true" | "false" | "1" | "0"),
            _ => true,
        };
        match call.optional_query(field.name()) {
            Some("") if field.is_required() => add("query", field.name(), FieldProblem::Missing),
            Some("") | None => {}
            Some(_) if fits => {}
            Some(_) => {
                let problem = FieldProblem::WrongType { expected: field.type_name(), found: "string" };
                add("query", field.name(), problem);
            }
        }
    }
    for field in operation.path_variables().iter() {
        if field.values().next().is_some() && !field.values().any(|value| value == call.var(field.name())) {
            let documented = field.values().collect();
            add("path", field.name(), FieldProblem::OtherValue { documented });
        }
    }
    let fields = body_fields(operation);
    if let Some(pointer) = null(call.body) {
        add("body", &pointer, FieldProblem::Null);
    }
    // A number of the path once more; the documents of one operation have it so.
    let twice = |name: &&String| !call.var(name).is_empty() && fields.get(name).is_none();
    if let Some(name) = call.body.as_object().and_then(|members| members.keys().find(twice)) {
        add("path", name, FieldProblem::Unknown { near: None });
    }
    each_value(fields, call.body, "", &mut |field, pointer, value| {
        if field.is_required() && value == "" {
            add("body", pointer, FieldProblem::Missing);
        }
    });
    let nothing = Value::Object(Map::new());
    let body = if call.body.is_null() { &nothing } else { call.body };
    let compared = check::compare(operation, call.query_pairs(), fields, Some(body));
    // These are decrypted instead, and every null was found.
    let others = |hint: &FieldHint| !matches!(hint.problem, FieldProblem::NotEncrypted | FieldProblem::Null);
    hints.extend(compared.into_iter().filter(others));
    hints
}

/// The pointer of the first null, wherever it is.
fn null(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| match value {
            Value::Null => Some(format!("/{name}")),
            value => Some(format!("/{name}{}", null(value)?)),
        }),
        Value::Array(list) => list.iter().enumerate().find_map(|(index, value)| match value {
            Value::Null => Some(format!("/{index}")),
            value => Some(format!("/{index}{}", null(value)?)),
        }),
        _ => None,
    }
}

/// The platform's error.
fn refusal(hint: &FieldHint) -> ErrorResponse {
    let location = if hint.place == "headers" { "header" } else { hint.place };
    let issue = match &hint.problem {
        FieldProblem::Missing => "此字段为必填项: required, but missing or empty".to_owned(),
        FieldProblem::MissingOneOf(names) => format!("至少填写一项: one of {} is required", names.join(", ")),
        FieldProblem::Null => "is null: leave out a field that has no value (字段值不能为null)".to_owned(),
        FieldProblem::Unknown { .. } if hint.place == "path" => {
            let issue =
                "请求中含有未在API文档中定义的参数: is part of the path, and no documented field of the body";
            return ErrorResponse::param_error("body", &format!("/{}", hint.field), issue);
        }
        FieldProblem::Unknown { near } => {
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("请求中含有未在API文档中定义的参数: not a documented field of this request{near}")
        }
        FieldProblem::WrongType { expected, found } => {
            format!("字段类型不符: expected {}, found {found}", with_article(expected))
        }
        FieldProblem::Length { allowed: (_, most), found } if found > most => {
            format!("长度超过最大值: longer than {most} characters or elements, found {found}")
        }
        FieldProblem::Length { allowed: (least, _), found } => {
            format!("长度小于最小值: shorter than {least} characters, found {found}")
        }
        FieldProblem::Range { allowed: (least, most) } => {
            format!("数值超出范围: expected a number from {least} to {most}")
        }
        FieldProblem::OtherValue { documented } => {
            format!("取值不在文档所列范围内: expected one of {}", documented.join(", "))
        }
        _ => hint.to_string(),
    };
    let field = match &hint.problem {
        FieldProblem::MissingOneOf(names) => {
            let object = hint.field.trim_start_matches("body").replace('.', "/");
            format!("{object}/{}", names.first().unwrap_or(&""))
        }
        _ => hint.field.clone(),
    };
    ErrorResponse::param_error(location, &field, &issue)
}

fn with_article(type_name: &str) -> String {
    let list = type_name.strip_suffix("[]");
    match list.unwrap_or(type_name) {
        _ if list.is_some() => format!("an array ({type_name})"),
        name @ ("integer" | "object") => format!("an {name}"),
        "json" => "a string of JSON".to_owned(),
        name => format!("a {name}"),
    }
}

/// Visits every documented value that is no object or list, with its pointer.
pub(super) fn each_value<'a>(
    fields: Fields,
    object: &'a Value,
    at: &str,
    visit: &mut dyn FnMut(Field, &str, &'a Value),
) {
    for (name, value) in object.as_object().into_iter().flatten() {
        let Some(field) = fields.get(name) else { continue };
        let at = format!("{at}/{name}");
        let mut single = |value: &'a Value, at: &str| match value {
            Value::Object(_) => each_value(field.fields(), value, at, visit),
            Value::Array(_) => {}
            value => visit(field, at, value),
        };
        match value {
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(index, value)| single(value, &format!("{at}/{index}")));
            }
            value => single(value, &at),
        }
    }
}

/// The texts of a body that are encrypted for the platform, with their pointers.
pub(crate) fn personal(operation: Operation, body: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    each_value(body_fields(operation), body, "", &mut |field, pointer, value| {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return };
        if field.encrypted_for() == Some(EncryptedFor::Platform) {
            found.push((pointer.to_owned(), text));
        }
    });
    found
}

fn decrypt(call: &Call<'_>, operation: Operation) -> Result<Clear, ErrorResponse> {
    let encrypted = personal(operation, call.body);
    if encrypted.len() > MOST_ENCRYPTED {
        let issue = format!("more than {MOST_ENCRYPTED} encrypted fields");
        return Err(ErrorResponse::param_error("body", "/", &issue));
    }
    let mut clear = Clear::default();
    for (pointer, text) in encrypted {
        let text = open(call, "body", &pointer, text)?;
        let body = clear.body.get_or_insert_with(|| call.body.clone());
        if let Some(slot) = body.pointer_mut(&pointer) {
            *slot = text.into();
        }
    }
    for field in operation.query().iter() {
        let text = call.query(field.name());
        if field.encrypted_for() == Some(EncryptedFor::Platform) && !text.is_empty() {
            let text = open(call, "query", field.name(), text)?;
            let query = clear.query.get_or_insert_with(|| call.query_pairs().to_vec());
            query
                .iter_mut()
                .filter(|(name, _)| name == field.name())
                .for_each(|pair| pair.1.clone_from(&text));
        }
    }
    Ok(clear)
}

fn open(call: &Call<'_>, location: &str, field: &str, text: &str) -> Result<String, ErrorResponse> {
    let key = match call.header(SERIAL) {
        "" => {
            let issue = format!("required: `{field}` is encrypted with the key that this header names");
            // The platform's words, which users look for.
            let message = format!("HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial): {issue}");
            return Err(ErrorResponse { message, ..ErrorResponse::param_error("header", SERIAL, &issue) });
        }
        serial => call.engine.keyring.find(serial),
    };
    let key = key.ok_or_else(|| {
        ErrorResponse::param_error(
            "header",
            SERIAL,
            "names no key of the platform, and the request has encrypted fields",
        )
    })?;
    cipher::decrypt_field(SigningKey::private_key(&key), text).ok_or_else(|| {
        let issue = "敏感信息解密失败: expected Base64 of RSAES-OAEP (SHA-1) with the platform key that Wechatpay-Serial names";
        ErrorResponse::param_error(location, field, issue)
    })
}
