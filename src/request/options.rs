//! PHP's `$options` array and Node's axios config, applied to a draft.

use serde_json::{Map, Value};

use super::draft::{Body, Draft};
use crate::error::{Error, PathError, kind_of};
use crate::transport::{Hosts, seconds};

/// Guzzle's and axios' transport options, and what to use instead.
const TRANSPORT: &[(&[&str], &str)] = &[
    (&["debug"], "use `prepare()` to see what would be sent"),
    (
        &["handler", "adapter", "curl", "httpAgent", "httpsAgent"],
        "the HTTP client is `reqwest`, set up by `WeChatPay::builder()`",
    ),
    (&["proxy", "verify", "cert", "ssl_key"], "set it for the whole client: see `WeChatPay::builder()`"),
    (&["connect_timeout", "read_timeout"], "use `.timeout(…)`, or `connect_timeout` of the builder"),
    (
        &["allow_redirects", "maxRedirects"],
        "redirects are never followed: they would send the signature to another host",
    ),
    (
        &["http_errors", "validateStatus"],
        "an error status is `Error::Api`, with the status, the code and the body",
    ),
    (
        &["cookies", "auth", "withCredentials", "xsrfCookieName", "xsrfHeaderName"],
        "the platform accepts only the signature as credentials",
    ),
    (&["form_params", "multipart"], "use `.media(…)` for a file, or `.body(content_type, bytes)`"),
    (&["meta"], "use `Media::meta`, and `.media(…)` for the file"),
    (&["delay"], "sleep before the call"),
    (
        &["stream", "progress", "onDownloadProgress"],
        "use `.save_to(…)`, which streams and has `.progress(…)`",
    ),
    (&["on_headers", "on_stats", "onUploadProgress"], "the response is read completely, then verified"),
    (
        &["decode_content", "decompress", "responseEncoding"],
        "the bytes stay as they were signed: `Response::bytes`",
    ),
    (&["maxContentLength", "maxBodyLength"], "use `max_body` of the builder"),
    (&["cancelToken", "signal"], "drop the future"),
    (&["transformRequest", "paramsSerializer"], "use `.body(…)`, or `.query(\"a=b\")` with encoded text"),
    (&["method", "url"], "the verb and the chain set it"),
    (&["expect", "version", "synchronous", "force_ip_resolve", "idn_conversion"], "leave it out"),
];

/// Applies every entry. An unknown key or a value of the wrong type becomes the draft's error.
pub(super) fn apply(draft: &mut Draft, hosts: &Hosts, mut options: Map<String, Value>) {
    // In Guzzle `json` overrides `body`, in any order.
    if options.get("json").is_some_and(|json| !json.is_null()) {
        options.remove("body");
    }
    for (key, value) in options {
        let result = apply_one(draft, hosts, key, value);
        draft.keep(result);
    }
}

fn apply_one(draft: &mut Draft, hosts: &Hosts, key: String, value: Value) -> Result<(), Error> {
    let field = format!("options.{key}");
    let wrong = |expected: &str, value: &Value| {
        Err(Error::config(field.clone(), format!("must be {expected}; it is {}", kind_of(value))))
    };
    match (key.as_str(), value) {
        // An option that PHP leaves unset is null.
        (
            "json" | "data" | "headers" | "body" | "base_uri" | "baseURL" | "security" | "nonceless" | "sink"
            | "timeout",
            Value::Null,
        ) => Ok(()),
        ("json" | "data", value) => {
            draft.json(value);
            Ok(())
        }
        // An empty PHP array is a list.
        ("headers" | "query" | "params", Value::Array(list)) if list.is_empty() => Ok(()),
        ("query" | "params", value) => draft.query(&field, &value),
        ("headers", Value::Object(headers)) => {
            for (name, value) in headers {
                let result = match value {
                    Value::String(text) => draft.header(&name, &text),
                    Value::Number(number) => draft.header(&name, &number.to_string()),
                    other => wrong("an object of strings", &other),
                };
                draft.keep(result);
            }
            Ok(())
        }
        ("body", Value::String(text)) => {
            draft.body = Body::Raw(None, text.into());
            Ok(())
        }
        ("base_uri" | "baseURL", Value::String(url)) => draft.base_url(&field, &url, hosts),
        ("timeout", value) => draft.timeout(seconds(&field, &value)?),
        // Both belong to APIv2; PHP's SDK accepts them in an APIv3 call without effect.
        ("security" | "nonceless", Value::Bool(_)) => Ok(()),
        // Without effect: the response always has its bytes.
        ("responseType" | "transformResponse", _) => Ok(()),
        ("headers", value) => wrong("an object", &value),
        ("body" | "base_uri" | "baseURL", value) => wrong("a string", &value),
        ("security" | "nonceless", value) => wrong("a boolean", &value),
        ("xml", _) => Err(Error::config(field, "belongs to APIv2, which this client does not support")),
        ("sink", Value::String(path)) => {
            draft.sink = Some(path.into());
            Ok(())
        }
        ("sink", value) => wrong("a path (or use `Request::save_to_writer`)", &value),
        (_, value) => variable(draft, key, value),
    }
}

/// Any other key must be a variable of the template: a mistyped one must not send a wrong URL.
fn variable(draft: &mut Draft, key: String, value: Value) -> Result<(), Error> {
    if has_variable(&draft.template, &key) {
        draft.var(key, value);
        return Ok(());
    }
    if let Some((_, instead)) = TRANSPORT.iter().find(|(keys, _)| keys.contains(&key.as_str())) {
        return Err(Error::config(format!("options.{key}"), format!("has no effect here: {instead}")));
    }
    Err(PathError::UnknownVariable { name: key, template: draft.template.to_string() }.into())
}

/// Whether the RFC 6570 template has a variable of this name.
fn has_variable(template: &str, name: &str) -> bool {
    template.match_indices(name).any(|(at, _)| {
        let (before, after) = (&template[..at], &template[at + name.len()..]);
        let opened =
            before.ends_with(|c: char| "{+#./;?&,".contains(c)) && before.rfind('{') > before.rfind('}');
        opened && after.starts_with(['}', ',', ':', '*'])
    })
}
