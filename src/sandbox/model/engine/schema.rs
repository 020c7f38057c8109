//! The vocabulary of the products: endpoints, resource types, transitions. A product is data in these terms, plus a few
//! functions for rules that are more than fields and states.

use http::Method;
use serde_json::Value;

use super::{
    Session,
    call::Call,
    error_code::{ErrorCode, WRONG_STATE},
    holds::Hold,
    rules::Rule,
};
use crate::catalogue::{Catalogue, Operation};
use crate::sandbox::{
    http::{error_response::ErrorResponse, response::SandboxResponse},
    model::shape,
    store::documents::Document,
};

/// One endpoint of the platform. What its requests and responses hold is in the catalogue.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    /// Whether service providers have a form of it: `v3/pay/partner/…`.
    has_partner: bool,
    /// What the flow needs beyond the documents.
    pub(crate) rules: &'static [Rule],
    pub(crate) action: Action,
}

impl Endpoint {
    pub(crate) const fn new(
        method: Method,
        template: &'static str,
        rules: &'static [Rule],
        action: Action,
    ) -> Endpoint {
        Endpoint { method, template, has_partner: false, rules, action }
    }

    /// One that service providers have, too.
    pub(crate) const fn both(
        method: Method,
        template: &'static str,
        rules: &'static [Rule],
        action: Action,
    ) -> Endpoint {
        Endpoint { method, template, has_partner: true, rules, action }
    }

    /// The templates of its forms, the merchant's own first.
    pub(crate) fn templates(&self) -> impl Iterator<Item = String> + use<> {
        let (template, product) = (self.template, self.template.match_indices('/').nth(1));
        let partner = product.filter(|_| self.has_partner).map(|(at, _)| {
            let (product, rest) = template.split_at(at);
            format!("{product}/partner{rest}")
        });
        std::iter::once(template.to_owned()).chain(partner)
    }

    /// What the documents say. It is found when it is needed: the catalogue is not read before the first request.
    pub(crate) fn operation(&self, partner: bool) -> Result<Operation, ErrorResponse> {
        let template = self.templates().nth(usize::from(partner)).unwrap_or_default();
        let found = Catalogue::find(self.method.as_str(), &template.replace('+', ""));
        found.ok_or_else(|| ErrorResponse::internal(format!("{template} is not in the catalogue")))
    }
}

