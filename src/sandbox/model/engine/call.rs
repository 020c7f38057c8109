//! A verified request, decoded for its endpoint.

use serde_json::Value;

use super::{Engine, validation::Clear};
use crate::sandbox::http::{
    error_response::ErrorResponse, multipart, path_template::Vars, request::IncomingRequest,
};

pub(crate) struct Call<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) body: &'a Value,
    pub(crate) request: &'a IncomingRequest,
    vars: Vars,
    query: Vars,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        request: &'a IncomingRequest,
        vars: Vars,
        body: &'a Value,
    ) -> Call<'a> {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Call { engine, body, request, vars, query }
    }

    /// The same request with its personal data in the clear.
    pub(crate) fn with<'b>(&self, clear: &'b Clear) -> Call<'b>
    where
        'a: 'b,
    {
        Call {
            engine: self.engine,
            body: clear.body.as_ref().unwrap_or(self.body),
            request: self.request,
            vars: self.vars.clone(),
            query: clear.query.as_ref().unwrap_or(&self.query).clone(),
        }
    }

    pub(crate) fn vars(&self) -> &Vars {
        &self.vars
    }

    pub(crate) fn query_pairs(&self) -> &Vars {
        &self.query
    }

    /// A variable of the path, or `""`.
    pub(crate) fn var(&self, name: &str) -> &str {
        find(&self.vars, name).unwrap_or("")
    }

    /// A value of the query, or `""`.
    pub(crate) fn query(&self, name: &str) -> &str {
        find(&self.query, name).unwrap_or("")
    }

    pub(crate) fn optional_query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// The sub-merchant, or `""`.
    pub(crate) fn scope(&self) -> &str {
        match self.query("sub_mchid") {
            "" => self.text("/sub_mchid"),
            mchid => mchid,
        }
    }

    /// A header that occurs once, or `""`.
    pub(crate) fn header(&self, name: &str) -> &'a str {
        self.request.header(name).unwrap_or("")
    }

    /// The media type and the bytes of an upload's part with this name.
    pub(crate) fn file(&self, name: &str) -> Result<(&'a str, &'a [u8]), ErrorResponse> {
        multipart::file(self.header("content-type"), &self.request.body, name)
            .map_err(|why| ErrorResponse::param_error("body", &format!("/{name}"), &why))
    }

    /// A string of the body at this pointer, or `""`.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }
}

fn find<'a>(pairs: &'a Vars, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
