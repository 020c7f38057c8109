//! The body of a notification, its resource encrypted with the APIv3 key.

use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use bytes::Bytes;
use serde_json::json;

use crate::sandbox::{
    faults::fault::Fault,
    http::{business_clock::BusinessClock, clock::beijing_time},
    keys::{cipher::encrypt_resource, identity::Identity},
    store::event::{Event, RESOURCE_TYPE},
};

pub(crate) struct EnvelopeFactory {
    identity: Arc<Identity>,
    pub(super) clock: Arc<BusinessClock>,
}

impl EnvelopeFactory {
    pub(crate) fn new(identity: Arc<Identity>, clock: Arc<BusinessClock>) -> EnvelopeFactory {
        EnvelopeFactory { identity, clock }
    }

    pub(crate) fn body(&self, id: &str, event: &Event) -> Result<Vec<u8>, Unspecified> {
        let original_type = &event.original_type;
        let mut resource =
            encrypt_resource(&self.identity.apiv3_key, original_type, &event.resource.to_string())?;
        resource["original_type"] = json!(original_type);
        let body = json!({
            "id": id,
            "create_time": beijing_time(self.clock.now()),
            "resource_type": event.resource_type.as_deref().unwrap_or(RESOURCE_TYPE),
            "event_type": event.event_type,
            "summary": event.summary,
            "resource": resource,
        });
        Ok(body.to_string().into_bytes())
    }
}

/// The body as it is sent, after signing.
pub(crate) fn sent_body(signed: Bytes, faults: &[Fault]) -> Bytes {
    if faults.contains(&Fault::WrongBody) { [&signed[..], b" "].concat().into() } else { signed }
}
