//! One attempt: sign, send, read. The response is not verified yet; `exchange` does that.

use std::sync::Arc;

use http::header::AUTHORIZATION;

use super::context::Context;
use super::outgoing::OutgoingRequest;
use crate::error::Error;
use crate::response::request_id;
use crate::runtime::{Deadline, IoRuntime, another_core_can_sign};
use crate::transport::{CallInfo, RawResponse, read, trace};

impl OutgoingRequest {
    /// The call that errors name.
    pub(crate) fn call_info(&self) -> CallInfo {
        CallInfo { method: self.method.clone(), template: Arc::clone(&self.template), timeout: self.timeout }
    }
}

/// Signs, sends and reads one attempt.
pub(super) async fn send_and_read(
    context: &Context,
    request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    deadline: &Deadline,
) -> Result<RawResponse, Error> {
    let call = request.call_info();
    let mut response = send_signed(context, request, runtime, &call, deadline).await?;
    let body = read(&mut response, context.defaults.max_body, &call).await.map_err(|error| match error {
        Error::Transport(mut e) => {
            e.request_id = request_id(response.headers()).map(str::to_owned);
            Error::Transport(e)
        }
        other => other,
    })?;
    if context.defaults.trace_messages {
        trace::response_body(&body);
    }
    Ok(RawResponse::new(response, body))
}

/// Signs and sends one attempt. The response's body is still to be read.
pub(crate) async fn send_signed(
    context: &Context,
    mut request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    call: &CallInfo,
    deadline: &Deadline,
) -> Result<reqwest::Response, Error> {
    let merchant = &context.merchant;
    let late = |what: &str| {
        let allowed = deadline.allowed();
        call.late(format!("{what} within {allowed:?}"), false)
    };
    // Counted until the head of the response arrives. The thread of a blocking call has nothing else to do, so it signs.
    let may_leave = runtime == IoRuntime::Caller && another_core_can_sign();
    let in_flight = may_leave.then(|| merchant.calls.begin_call());
    if request.authorize {
        let input = request.signing_input(&*context.clock)?;
        let authorization = merchant.authorize(input, in_flight.as_ref(), deadline).await?;
        request.headers.insert(AUTHORIZATION, authorization.ok_or_else(|| late("no signature"))?);
    }
    let OutgoingRequest { method, url, headers, body, upload, streamed, fresh, .. } = *request;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    let traced = context.defaults.trace_messages;
    if traced {
        trace::request(&request, &body, None);
    }
    if let Some(upload) = upload {
        // Boxed: only an upload needs it.
        let body = Box::pin(deadline.bound(upload.body())).await;
        *request.body_mut() = Some(body.ok_or_else(|| late("the file could not be opened"))??);
    } else if !body.is_empty() {
        *request.body_mut() = Some(body.into());
    }
    let left = deadline.left().ok_or_else(|| late("it could not be sent"))?;
    let response = if streamed {
        // Only its head has the time of the call; the HTTP library's timeout would end the body, too. Nothing before this
        // is in the same limit: what was not sent in time must not look as if it had been.
        let sent = Box::pin(context.transport.send(request, runtime, call, fresh));
        let allowed = deadline.allowed();
        let late = || Err(call.late(format!("no response within {allowed:?}"), true));
        deadline.bound(sent).await.unwrap_or_else(late)?
    } else {
        *request.timeout_mut() = Some(left);
        context.transport.send(request, runtime, call, fresh).await?
    };
    if traced {
        trace::response(response.status(), response.headers());
    }
    Ok(response)
}
