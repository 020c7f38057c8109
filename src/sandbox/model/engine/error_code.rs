//! The error codes of the platform, with status and message.

use crate::sandbox::http::error_response::ErrorResponse;

#[derive(Clone, Copy)]
pub(crate) struct ErrorCode {
    status: u16,
    code: &'static str,
    pub(crate) message: &'static str,
}

impl ErrorCode {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> ErrorCode {
        ErrorCode { status, code, message }
    }

    /// `reason` follows the message.
    pub(crate) fn response(self, reason: &str) -> ErrorResponse {
        ErrorResponse::new(self.status, self.code, format!("{}: {reason}", self.message))
    }

    /// As `response`, about one field of the body.
    pub(crate) fn field_response(self, field: &str, issue: &str) -> ErrorResponse {
        let named = ErrorResponse::param_error("body", field, issue);
        ErrorResponse { detail: named.detail, ..self.response(&named.message) }
    }
}

pub(crate) const NOT_FOUND: ErrorCode = ErrorCode::new(404, "RESOURCE_NOT_EXISTS", "记录不存在");
pub(crate) const WRONG_STATE: ErrorCode = ErrorCode::new(400, "INVALID_REQUEST", "当前状态不允许此操作");
pub(crate) const CHANGED: ErrorCode = ErrorCode::new(400, "INVALID_REQUEST", "重复请求的参数与之前不一致");
