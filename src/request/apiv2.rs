//! Requests of APIv2: a draft becomes signed XML, or a signed query.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use super::Request;
use super::assemble::shown;
use super::draft::{Body, Draft};
use super::prepared::Prepared;
use super::target::RequestTarget;
use crate::context::Context;
use crate::error::{Error, kind_of};
use crate::path::Query;
use crate::response::Response;
use crate::runtime::{Deadline, InRuntime, IoRuntime, background};
use crate::v2::outgoing::{self, SignedFields, check_merchant, sign_fields};
use crate::v2::{OutgoingRequest, exchange, exchange::Client};

/// A request that is ready to be sent, and the text that was signed: without the key, and empty if there is none.
pub(super) struct Assembled {
    pub(super) request: Box<OutgoingRequest>,
    pub(super) message: String,
    pub(super) nonce: String,
}

impl Draft {
    fn assemble_v2(mut self, context: &Context) -> Result<Assembled, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if !self.encrypt.is_empty() {
            let advice = "encrypt the text yourself, with the key of `v2/risk/getpublickey`";
            return Err(Error::config_with("encrypt", "does not apply to APIv2", advice));
        }
        let template = shown(Arc::clone(&self.template));
        self.template = Arc::from(self.template.split_once('/').map_or("", |(_, rest)| rest));
        let defaults = &context.v3.defaults;
        let base = self.base.as_ref().unwrap_or(&defaults.base_url);
        let RequestTarget { mut url, base_path_length, .. } =
            self.target(base, &context.v3.transport.hosts)?;
        let mut headers = std::mem::take(&mut self.headers);
        let sign = |fields: &Map<String, Value>| {
            let secret = context.v2.secret().map_err(|error| defaults.names.rename(error))?;
            check_merchant(fields, &context.v3.merchant.mchid)?;
            sign_fields(fields, secret, self.nonceless)
        };
        let in_query = matches!(self.method, Method::GET | Method::DELETE);
        let (signed, body) = match std::mem::replace(&mut self.body, Body::None) {
            Body::None if in_query => {
                let signed = sign(&query_fields(&url)?)?;
                url.set_query(Some(&as_query(&signed)?));
                (Some(signed), Bytes::new())
            }
            Body::None => xml_of(sign(&Map::new())?),
            Body::Json(Value::Object(fields)) => xml_of(sign(&fields)?),
            Body::Json(other) => {
                let reason = format!("must be an object: the fields of the XML; it is {}", kind_of(&other));
                return Err(Error::config("xml", reason));
            }
            // As in PHP and Node: a text is sent as it is, and not signed.
            Body::Raw(content_type, bytes) => {
                set_content_type(&mut headers, content_type);
                (None, bytes)
            }
            Body::Media(_) => {
                let advice = "send the whole multipart text with `.body(…)`";
                return Err(Error::config_with("media", "is not supported for APIv2", advice));
            }
        };
        outgoing::add_headers(&mut headers);
        let (message, nonce, sign) = match signed {
            Some(signed) => {
                (signed.message.clone(), signed.get("nonce_str").to_owned(), signed.get("sign").to_owned())
            }
            None => (String::new(), String::new(), String::new()),
        };
        let request = Box::new(OutgoingRequest {
            method: self.method,
            template,
            url,
            base_path_length,
            headers,
            body,
            sign,
            with_certificate: self.with_certificate,
            timeout: self.timeout.unwrap_or(defaults.timeout),
            retries: self.retries,
        });
        Ok(Assembled { request, message, nonce })
    }
}

fn set_content_type(headers: &mut HeaderMap, content_type: Option<HeaderValue>) {
    if let Some(content_type) = content_type {
        headers.insert(http::header::CONTENT_TYPE, content_type);
    }
}

fn xml_of(signed: SignedFields) -> (Option<SignedFields>, Bytes) {
    let body = signed.to_xml();
    (Some(signed), body)
}

/// The parameters of a GET are its fields.
fn query_fields(url: &url::Url) -> Result<Map<String, Value>, Error> {
    let mut fields = Map::new();
    for (name, value) in url.query_pairs() {
        if fields.insert(name.clone().into_owned(), value.into_owned().into()).is_some() {
            let reason = format!("has `{}` more than once, which APIv2 cannot sign", name.escape_debug());
            return Err(Error::config("query", reason));
        }
    }
    Ok(fields)
}

fn as_query(signed: &SignedFields) -> Result<String, Error> {
    let fields: Map<_, _> =
        signed.fields.iter().map(|(name, text)| (name.clone(), Value::String(text.clone()))).collect();
    let mut query = Query::default();
    query.append(&Value::Object(fields)).map_err(|found| Error::config("query", format!("is {found}")))?;
    Ok(query.text)
}

impl Request {
    /// Assembles a call of APIv2.
    pub(super) fn prepare_v2(self) -> Result<Prepared, Error> {
        self.draft.assemble_v2(&self.context).map(Prepared::of_v2)
    }

    /// Sends a call of APIv2.
    pub(super) async fn send_v2(self) -> Result<Response, Error> {
        match Handle::try_current() {
            Ok(runtime) => InRuntime::new(runtime, self.exchange_v2(IoRuntime::Caller)).await,
            Err(_) => background::on_background(self.exchange_v2(IoRuntime::Background))?.await,
        }
    }

    /// Sends a call of APIv2 from this place.
    pub(super) async fn exchange_v2(self, runtime: IoRuntime) -> Result<Response, Error> {
        let deadline: Deadline = self.draft.deadline(&self.context.v3);
        let Context { v3, v2 } = &*self.context;
        let Assembled { request, .. } = self.draft.assemble_v2(&self.context)?;
        let client = Client {
            merchant: v2,
            transport: &v3.transport,
            max_body: v3.defaults.max_body,
            retry_delay: v3.defaults.retry_delay,
            traced: v3.defaults.trace_messages,
        };
        let named = |error| v3.defaults.names.rename(error);
        let (raw, answer) = exchange(&client, request, runtime, deadline).await.map_err(named)?;
        let response =
            Response::new(v3.merchant.key.clone(), raw.status, raw.headers, raw.body, answer.verified);
        Ok(match answer.data {
            Some(data) => response.with_data(data),
            None => response,
        })
    }
}
