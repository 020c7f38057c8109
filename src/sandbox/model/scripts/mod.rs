//! Scripted answers out of a file: one JSON object a line, checked whole before the sandbox starts.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer, SandboxError,
    answer::Ready,
    placeholder::{self, Source, plain},
    refusal::Refusal,
    routes::{Call, Script, Scripted, verb},
    template::Template,
};

/// A line as it is written.
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

/// An answer whose texts wait for the request's values.
pub(super) struct Recipe {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

/// All lines of all files. A route that is there twice is an error: one of the two would never answer.
pub(super) fn load(files: &[PathBuf]) -> Result<Vec<Script>, SandboxError> {
    let mut scripts: Vec<(Script, String)> = Vec::new();
    for path in files {
        let failed = |problem: &str, source: Option<io::Error>| SandboxError::ScriptFile {
            path: path.clone(),
            line: None,
            problem: problem.into(),
            source,
        };
        let bytes = fs::read(path).map_err(|e| failed("cannot be read", Some(e)))?;
        let text = String::from_utf8(bytes).map_err(|_| failed("is not UTF-8", None))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let bad = |problem| at(path, index, problem);
            let script = read(line).map_err(bad)?;
            let known = scripts
                .iter()
                .find(|(old, _)| old.method == script.method && old.template == script.template);
            if let Some((_, place)) = known {
                return Err(bad(format!("this method and template are there already, in {place}")));
            }
            scripts.push((script, format!("{}, line {}", path.display(), index + 1)));
        }
    }
    Ok(scripts.into_iter().map(|(script, _)| script).collect())
}

fn at(path: &Path, index: usize, problem: String) -> SandboxError {
    SandboxError::ScriptFile { path: path.into(), line: Some(index + 1), problem, source: None }
}

fn read(text: &str) -> Result<Script, String> {
    let bad = |problem: &str| {
        format!("expected a JSON object with method, template, status, headers and body ({problem})")
    };
    // A list with the values in the right order would be taken for the object.
    if !text.trim_start().starts_with('{') {
        return Err(bad("it begins otherwise"));
    }
    let line: Line = serde_json::from_str(text).map_err(|e| {
        // It was given one line, and calls it the first.
        bad(&e.to_string().replace(" at line 1 column ", " at column "))
    })?;
    let method: Method = verb(&line.method)?;
    let template = Template::parse(&line.template)?;
    let recipe = Recipe { status: line.status, headers: line.headers, body: line.body };
    // Once with nothing in the placeholders: what is wrong without the request is told now.
    let checked = recipe.prepare(&|source| match source {
        Source::Var(name) if !template.has(name) => Err(format!("the template has no variable `{name}`")),
        Source::Var(_) | Source::Query(_) => Ok(Value::String(String::new())),
        Source::Body(_) => Ok(Value::Bool(true)),
    })?;
    checked.ready()?;
    Ok(Script { method, template, answer: Scripted::Filled(recipe) })
}

impl Recipe {
    pub(super) fn answer(&self, call: &Call<'_>) -> Result<Ready, Refusal> {
        let answer = self.prepare(&|source| {
            Ok(match source {
                Source::Var(name) => Value::String(call.var(name).into()),
                Source::Query(name) => call.query_if_there(name).map_or(Value::Null, Value::from),
                Source::Body(pointer) => call.body.pointer(pointer).cloned().unwrap_or(Value::Null),
            })
        });
        answer.and_then(|answer| answer.ready()).map_err(|why| {
            Refusal::new(500, "SYSTEM_ERROR", format!("the script does not fit this request: {why}"))
        })
    }

    fn prepare(&self, value: &dyn Fn(Source<'_>) -> Result<Value, String>) -> Result<Answer, String> {
        let mut headers = Vec::new();
        for (name, text) in &self.headers {
            headers.push((name, plain(&placeholder::fill(text, value)?)));
        }
        let body = filled(&self.body, value)?;
        let is_json = |text: &str| text.to_ascii_lowercase().contains("json");
        let other_type = headers
            .iter()
            .find(|(name, text)| name.eq_ignore_ascii_case("content-type") && !is_json(text))
            .map(|(_, text)| text.clone());
        let mut answer = Answer::new(self.status);
        answer = match (other_type, body) {
            // A text of another type (CSV, XML) goes out as it is; as JSON it would get quotes.
            (Some(content_type), Value::String(text)) => answer.body(content_type, text),
            (_, body) => answer.json(body),
        };
        for (name, text) in headers {
            if !name.eq_ignore_ascii_case("content-type") {
                answer = answer.header(name, text);
            }
        }
        Ok(answer)
    }
}

/// The texts of a JSON value filled; the names of an object's fields stay as they are.
fn filled(body: &Value, value: &dyn Fn(Source<'_>) -> Result<Value, String>) -> Result<Value, String> {
    Ok(match body {
        Value::String(text) => placeholder::fill(text, value)?,
        Value::Array(list) => {
            Value::Array(list.iter().map(|item| filled(item, value)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| Ok((name.clone(), filled(field, value)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none() {
        for (line, part) in [
            ("GET v3/x 200", "expected a JSON object"),
            (r#"["GET","v3/x",200,{},null]"#, "begins otherwise"),
            (r#"{"method":"GET"}"#, "missing field `template`"),
            (r#"{"method":"GET","template":"v3/x","boby":{}}"#, "unknown field `boby`"),
            (r#"{"method":"get","template":"v3/x"}"#, "upper case"),
            (r#"{"method":"GET","template":"v3/x?y=1"}"#, "query"),
            (r#"{"method":"GET","template":"v3/x","status":99}"#, "200 to 599"),
            (r#"{"method":"GET","template":"v3/x","status":204,"body":{}}"#, "no body"),
            (r#"{"method":"GET","template":"v3/x","headers":{"a b":"c"}}"#, "no header name"),
            (r#"{"method":"GET","template":"v3/x","headers":{"Content-Length":"1"}}"#, "server's own"),
            (r#"{"method":"GET","template":"v3/x","body":"{{var.id}}"}"#, "no variable `id`"),
            (r#"{"method":"GET","template":"v3/x","body":{"a":["{{vra.id}}"]}}"#, "`vra.id`"),
            (r#"{"method":"GET","template":"v3/x","body":"{{query.a"}"#, "without"),
        ] {
            let problem = read(line).err().unwrap_or_else(|| panic!("{line}"));
            assert!(problem.contains(part), "{line}: {problem}");
        }
    }
}
