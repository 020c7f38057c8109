//! Scripted responses: routes that the caller of the sandbox defines, in code or in a file with one JSON object per
//! line. A file is checked completely before the sandbox starts.

mod placeholder;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Excerpt;
use crate::files::{self, Unreadable};
use crate::sandbox::{
    http::{
        error_response::ErrorResponse,
        path_template::PathTemplate,
        response::{ReadyResponse, SandboxResponse},
        sandbox_error::SandboxError,
    },
    model::engine::call::Call,
};
use placeholder::{PlaceholderSource, plain};

/// The limit of a file, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The most scripts, and the bytes of their bodies: a request is compared with all, and each stays in memory.
const MAX_SCRIPTS: usize = 10_000;
const MAX_BYTES: usize = 64 << 20;

/// A scripted route.
pub(crate) struct Script {
    pub(crate) method: Method,
    pub(crate) template: PathTemplate,
    response: ScriptedResponse,
}

enum ScriptedResponse {
    Fixed(ReadyResponse),
    /// With values of the request.
    Template(ResponseTemplate),
}

impl Script {
    /// A script with a fixed response.
    pub(crate) fn fixed(method: &str, template: &str, response: &SandboxResponse) -> Result<Script, String> {
        Ok(Script {
            method: parse_method(method)?,
            template: PathTemplate::parse(template)?,
            response: ScriptedResponse::Fixed(response.build()?),
        })
    }

    pub(crate) fn is_for_same_route(&self, other: &Script) -> bool {
        self.method == other.method && self.template == other.template
    }

    pub(crate) fn respond(&self, call: &Call<'_>) -> Result<ReadyResponse, ErrorResponse> {
        match &self.response {
            ScriptedResponse::Fixed(ready) => Ok(ready.clone()),
            ScriptedResponse::Template(template) => template.respond(call),
        }
    }
}

/// The problem if these are too many.
pub(crate) fn check_room<'a>(scripts: impl Iterator<Item = &'a Script>) -> Result<(), String> {
    let (count, bytes) = scripts.fold((0, 0_usize), |(count, bytes), script| {
        let more = match &script.response {
            ScriptedResponse::Fixed(ready) => ready.body.len(),
            // A file of scripts has a limit of its own.
            ScriptedResponse::Template(_) => 0,
        };
        (count + 1, bytes.saturating_add(more))
    });
    if count > MAX_SCRIPTS {
        return Err(format!("too many scripts (limit {MAX_SCRIPTS})"));
    }
    if bytes > MAX_BYTES {
        return Err(format!("too much in the bodies of all scripts (limit {MAX_BYTES} bytes)"));
    }
    Ok(())
}

/// `http` accepts any token as a method, so `get` would never match.
pub(crate) fn parse_method(text: &str) -> Result<Method, String> {
    let upper = text.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| upper);
    method.ok_or_else(|| format!("expected an HTTP method in upper case, found {}", Excerpt(text)))
}

/// A line of a script file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    method: String,
    template: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

fn ok() -> u16 {
    200
}

/// A response with placeholders for the request's values.
struct ResponseTemplate {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

/// The scripts of all files. A duplicate route is an error, because one of the two would never respond.
pub(crate) fn load(files: &[PathBuf]) -> Result<Vec<Script>, SandboxError> {
    let mut scripts: Vec<(Script, String)> = Vec::new();
    for path in files {
        let failed = |problem: &str, source: Option<io::Error>| SandboxError::ScriptFile {
            path: path.clone(),
            line: None,
            problem: problem.into(),
            source,
        };
        let bytes = files::read_any(path, MAX_FILE).map_err(|e| match e {
            Unreadable::Failed(e) => failed("cannot be read", Some(e)),
            other => failed(&other.to_string(), None),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| failed("is not UTF-8", None))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let bad = |problem| line_error(path, index, problem);
            if scripts.len() == MAX_SCRIPTS {
                return Err(bad(format!("too many scripts (limit {MAX_SCRIPTS})")));
            }
            let script = parse_line(line).map_err(bad)?;
            let existing = scripts
                .iter()
                .find(|(old, _)| old.method == script.method && old.template == script.template);
            if let Some((_, place)) = existing {
                return Err(bad(format!("this method and template already exist in {place}")));
            }
            scripts.push((script, format!("{}, line {}", path.display(), index + 1)));
        }
    }
    Ok(scripts.into_iter().map(|(script, _)| script).collect())
}

fn line_error(path: &Path, index: usize, problem: String) -> SandboxError {
    SandboxError::ScriptFile { path: path.into(), line: Some(index + 1), problem, source: None }
}

fn parse_line(text: &str) -> Result<Script, String> {
    let bad = |problem: &str| {
        format!("expected a JSON object with method, template, status, headers and body ({problem})")
    };
    // serde would accept an array with the values in the right order.
    if !text.trim_start().starts_with('{') {
        return Err(bad("it does not start with `{`"));
    }
    let line: Line = serde_json::from_str(text).map_err(|e| {
        // serde sees only this line and numbers it 1.
        bad(&e.to_string().replace(" at line 1 column ", " at column "))
    })?;
    let method = parse_method(&line.method)?;
    let template = PathTemplate::parse(&line.template)?;
    let response = ResponseTemplate { status: line.status, headers: line.headers, body: line.body };
    // Filled once with dummy values, to find the errors that do not depend on the request.
    let checked = response.fill(&|source| match source {
        PlaceholderSource::Var(name) if !template.has_variable(name) => {
            Err(format!("the template has no variable `{name}`"))
        }
        PlaceholderSource::Var(_) | PlaceholderSource::Query(_) => Ok(Value::String(String::new())),
        PlaceholderSource::Body(_) => Ok(Value::Bool(true)),
    })?;
    checked.build()?;
    Ok(Script { method, template, response: ScriptedResponse::Template(response) })
}

impl ResponseTemplate {
    fn respond(&self, call: &Call<'_>) -> Result<ReadyResponse, ErrorResponse> {
        let response = self.fill(&|source| {
            Ok(match source {
                PlaceholderSource::Var(name) => Value::String(call.var(name).into()),
                PlaceholderSource::Query(name) => call.optional_query(name).map_or(Value::Null, Value::from),
                PlaceholderSource::Body(pointer) => {
                    call.body.pointer(pointer).cloned().unwrap_or(Value::Null)
                }
            })
        });
        response
            .and_then(|response| response.build())
            .map_err(|why| ErrorResponse::internal(format!("the script fails for this request: {why}")))
    }

