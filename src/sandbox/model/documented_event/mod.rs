//! Any documented notification, with a resource in its documented shape.

mod fitting;
mod overrides;
mod variant;

use serde_json::Value;

use super::{engine::Engine, shape, shape::Shaper};
use crate::catalogue::{Catalogue, DocumentedNotification};
use crate::sandbox::store::event::{Event, RESOURCE_TYPE};

/// The event of this name. Values without a source depend on the seed. An error says what is wrong, and the fix.
pub(crate) fn make(
    engine: &Engine,
    seed: &str,
    notify_url: &str,
    name: &str,
    overrides: &Value,
) -> Result<Event, String> {
    let documented = find(name)?;
    let event_type = documented.event_types().next().unwrap_or(documented.event());
    let fields = documented.resource();
    let shaper = Shaper::new(&engine.identity, engine.now(), &[seed, documented.event()]);
    let mut resource = shaper.object(fields, &[&fitting::values(documented.event(), fields)]);
    variant::choose(&mut resource, fields, overrides);
    overrides::apply(&mut resource, fields, overrides)?;
    shape::encrypt(&engine.identity, fields, &mut resource).map_err(|error| error.message)?;
    let resource_type = Some(documented.resource_type()).filter(|kind| *kind != RESOURCE_TYPE);
    Ok(Event {
        notify_url: notify_url.into(),
        event_type: event_type.into(),
        original_type: original_type(documented),
        resource_type: resource_type.map(str::to_owned),
        summary: documented.title().trim_end_matches("通知").trim_end_matches("回调").into(),
        resource,
    })
}

fn find(name: &str) -> Result<DocumentedNotification, String> {
    match Catalogue::notification(name) {
        Some(known) if known.is_v2() => {
            Err("it is an event of APIv2, which the sandbox does not send yet; it sends those of APIv3"
                .into())
        }
        Some(known) => Ok(known),
        None => {
            let near: Vec<_> = Catalogue::suggest_notifications(name)
                .iter()
                .filter(|known| !known.is_v2())
                .map(|known| format!("`{}`", known.event()))
                .collect();
            Err(match near.is_empty() {
                true => "no document has it".into(),
                false => format!("no document has it; did you mean {}?", near.join(", or ")),
            })
        }
    }
}

/// Where the documents do not say it: the product, which is the first part of the name.
fn original_type(documented: DocumentedNotification) -> String {
    let product = || documented.event().split('.').next().unwrap_or_default().to_ascii_lowercase();
    match documented.original_type().and_then(|types| types.split(' ').next()) {
        Some(kind) => kind.to_owned(),
        None => product(),
    }
}

#[cfg(test)]
mod tests;
