//! The resource that a request is about.

use serde_json::Value;

use super::{
    super::{
        catalogue::{By, Kind, Place},
        refusal::Refusal,
        routes::Call,
        store::Document,
    },
    Flow,
    fill::pair,
    text,
};

impl Flow<'_> {
    /// The document, up to date; `None` only when the request may be about nothing, and is.
    pub(super) fn find(
        &mut self,
        call: &Call<'_>,
        kind: &Kind,
        by: &By,
    ) -> Result<Option<Document>, Refusal> {
        let Some(named) = named(call, by) else {
            return if matches!(by, By::May(_)) { Ok(None) } else { Err(unnamed(by)) };
        };
        let found = match named {
            By::Number(place) => self.documents.numbered(kind.name, self.scope, value(call, place))?,
            By::Own(place) => self.documents.owned(kind.name, self.scope, value(call, place))?,
            By::Anyones(place) => self.documents.anyones(kind.name, value(call, place))?,
            By::Pair(one, other) => {
                let own = pair(value(call, one), value(call, other));
                self.documents.owned(kind.name, self.scope, &own)?
            }
            By::Any(_) | By::May(_) => None,
        };
        let Some(mut document) = found else {
            if matches!((by, named), (By::May(_), By::Pair(..))) {
                return Ok(None);
            }
            let place = match named {
                By::Number(place) | By::Own(place) | By::Anyones(place) | By::Pair(_, place) => {
                    value(call, place)
                }
                By::Any(_) | By::May(_) => "",
            };
            return Err(kind.unknown.refusal(&format!("there is no {} {place}", kind.name)));
        };
        for name in kind.ties {
            let (location, given) = match call.query(name) {
                "" => ("body", text(call.body, name).unwrap_or("")),
                given => ("query", given),
            };
            if text(&document.body, name).is_some_and(|own| !given.is_empty() && own != given) {
                let issue = format!("not that of {} {}", kind.name, document.number);
                return Err(Refusal::param(location, name, &issue));
            }
        }
        (kind.load)(self, &mut document)?;
        Ok(Some(document))
    }
}

/// The first of the ways that the request gives a value for.
fn named<'a>(call: &Call<'_>, by: &'a By) -> Option<&'a By> {
    match by {
        By::Any(ways) | By::May(ways) => ways.iter().find_map(|way| named(call, way)),
        By::Number(place) | By::Own(place) | By::Anyones(place) | By::Pair(_, place) => {
            (!value(call, place).is_empty()).then_some(by)
        }
    }
}

fn value<'a>(call: &'a Call<'_>, place: &Place) -> &'a str {
    match place {
        Place::Var(name) => call.var(name),
        Place::Query(name) => call.query(name),
        Place::Body(pointer) => call.body.pointer(pointer).and_then(Value::as_str).unwrap_or(""),
    }
}

fn unnamed(by: &By) -> Refusal {
    let (location, name) = match by {
        By::Any([first, ..]) | By::May([first, ..]) => return unnamed(first),
        By::Number(place) | By::Own(place) | By::Anyones(place) | By::Pair(_, place) => match place {
            Place::Var(name) => ("path", *name),
            Place::Query(name) => ("query", *name),
            Place::Body(pointer) => ("body", *pointer),
        },
        By::Any(_) | By::May(_) => ("body", "/"),
    };
    Refusal::param(location, name, "required, and missing or empty")
}
