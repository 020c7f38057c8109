//! Error responses of the platform: status, code, message and detail.

use serde_json::{Value, json};

use super::response::SandboxResponse;

#[derive(Clone, Debug)]
pub(crate) struct ErrorResponse {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Omitted from the body when `Null`. Boxed, because a `Result` is as large as its error.
    pub(crate) detail: Box<Value>,
    /// The `Allow` header of a 405.
    pub(crate) allow: Option<String>,
    /// For a client of APIv2, which reads XML with the status 200.
    pub(crate) xml: bool,
}

impl ErrorResponse {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> ErrorResponse {
        ErrorResponse {
            status,
            code,
            message: message.into(),
            detail: Box::default(),
            allow: None,
            xml: false,
        }
    }

    /// 500: the fault of the sandbox, not of the request.
    pub(crate) fn internal(message: impl Into<String>) -> ErrorResponse {
        ErrorResponse::new(500, "SYSTEM_ERROR", message)
    }

    /// 401 about one part of the `Authorization` header.
    pub(crate) fn sign_error(field: &str, issue: &str, message: impl Into<String>) -> ErrorResponse {
        let detail = json!({ "field": field, "location": "authorization", "detail": { "issue": issue } });
        ErrorResponse { detail: detail.into(), ..ErrorResponse::new(401, "SIGN_ERROR", message) }
    }

    /// 400 about one field; `location` is `body`, `query`, `path` or `header`.
    pub(crate) fn param_error(location: &str, field: &str, issue: &str) -> ErrorResponse {
        let detail = json!({ "field": field, "location": location, "issue": issue });
        let name = field.trim_start_matches('/').replace('/', ".");
        let place = if name.is_empty() { location.to_owned() } else { format!("{location} `{name}`") };
        ErrorResponse {
            detail: detail.into(),
            ..ErrorResponse::new(400, "PARAM_ERROR", format!("{place}: {issue}"))
        }
    }

    pub(crate) fn to_response(&self) -> SandboxResponse {
        if self.xml {
            let message = self.message.replace("]]>", "]]");
            let body = format!(
                "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{message}]]></return_msg></xml>"
            );
            return SandboxResponse::new(200).body("text/xml; charset=utf-8", body).unsigned();
        }
        let mut body = json!({ "code": self.code, "message": self.message });
        if !self.detail.is_null() {
            body["detail"] = Value::clone(&self.detail);
        }
        let response = SandboxResponse::new(self.status).json(body);
        match &self.allow {
            Some(methods) => response.header("Allow", methods),
            None => response,
        }
    }
}
