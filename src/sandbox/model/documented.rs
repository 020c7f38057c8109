//! Documented operations without a flow: the response has the documented shape, with values of the request. What was
//! created is kept, so that a query of it returns the same.

use serde_json::{Map, Value, json};

use super::{
    bills,
    engine::{Session, call::Call, validation},
    products::media,
    shape::{self, Shaper},
};
use crate::catalogue::{Catalogue, Hint, Operation, OperationKind};
use crate::sandbox::{
    http::{error_response::ErrorResponse, response::SandboxResponse},
    store::documents::{DOCUMENTED, Document},
};

/// The header of a response that was made from the documents.
const ANSWER: (&str, &str) = ("Sandbox-Answer", "shaped");

/// The largest request that is kept together with its response, in bytes.
const MAX_KEPT: usize = 128 << 10;

/// Validates the request and responds. `hints` has what differs from the documents.
pub(crate) fn respond(
    operation: Operation,
    call: &Call<'_>,
    hints: &mut Vec<Hint>,
) -> Result<SandboxResponse, ErrorResponse> {
    let clear = validation::validate(call, operation, call.engine.strictness(), hints)?;
    let call = &call.with(&clear);
    let upload = match operation.kind() {
        OperationKind::Download => return media::download(call),
        OperationKind::Upload => Some(media::check(call, operation)?),
        _ => None,
    };
    let known = known(call);
    let (mut answer, _) = call.engine.execute(call.scope(), &known, |session| {
        let answer = session.answer(operation, &bills::sample(call, operation.response()))?;
        if let (Some((media_type, file)), Some(id)) = (upload, answer["media_id"].as_str()) {
            session.documents.put_file(id, media_type, file)?;
        }
        Ok(answer)
    })?;
    shape::encrypt(&call.engine.identity, operation.response(), &mut answer)?;
    let response = SandboxResponse::new(operation.statuses().next().unwrap_or(200));
    let response = if upload.is_some() { response } else { response.header(ANSWER.0, ANSWER.1) };
    Ok(if operation.response().is_empty() { response } else { response.json(answer) })
}

/// The values of the request by name: of the path, the query, the body.
fn known(call: &Call<'_>) -> Value {
    let texts = call.vars().iter().chain(call.query_pairs());
    let mut known: Map<_, _> = texts.map(|(name, value)| (name.clone(), json!(value))).collect();
    known.extend(call.body.as_object().cloned().unwrap_or_default());
    Value::Object(known)
}

impl Session<'_> {
    /// The response, in the clear. The request's values are [`Session::request_body`]; `others` come after them.
    fn answer(&mut self, operation: Operation, others: &Value) -> Result<Value, ErrorResponse> {
        let request = self.request_body;
        let kept = self.kept(&keys(operation, &[request]))?;
        let (seed, now) = match &kept {
            Some(kept) => (kept.merchant_no.clone(), kept.body["created"].as_i64().unwrap_or(self.now)),
            None => (format!("{} {request}", operation.template()), self.now),
        };
        let parts = kept.as_ref().map(|kept| [&kept.body["answer"], &kept.body["request"]]);
        let verb = operation.verb();
        let sources = match parts {
            // What it is now.
            Some([answer, created]) if matches!(verb, "GET" | "DELETE") => vec![answer, created, request],
            Some([answer, created]) if verb != "POST" => vec![request, answer, created],
            _ => vec![request, others],
        };
        let engine = self.engine;
        let shaper = Shaper::new(&engine.identity, now, &[&engine.documented.seed.to_string(), &seed]);
        let answer = shaper.object(operation.response(), &sources);
        match (verb, kept) {
            ("GET", _) | ("DELETE", None) => Ok(answer),
            ("DELETE", Some(kept)) => self.documents.delete(&kept).map(|()| answer),
            (_, kept) => self.keep(operation, kept, answer),
        }
    }

    /// What was created under the first of these keys.
    fn kept(&self, keys: &[String]) -> Result<Option<Document>, ErrorResponse> {
        for key in keys {
            let mut found = self.documents.by_merchant_no(DOCUMENTED, self.scope, key)?;
            if found.is_none() && self.scope.is_empty() {
                found = self.documents.newest_by_merchant_no(DOCUMENTED, key)?;
            }
            if found.is_none() {
                found = self.documents.children(DOCUMENTED, key)?.pop();
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Keeps what a request created or changed, if a query of it is documented. Returns the response: of a repeat, the
    /// first one.
    fn keep(
        &mut self,
        operation: Operation,
        kept: Option<Document>,
        answer: Value,
    ) -> Result<Value, ErrorResponse> {
        let keys = keys(operation, &[self.request_body, &answer]);
        let Some(first) = keys.first() else { return Ok(answer) };
        let kept = match kept {
            Some(kept) => Some(kept),
            None => self.documents.by_merchant_no(DOCUMENTED, self.scope, first)?,
        };
        if let Some(same) = kept.as_ref().filter(|kept| kept.body["request"] == *self.request_body) {
            return Ok(same.body["answer"].clone());
        }
        let mut document = kept.unwrap_or_else(|| Document {
            seq: 0,
            resource_type: DOCUMENTED.into(),
            scope: self.scope.into(),
            merchant_no: first.clone(),
            platform_id: None,
            parent_id: keys.get(1).cloned(),
            state: String::new(),
            settled_at: None,
            changed_at: self.now,
            body: json!({ "created": self.now }),
        });
        for (name, part) in [("request", self.request_body), ("answer", &answer)] {
            match document.body[name].as_object_mut().filter(|_| operation.verb() != "POST") {
                Some(members) => members.extend(part.as_object().cloned().unwrap_or_default()),
                None => document.body[name] = part.clone(),
            }
        }
        if document.body.to_string().len() > MAX_KEPT {
            return Ok(answer);
        }
        self.documents.save(&mut document)?;
        Ok(answer)
    }
}

/// The documented queries of what an operation is about, each with the values of its path: by the merchant's number, by
/// the id that was returned.
fn keys(operation: Operation, known: &[&Value]) -> Vec<String> {
    let template = operation.template();
    let is_query = |query: &Operation| match operation.verb() {
        "POST" => query.template().strip_prefix(template).is_some_and(|rest| rest.starts_with('/')),
        _ => query.template() == template,
    };
    let queries = Catalogue::operations().filter(|query| query.verb() == "GET" && is_query(query));
    let key = |query: Operation| {
        let mut key = query.template().to_owned();
        for segment in query.template().split('/') {
            let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                continue;
            };
            let value = known.iter().find_map(|object| object.get(name))?;
            key += &format!(" {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        Some(key)
    };
    queries.filter_map(key).collect()
}
