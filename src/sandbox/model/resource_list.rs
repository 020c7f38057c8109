//! The list of all resources, for the page.

use serde_json::Value;

use super::{
    engine::{Engine, IDEMPOTENCY_VALUES},
    payer_actions::{self, PayerAction},
    products,
};
use crate::sandbox::http::error_response::ErrorResponse;

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// Unique; rises with every creation.
    pub(crate) seq: i64,
    pub(crate) resource_type: &'static str,
    pub(crate) merchant_no: String,
    pub(crate) platform_id: Option<String>,
    /// The sub-merchant, or empty.
    pub(crate) scope: String,
    pub(crate) state: String,
    /// In cents.
    pub(crate) amount: Option<i64>,
    /// In Unix seconds.
    pub(crate) changed_at: i64,
    pub(crate) body: Value,
}

impl Resource {
    /// The payer's actions that the state allows, the usual one first.
    pub(crate) fn payer_actions(&self) -> Vec<&'static PayerAction> {
        // A part of a combined order is paid together with it.
        if self.body.get("combined").is_some_and(Value::is_string) {
            return Vec::new();
        }
        payer_actions::allowed_actions(self.resource_type, &self.state).collect()
    }

    /// The body without internal values.
    pub(crate) fn public_body(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove(IDEMPOTENCY_VALUES);
        }
        body
    }
}

/// The newest resources of all types, newest first.
pub(crate) fn newest(engine: &Engine, count: usize) -> Result<Vec<Resource>, ErrorResponse> {
    engine.access(|session| {
        let mut resources = Vec::new();
        for mut document in session.documents.newest(count)? {
            let known = products::resource_types();
            let Some(resource_type) = known.into_iter().find(|known| known.name == document.resource_type)
            else {
                continue;
            };
            (resource_type.on_load)(session, &mut document)?;
            resources.push(Resource {
                seq: document.seq,
                resource_type: resource_type.name,
                amount: document.body.pointer(resource_type.amount).and_then(Value::as_i64),
                merchant_no: document.merchant_no,
                platform_id: document.platform_id,
                scope: document.scope,
                state: document.state,
                changed_at: document.changed_at,
                body: document.body,
            });
        }
        Ok(resources)
    })
}
