//! One attempt: sign, send, read. The response is not verified yet; `exchange` does that.

use std::sync::Arc;

use http::header::AUTHORIZATION;

use super::context::Context;
use super::outgoing::OutgoingRequest;
use crate::error::Error;
use crate::response::request_id;
use crate::runtime::IoRuntime;
use crate::signer::MerchantKey;
use crate::transport::{CallInfo, RawResponse, read};

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
) -> Result<RawResponse, Error> {
    let call = request.call_info();
    let mut response = send_signed(context, request, runtime, &call).await?;
    let body = read(&mut response, context.defaults.max_body, &call).await.map_err(|error| match error {
        Error::Transport(mut e) => {
            e.request_id = request_id(response.headers()).map(str::to_owned);
            Error::Transport(e)
        }
        other => other,
    })?;
    Ok(RawResponse::new(response, body))
}

/// Signs and sends one attempt. The response's body is still to be read.
pub(crate) async fn send_signed(
    context: &Context,
    mut request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    call: &CallInfo,
) -> Result<reqwest::Response, Error> {
    let merchant = &context.merchant;
    // Counted until the head of the response arrives. The thread of a blocking call has nothing else to do, so it signs.
    let in_flight = (runtime == IoRuntime::Caller).then(|| merchant.calls.begin_call());
    if request.authorize {
        let input = request.signing_input(&*context.clock)?;
        let signing = merchant.authorize(&input, in_flight.as_ref());
        // A local key signs at once; a remote signer may take the call's timeout.
        let authorization = match merchant.key {
            MerchantKey::Local(_) => signing.await?,
            MerchantKey::Remote(_) => match tokio::time::timeout(request.timeout, signing).await {
                Ok(signed) => signed?,
                Err(_) => {
                    return Err(call.error(
                        format!("no signature within {:?}", request.timeout),
                        false,
                        None,
                    ));
                }
            },
        };
        request.headers.insert(AUTHORIZATION, authorization);
    }
    let OutgoingRequest { method, url, headers, body, upload, timeout, streamed, fresh, .. } = *request;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    *request.timeout_mut() = (!streamed).then_some(timeout);
    if let Some(upload) = upload {
        *request.body_mut() = Some(upload.body().await?);
    } else if !body.is_empty() {
        *request.body_mut() = Some(body.into());
    }
    context.transport.send(request, runtime, call, fresh).await
}
