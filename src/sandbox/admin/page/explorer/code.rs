//! The call of the form, written for programs and for a shell.

use maud::{Markup, html};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::super::{commands, language::Language, list, view::View};
use super::draft::{self, Call, Draft};
use crate::catalogue::examples::Parts;
use crate::catalogue::{FieldType, Include, Operation, OperationKind, Spelling};

/// The spellings by the names of their elements, in Chinese.
const NAMES: [(Spelling, &str, &str); 10] = [
    (Spelling::Index, "index", "Rust，按索引"),
    (Spelling::Chain, "chain", "Rust，声明式"),
    (Spelling::Segments, "segments", "Rust，纯链式"),
    (Spelling::PhpLine, "php-line", "Rust，PHP 写法"),
    (Spelling::NodeLine, "node-line", "Rust，Node 写法"),
    (Spelling::Blocking, "blocking", "Rust，同步"),
    (Spelling::Php, "php", "PHP"),
    (Spelling::Node, "node", "Node"),
    (Spelling::Shell, "wxpay", "wxpay"),
    (Spelling::Batch, "batch", "wxpay batch"),
];

/// `is_new`: nothing was entered yet, so that required fields are written, too.
pub(super) fn code(view: &View, operation: Operation, draft: &Draft, call: &Call, is_new: bool) -> Markup {
    let l = view.language;
    let parts = if is_new { with_required(operation, call) } else { entered(call) };
    let curl = curl(operation, draft, &parts);
    html! {
        h3 #code { (l.say("The same call as code", "同一请求的代码")) }
        @for (index, (spelling, name, chinese)) in NAMES.into_iter().enumerate() {
            @if let Some(text) = operation.written(spelling, &parts) {
                (block(l, name, l.say(spelling.name(), chinese), &text, index == 0))
            }
        }
        @match curl {
            Some(text) => (block(l, "curl", "curl", &text, false)),
            None if operation.is_v2() => {},
            None => p .note { (l.say(
                "curl: send the request, then copy the command from its result.",
                "curl：发送请求后，从结果中复制命令。",
            )) },
        }
        @if draft.encrypts && !parts.encrypted.is_empty() {
            p .note { (l.say("Marked fields are encrypted by the client.", "标记的字段由客户端加密。")) }
        }
    }
}

fn block(l: Language, name: &str, label: &str, text: &str, open: bool) -> Markup {
    let copied = format!("copy-code-{name}");
    html! {
        details #{ "code-" (name) } open[open] {
            summary { (label) }
            pre tabindex="0" { (text) }
            div .buttons { (list::copyable(l, &copied, text, l.say("Copy", "复制"))) }
        }
    }
}

fn entered(call: &Call) -> Parts {
    let Parts { variables, headers, query, body, encrypted } = &call.parts;
    Parts {
        variables: variables.clone(),
        headers: headers.clone(),
        query: query.clone(),
        body: body.clone(),
        encrypted: encrypted.clone(),
    }
}

/// The required fields, with the values that are known.
fn with_required(operation: Operation, call: &Call) -> Parts {
    let mut parts = entered(call);
    let mut query = operation.query_skeleton(Include::Required);
    merge(&mut query, &parts.query);
    parts.query = query;
    let mut body = operation.body_skeleton(Include::Required);
    merge(&mut body, &parts.body);
    parts.body = body;
    parts.encrypted = operation.encrypted_pointers(Include::Required);
    parts
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// `None` for what only a client can encrypt.
fn curl(operation: Operation, draft: &Draft, parts: &Parts) -> Option<String> {
    if operation.is_v2() || !parts.encrypted.is_empty() {
        return None;
    }
    let (verb, target) = (operation.verb(), target(operation, parts));
    if operation.kind() == OperationKind::Upload {
        let part = operation.form().iter().find(|field| field.field_type() == FieldType::File)?;
        return commands::curl_upload(verb, &target, part.name(), &draft.meta(operation).to_string());
    }
    let body = if parts.body.is_null() { String::new() } else { parts.body.to_string() };
    commands::curl_of(verb, &target, &body, "")
}

/// The path and query of a call, as a client sends them; variables without a value stay as they are.
fn target(operation: Operation, parts: &Parts) -> String {
    let mut path = String::new();
    for segment in operation.template().split('/') {
        let value =
            draft::variable(segment).and_then(|name| parts.variables.iter().find(|(known, _)| known == name));
        let value = value.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
        path += "/";
        path += &value.map_or(segment.to_owned(), encode);
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parts.query.as_object().into_iter().flatten() {
        query.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    match query.finish() {
        empty if empty.is_empty() => path,
        query => format!("{path}?{}", query.replace('+', "%20")),
    }
}

/// A value as a segment of a path.
fn encode(value: &str) -> String {
    let Ok(mut url) = Url::parse("http://localhost/") else { return String::new() };
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().push(value);
    }
    url.path()[1..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    fn draft(pairs: &[(&str, &str)]) -> Draft {
        Draft::of_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_target_is_encoded() {
        let operation = Catalogue::find("GET", "v3/pay/transactions/out-trade-no/{out_trade_no}").unwrap();
        let call = draft(&[("path/out_trade_no", "a/b 中"), ("query/mchid", "1 2&3")]).call(operation);
        let encoded = "/v3/pay/transactions/out-trade-no/a%2Fb%20%E4%B8%AD?mchid=1%202%263";
        assert_eq!(target(operation, &call.parts), encoded);
        let call = draft(&[]).call(operation);
        assert_eq!(target(operation, &call.parts), "/v3/pay/transactions/out-trade-no/{out_trade_no}");
        assert_eq!(call.mistakes.len(), 1);
    }
}
