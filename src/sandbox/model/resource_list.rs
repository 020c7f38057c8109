//! The list of all resources, and what belongs to one of them, for the page.

use serde_json::Value;

use super::{
    engine::{Engine, IDEMPOTENCY_VALUES, Session, cents, text},
    payer_actions::{self, PayerAction},
    products::{
        self,
        combined::{self, COMBINED},
        orders::ORDER,
        refunds::REFUND,
    },
};
use crate::sandbox::{
    http::error_response::ErrorResponse,
    store::{
        documents::Document,
        event::QueuedEvent,
        page::{Page, Window},
    },
};

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// Unique; rises with every creation.
    pub(crate) seq: i64,
    pub(crate) resource_type: &'static str,
    pub(crate) merchant_no: String,
    pub(crate) platform_id: Option<String>,
    /// The names of the fields of these two.
    pub(crate) number_fields: [&'static str; 2],
    /// The sub-merchant, or empty.
    pub(crate) scope: String,
    pub(crate) state: String,
    /// In cents.
    pub(crate) amount: Option<i64>,
    /// The cents of its refunds that did not fail; 0 for everything but an order.
    pub(crate) refunded: i64,
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

    /// Whether the payer got some of the money back, but not all.
    pub(crate) fn is_partly_refunded(&self) -> bool {
        self.refunded > 0 && self.amount.is_some_and(|total| self.refunded < total)
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

/// What was found, and the events that the caller must send: a resource that is loaded can end, because its time is over.
type Found<T> = Result<(T, Vec<QueuedEvent>), ErrorResponse>;

/// A page of the resources of all types in this state in which this text is found; empty: any.
pub(crate) fn page(engine: &Engine, contains: &str, state: &str, window: Window) -> Found<Page<Resource>> {
    engine.execute("", &Value::Null, |session| {
        let Page { items, place } = session.documents.page(contains, state, window)?;
        Ok(Page { items: load_all(session, items)?, place })
    })
}

/// The resource with this `seq` together with its relatives, oldest first: an order with its refunds and profit shares, a
/// combined order with its parts.
pub(crate) fn family(engine: &Engine, seq: u64) -> Found<Vec<Resource>> {
    engine.execute("", &Value::Null, |session| {
        let Some(mut root) = session.documents.by_seq(seq)? else { return Ok(Vec::new()) };
        while let Some(parent) = parent(session, &root)? {
            root = parent;
        }
        let mut family = Vec::new();
        if let Some(whole) = text(&root.body, "combined") {
            // A combined order is the merchant's own.
            family.extend(session.documents.by_merchant_no(COMBINED.name, "", whole)?);
        }
        for part in combined::rules::parts(&root) {
            family.extend(combined::rules::order(session, &part)?);
        }
        family.push(root);
        // A child is newer than its parent and is added after it.
        let mut next = 0;
        while let Some((parent, id)) = family.get(next).map(|one| (one.seq, one.platform_id.clone())) {
            for resource_type in products::resource_types().iter().filter(|known| !known.parent_id.is_empty())
            {
                if let Some(id) = &id {
                    let children = session.documents.children(resource_type.name, id)?;
                    family.extend(children.into_iter().filter(|child| child.seq > parent));
                }
            }
            next += 1;
        }
        family.sort_by_key(|document| document.seq);
        family.dedup_by_key(|document| document.seq);
        load_all(session, family)
    })
}

/// The resource that this one belongs to, such as the order of a refund. It is older.
fn parent(session: &Session<'_>, document: &Document) -> Result<Option<Document>, ErrorResponse> {
    let Some(id) = &document.parent_id else { return Ok(None) };
    for resource_type in products::resource_types() {
        let found = session.documents.newest_by_platform_id(resource_type.name, id)?;
        if let Some(parent) = found.filter(|parent| parent.seq < document.seq) {
            return Ok(Some(parent));
        }
    }
    Ok(None)
}

fn load_all(session: &mut Session<'_>, documents: Vec<Document>) -> Result<Vec<Resource>, ErrorResponse> {
    let mut resources = Vec::with_capacity(documents.len());
    for mut document in documents {
        let known = products::resource_types();
        let Some(resource_type) = known.into_iter().find(|known| known.name == document.resource_type) else {
            continue;
        };
        (resource_type.on_load)(session, &mut document)?;
        let refunds = match &document.platform_id {
            Some(id) if resource_type.name == ORDER.name && document.state == "REFUND" => {
                session.documents.children(REFUND.name, id)?
            }
            _ => Vec::new(),
        };
        let effective =
            refunds.iter().filter(|refund| matches!(refund.state.as_str(), "SUCCESS" | "PROCESSING"));
        resources.push(Resource {
            seq: document.seq,
            resource_type: resource_type.name,
            amount: document.body.pointer(resource_type.amount).and_then(Value::as_i64),
            refunded: effective.map(|refund| cents(&refund.body, "/amount/refund")).sum(),
            number_fields: [resource_type.merchant_no, resource_type.platform_id],
            merchant_no: document.merchant_no,
            platform_id: document.platform_id,
            scope: document.scope,
            state: document.state,
            changed_at: document.changed_at,
            body: document.body,
        });
    }
    Ok(resources)
}
