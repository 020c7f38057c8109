//! Finds the resource that a request is about.

use serde_json::Value;

use super::{
    Session,
    call::Call,
    fields::pair,
    schema::{Location, Lookup, ResourceType},
    text,
};
use crate::sandbox::{http::error_response::ErrorResponse, store::documents::Document};

impl Session<'_> {
    /// The document, up to date. `None` only for a [`Lookup::Optional`] that finds nothing.
    pub(crate) fn find(
        &mut self,
        call: &Call<'_>,
        resource_type: &ResourceType,
        lookup: &Lookup,
    ) -> Result<Option<Document>, ErrorResponse> {
        let Some(given) = given(call, lookup) else {
            return if matches!(lookup, Lookup::Optional(_)) { Ok(None) } else { Err(missing(lookup)) };
        };
        let (name, documents) = (resource_type.name, self.documents);
        let found = match given {
            Lookup::MerchantNo(at) => documents.by_merchant_no(name, self.scope, value(call, at))?,
            Lookup::PlatformId(at) => documents.by_platform_id(name, self.scope, value(call, at))?,
            Lookup::PlatformIdInAnyScope(at) => documents.newest_by_platform_id(name, value(call, at))?,
            Lookup::Pair(first, second) => {
                let id = pair(value(call, first), value(call, second));
                documents.by_platform_id(name, self.scope, &id)?
            }
            Lookup::FirstOf(_) | Lookup::Optional(_) => None,
        };
        let Some(mut document) = found else {
            if matches!((lookup, given), (Lookup::Optional(_), Lookup::Pair(..))) {
                return Ok(None);
            }
            let id = match given {
                Lookup::MerchantNo(at)
                | Lookup::PlatformId(at)
                | Lookup::PlatformIdInAnyScope(at)
                | Lookup::Pair(_, at) => value(call, at),
                Lookup::FirstOf(_) | Lookup::Optional(_) => "",
            };
            return Err(resource_type.not_found.response(&format!("there is no {name} {id}")));
        };
        for field in resource_type.must_match {
            let (location, given) = match call.query(field) {
                "" => ("body", text(call.body, field).unwrap_or("")),
                given => ("query", given),
            };
            if text(&document.body, field).is_some_and(|actual| !given.is_empty() && actual != given) {
                let issue = format!("does not match {name} {}", document.merchant_no);
                return Err(ErrorResponse::param_error(location, field, &issue));
            }
        }
        (resource_type.on_load)(self, &mut document)?;
        Ok(Some(document))
    }
}

/// The first alternative that the request gives a value for.
fn given<'a>(call: &Call<'_>, lookup: &'a Lookup) -> Option<&'a Lookup> {
    match lookup {
        Lookup::FirstOf(alternatives) | Lookup::Optional(alternatives) => {
            alternatives.iter().find_map(|alternative| given(call, alternative))
        }
        Lookup::MerchantNo(at)
        | Lookup::PlatformId(at)
        | Lookup::PlatformIdInAnyScope(at)
        | Lookup::Pair(_, at) => (!value(call, at).is_empty()).then_some(lookup),
    }
}

fn value<'a>(call: &'a Call<'_>, location: &Location) -> &'a str {
    match location {
        Location::Path(name) => call.var(name),
        Location::Query(name) => call.query(name),
        Location::Body(pointer) => call.body.pointer(pointer).and_then(Value::as_str).unwrap_or(""),
    }
}

fn missing(lookup: &Lookup) -> ErrorResponse {
    let (location, name) = match lookup {
        Lookup::FirstOf([first, ..]) | Lookup::Optional([first, ..]) => return missing(first),
        Lookup::MerchantNo(at)
        | Lookup::PlatformId(at)
        | Lookup::PlatformIdInAnyScope(at)
        | Lookup::Pair(_, at) => match at {
            Location::Path(name) => ("path", *name),
            Location::Query(name) => ("query", *name),
            Location::Body(pointer) => ("body", *pointer),
        },
        Lookup::FirstOf(_) | Lookup::Optional(_) => ("body", "/"),
    };
    ErrorResponse::param_error(location, name, "required, but missing or empty")
}