/// The effect of a request.
pub(crate) enum Action {
    /// Creates a resource. Repeating the request returns the same response and creates nothing.
    Create(&'static ResourceType, &'static [Assignment], AutoTransition),
    Query(&'static ResourceType, Lookup),
    /// Changes the state of a resource.
    Transition(&'static ResourceType, Lookup, &'static Transition, AutoTransition),
    Delete(&'static ResourceType, Lookup),
    /// An endpoint without resources.
    Handler(fn(&Call<'_>) -> Result<SandboxResponse, ErrorResponse>),
}

/// The transition that follows by itself, usually after the response: the platform responds `PROCESSING` and finishes a
/// moment later.
pub(crate) type AutoTransition = Option<&'static Transition>;

/// A rule of a resource type or a transition that is more than fields and states; mostly sums of amounts.
pub(crate) type Check = fn(&mut Session<'_>, &mut Document) -> Result<(), ErrorResponse>;

pub(crate) fn no_rule(_: &mut Session<'_>, _: &mut Document) -> Result<(), ErrorResponse> {
    Ok(())
}

pub(crate) struct ResourceType {
    pub(crate) name: &'static str,
    /// The field of the merchant's number.
    pub(crate) merchant_no: &'static str,
    /// The field of the platform's id; `""` if there is none.
    pub(crate) platform_id: &'static str,
    /// The field of the id of what it belongs to (an order, a payment code); `""` if it belongs to nothing.
    pub(crate) parent_id: &'static str,
    /// The field of the state.
    pub(crate) state: &'static str,
    /// The pointer to the amount in cents, for lists; `""` if there is none.
    pub(crate) amount: &'static str,
    /// Fields that a new resource gets in addition to those of the request.
    pub(crate) initial: &'static [Assignment],
    /// Pointers to the fields that a repeated request must not change.
    pub(crate) idempotency_fields: &'static [&'static str],
    /// The error for a repeated request that changes one of them.
    pub(crate) conflict: ErrorCode,
    /// States in which a repeated request is an error.
    pub(crate) terminal_states: &'static [(&'static str, ErrorCode)],
    pub(crate) not_found: ErrorCode,
    /// Fields that must equal the resource's own if a request gives them.
    pub(crate) must_match: &'static [&'static str],
    /// Checks and completes a new resource.
    pub(crate) on_create: Check,
    /// Brings a stored resource up to date.
    pub(crate) on_load: Check,
}

/// How a request identifies a resource.
pub(crate) enum Lookup {
    MerchantNo(Location),
    PlatformId(Location),
    /// By the platform's id in any scope: for requests without a sub-merchant.
    PlatformIdInAnyScope(Location),
    /// By service and user: see [`FieldValue::Pair`].
    Pair(Location, Location),
    /// The first one that the request gives.
    FirstOf(&'static [Lookup]),
    /// As `FirstOf`. If the request gives none, or the user has no such resource, the request succeeds without effect.
    Optional(&'static [Lookup]),
}

/// Where a request holds a value.
pub(crate) enum Location {
    Path(&'static str),
    Query(&'static str),
    /// A JSON pointer.
    Body(&'static str),
}

/// A change of state.
pub(crate) struct Transition {
    pub(crate) from: &'static [&'static str],
    pub(crate) to: &'static str,
    /// Fields that change with the state.
    pub(crate) set: &'static [Assignment],
    /// The errors of other states.
    pub(crate) errors: &'static [(&'static str, ErrorCode)],
    /// The error of all states that are not in `errors`.
    pub(crate) default_error: ErrorCode,
    /// States in which the request succeeds without effect: it is a repeat after a lost response.
    pub(crate) done: &'static [&'static str],
    /// What a repeat must have in common with the first request: pointers into both, or none. A resource without the first
    /// of them came into its state in another way, so the request is no repeat. With other values, it gets the error of the
    /// state, or that of the resource type if there is none.
    pub(crate) same: &'static [&'static str],
    /// Whether money moves.
    pub(crate) settles: bool,
    /// What makes an automatic transition wait for a trigger from outside.
    pub(crate) hold: Option<Hold>,
    /// Whether an automatic transition happens before the response, which shows it.
    pub(crate) at_once: bool,
    /// Checks and completes the resource after the fields are set.
    pub(crate) rule: Check,
    pub(crate) notification: Option<NotificationType>,
}

impl Transition {
    /// Without anything beside these.
    pub(crate) const fn new(
        from: &'static [&'static str],
        to: &'static str,
        set: &'static [Assignment],
    ) -> Transition {
        Transition {
            from,
            to,
            set,
            errors: &[],
            default_error: WRONG_STATE,
            done: &[],
            same: &[],
            settles: false,
            hold: None,
            at_once: false,
            rule: no_rule,
            notification: None,
        }
    }
}

/// Its resource has the documented fields.
pub(crate) struct NotificationType {
    pub(crate) event_type: &'static str,
    pub(crate) original_type: &'static str,
    pub(crate) summary: &'static str,
}

impl NotificationType {
    pub(super) fn resource(&self, body: &Value) -> Value {
        let forms = [("combine_mchid", "combined"), ("sp_mchid", "partner")];
        let form = forms.iter().find(|(field, _)| body.get(*field).is_some());
        let variant = form.map_or("merchant", |(_, variant)| *variant);
        let documented = Catalogue::notification(self.event_type);
        documented.map_or(Value::Null, |documented| shape::select(documented.resource(), body, variant))
    }
}

/// Sets the field at a JSON pointer.
pub(crate) struct Assignment {
    pub(crate) field: &'static str,
    pub(crate) value: FieldValue,
    pub(crate) only_if_missing: bool,
}

pub(crate) enum FieldValue {
    Text(&'static str),
    Cents(i64),
    True,
    Null,
    /// The current time, in Beijing time.
    Now,
    /// A number of this many digits: the prefix, the date, random digits.
    DatedNumber(&'static str, usize),
    /// The prefix and this many random letters and digits.
    RandomText(&'static str, usize),
    /// A copy of another field of the resource: a pointer.
    CopyOf(&'static str),
    /// A field of the request's body, if it is present: a pointer.
    FromRequest(&'static str),
    /// Two fields of the resource, joined: pointers.
    Pair(&'static str, &'static str),
    /// The merchant number.
    Mchid,
}

pub(crate) const fn set(field: &'static str, value: FieldValue) -> Assignment {
    Assignment { field, value, only_if_missing: false }
}

pub(crate) const fn set_if_missing(field: &'static str, value: FieldValue) -> Assignment {
    Assignment { field, value, only_if_missing: true }
}
