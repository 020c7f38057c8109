//! PHP's `$options` array, and Node's axios config, onto a `Request`.

use serde_json::{Map, Value};

use crate::client::builder as config;
use crate::error::{Error, PathError, kind_of};
use crate::request::Request;

/// Guzzle's and axios' options about the transport, and the Rust way to what they do.
const TRANSPORT: &[(&[&str], &str)] = &[
    (&["debug"], "use `prepare()` to see what would be sent"),
    (
        &["handler", "adapter", "curl", "httpAgent", "httpsAgent"],
        "the HTTP client is `reqwest`, set up by `WeChatPay::builder()`",
    ),
    (
        &["proxy", "verify", "cert", "ssl_key"],
        "that is the client's, not one request's: see `WeChatPay::builder()`",
    ),
    (&["connect_timeout", "read_timeout"], "use `.timeout(…)`, or `Builder::connect_timeout`"),
    (
        &["allow_redirects", "maxRedirects"],
        "redirects are never followed: they would carry the signature away",
    ),
    (
        &["http_errors", "validateStatus"],
        "an error status is `Error::Api`, which has the status, the code and the body",
    ),
    (
        &["cookies", "auth", "withCredentials", "xsrfCookieName", "xsrfHeaderName"],
        "the platform takes no other credentials than the signature",
    ),
    (&["form_params", "multipart"], "use `.media(…)` for a file, else `.body(content_type, bytes)`"),
    (&["meta"], "give it to `Media::meta`, and the file to `.media(…)`"),
    (&["delay"], "sleep before the call"),
    (
        &["stream", "progress", "onDownloadProgress"],
        "use `.save_to(…)`, which streams, and has `.progress(…)`",
    ),
    (&["on_headers", "on_stats", "onUploadProgress"], "the answer is read whole, then verified"),
    (
        &["decode_content", "decompress", "responseEncoding"],
        "the bytes are kept as they were signed: `Response::bytes`",
    ),
    (&["maxContentLength", "maxBodyLength"], "use `Builder::max_body`"),
    (&["cancelToken", "signal"], "drop the future"),
    (&["transformRequest", "paramsSerializer"], "use `.body(…)`, or `.query(\"a=b\")` with the text"),
    (&["method", "url"], "the verb and the chain say it"),
    (&["expect", "version", "synchronous", "force_ip_resolve", "idn_conversion"], "leave it out"),
];

/// Applies every entry; an unknown key, or a value of the wrong type, becomes the request's error.
pub(crate) fn apply(mut request: Request, mut options: Map<String, Value>) -> Request {
    // Guzzle lets `json` win over `body`, in whatever order they stand.
    if options.get("json").is_some_and(|json| !json.is_null()) {
        options.remove("body");
    }
    for (key, value) in options {
        request = one(request, key, value);
    }
    request
}

fn one(request: Request, key: String, value: Value) -> Request {
    let field = format!("options.{key}");
    let wrong = |request: Request, wanted: &str, value: &Value| {
        let reason = format!("must be {wanted}; it is {}", kind_of(value));
        request.fail(Error::config(field.clone(), reason))
    };
    match (key.as_str(), value) {
        // What PHP leaves unset is null, and an empty PHP array is a list.
        (
            "json" | "data" | "headers" | "body" | "base_uri" | "baseURL" | "security" | "nonceless" | "sink"
            | "timeout",
            Value::Null,
        ) => request,
        ("json" | "data", value) => request.json(value),
        ("headers" | "query" | "params", Value::Array(list)) if list.is_empty() => request,
        ("query" | "params", value) => request.add_query(&field, &value),
        ("headers", Value::Object(headers)) => {
            headers.into_iter().fold(request, |request, (name, value)| match value {
                Value::String(text) => request.header(name, text),
                Value::Number(number) => request.header(name, number.to_string()),
                other => wrong(request, "an object of strings", &other),
            })
        }
        ("body", Value::String(text)) => request.raw_body(text),
        ("base_uri" | "baseURL", Value::String(url)) => request.set_base_url(&field, &url),
        ("timeout", value) => match config::seconds(&field, &value) {
            Ok(timeout) => request.timeout(timeout),
            Err(e) => request.fail(e),
        },
        // Both belong to APIv2, and PHP's SDK takes them on an APIv3 call without effect.
        ("security" | "nonceless", Value::Bool(_)) => request,
        // The bytes are always there.
        ("responseType" | "transformResponse", _) => request,
        ("headers", value) => wrong(request, "an object", &value),
        ("body" | "base_uri" | "baseURL", value) => wrong(request, "a string", &value),
        ("security" | "nonceless", value) => wrong(request, "a boolean", &value),
        ("xml", _) => {
            request.fail(Error::config(field, "belongs to APIv2, which this client does not speak"))
        }
        ("sink", Value::String(path)) => request.sink(path),
        ("sink", value) => wrong(request, "a path (or use `Request::save_to_writer`)", &value),
        (_, value) => variable(request, key, value),
    }
}

/// Any other key must be a variable of the template: a mistyped one must not send a wrong URL.
fn variable(request: Request, key: String, value: Value) -> Request {
    let template = request.template();
    let is_variable = template.match_indices(&*key).any(|(at, _)| {
        let (before, after) = (&template[..at], &template[at + key.len()..]);
        let opened =
            before.ends_with(|c: char| "{+#./;?&,".contains(c)) && before.rfind('{') > before.rfind('}');
        opened && after.starts_with(['}', ',', ':', '*'])
    });
    if is_variable {
        return request.var(key, value);
    }
    if let Some((_, way)) = TRANSPORT.iter().find(|(keys, _)| keys.contains(&key.as_str())) {
        return request.fail(Error::config(format!("options.{key}"), format!("has no effect here: {way}")));
    }
    let template = template.to_owned();
    request.fail(PathError::UnknownVariable { name: key, template }.into())
}