    fn fill(
        &self,
        value: &dyn Fn(PlaceholderSource<'_>) -> Result<Value, String>,
    ) -> Result<SandboxResponse, String> {
        let mut headers = Vec::new();
        for (name, text) in &self.headers {
            headers.push((name, plain(&placeholder::fill(text, value)?)));
        }
        let body = fill_value(&self.body, value)?;
        let is_json = |text: &str| text.to_ascii_lowercase().contains("json");
        let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let response = SandboxResponse::new(self.status);
        let mut response = match content_type {
            None => response.json(body),
            Some((_, content_type)) => {
                let text = match body {
                    Value::Null => String::new(),
                    body if is_json(content_type) => body.to_string(),
                    Value::Object(_) | Value::Array(_) => {
                        return Err(format!("a body of type {content_type} must be a string, found JSON"));
                    }
                    // Text of another type (CSV, XML) is sent as it is, without JSON quotes.
                    body => plain(&body),
                };
                response.body(content_type, text)
            }
        };
        for (name, text) in headers {
            if !name.eq_ignore_ascii_case("content-type") {
                response = response.header(name, text);
            }
        }
        Ok(response)
    }
}

/// Fills the strings of a JSON value. Field names are unchanged.
fn fill_value(
    body: &Value,
    value: &dyn Fn(PlaceholderSource<'_>) -> Result<Value, String>,
) -> Result<Value, String> {
    Ok(match body {
        Value::String(text) => placeholder::fill(text, value)?,
        Value::Array(list) => {
            Value::Array(list.iter().map(|item| fill_value(item, value)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| Ok((name.clone(), fill_value(field, value)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_sent_as_given() {
        for (content_type, body, expected) in [
            ("application/problem+json", r#"{"a":1}"#, r#"{"a":1}"#),
            ("application/json", "null", ""),
            ("Application/JSON; charset=gbk", r#""text""#, r#""text""#),
            ("text/csv", "null", ""),
            ("text/csv", r#""a,b""#, "a,b"),
            ("text/plain", "7", "7"),
        ] {
            let line = format!(
                r#"{{"method":"GET","template":"v3/x","headers":{{"content-type":"{content_type}"}},"body":{body}}}"#
            );
            let script = parse_line(&line).unwrap_or_else(|why| panic!("{line}: {why}"));
            let ScriptedResponse::Template(template) = script.response else { panic!("{line}") };
            let ready = template.fill(&|_| Ok(Value::Null)).unwrap().build().unwrap();
            assert_eq!(ready.headers["content-type"], content_type);
            assert_eq!(ready.body, expected, "{line}");
        }
        let plain = parse_line(r#"{"method":"GET","template":"v3/x","body":{}}"#).unwrap();
        let ScriptedResponse::Template(template) = plain.response else { panic!() };
        let ready = template.fill(&|_| Ok(Value::Null)).unwrap().build().unwrap();
        assert_eq!(ready.headers["content-type"], "application/json; charset=utf-8");
    }

    #[test]
    fn invalid_lines() {
        for (line, part) in [
            ("GET v3/x 200", "expected a JSON object"),
            (r#"["GET","v3/x",200,{},null]"#, "does not start with"),
            (r#"{"method":"GET"}"#, "missing field `template`"),
            (r#"{"method":"GET","template":"v3/x","boby":{}}"#, "unknown field `boby`"),
            (r#"{"method":"get","template":"v3/x"}"#, "upper case"),
            (r#"{"method":"GET","template":"v3/x?y=1"}"#, "query"),
            (r#"{"method":"GET","template":"v3/x","status":99}"#, "200 to 599"),
            (r#"{"method":"GET","template":"v3/x","status":204,"body":{}}"#, "no body"),
            (r#"{"method":"GET","template":"v3/x","headers":{"a b":"c"}}"#, "not a header name"),
            (
                r#"{"method":"GET","template":"v3/x","headers":{"Content-Type":"text/csv"},"body":{}}"#,
                "must be a string",
            ),
            (r#"{"method":"GET","template":"v3/x","headers":{"Content-Length":"1"}}"#, "set by the server"),
            (r#"{"method":"GET","template":"v3/x","body":"{{var.id}}"}"#, "no variable `id`"),
            (r#"{"method":"GET","template":"v3/x","body":{"a":["{{vra.id}}"]}}"#, "`vra.id`"),
            (r#"{"method":"GET","template":"v3/x","body":"{{query.a"}"#, "without"),
        ] {
            let problem = parse_line(line).err().unwrap_or_else(|| panic!("{line}"));
            assert!(problem.contains(part), "{line}: {problem}");
        }
    }
}
