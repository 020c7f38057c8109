//! What the sandbox models, as data: which request, what it needs, what it does, what it answers.
//!
//! A row says which of the few acts of [`flow`](super::flow) it is; a kind says how a resource is numbered and what
//! a repeated request means; a step says from which states to which one, and what any other state is told.

mod basics;
#[path = "../bills/endpoints.rs"]
mod bills;
#[path = "combined/mod.rs"]
mod combined;
mod media;
#[path = "../engine/params.rs"]
mod need;
#[path = "orders/mod.rs"]
mod payments;
#[path = "payscore/mod.rs"]
mod payscore;
#[path = "payscore/permissions.rs"]
mod permissions;
#[path = "profit_sharing/mod.rs"]
mod profit_sharing;
#[path = "refunds/mod.rs"]
mod refunds;
mod transfers;

use http::Method;

use super::{Answer, flow::Flow, refusal::Refusal, routes::Call, store::Document};

pub(crate) use combined::{COMBINED, PAY_COMBINED};
pub(crate) use need::Need;
pub(crate) use payments::{CLOSE_PART, ORDER, PAY, PAY_PART, USED};
pub(crate) use payscore::{CONFIRM, SERVICE, SERVICE_PAID};
pub(crate) use permissions::{OPEN, PERMISSION};
pub(crate) use profit_sharing::{RECEIVER, RETURN, SHARE};
pub(crate) use refunds::{REFUND, SETTLE};
pub(crate) use transfers::{ACCEPT, TRANSFER};

/// One endpoint.
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    /// The service provider's form of it, if that is another path.
    pub(crate) partner: Option<&'static str>,
    pub(crate) needs: &'static [Need],
    pub(crate) act: Act,
}

/// What a request does. The last field is always the names of what is answered; none is a 204.
pub(crate) enum Act {
    /// Makes a resource. The same request again gets the same answer, and makes nothing.
    Create(&'static Kind, &'static [Set], Then, Fields),
    Query(&'static Kind, By, Fields),
    Move(&'static Kind, By, &'static Step, Then, Fields),
    /// Takes a resource away, as if it had never been.
    Remove(&'static Kind, By, Fields),
    /// What has no state, or is no document: a function.
    Plain(fn(&Call<'_>) -> Result<Answer, Refusal>),
}

pub(crate) type Fields = &'static [&'static str];

/// What happens by itself, as soon as the answer is made: the platform says `PROCESSING`, and is done a moment later.
pub(crate) type Then = Option<&'static Step>;

/// A rule of one kind or step that is more than names and states: mostly sums of money.
pub(crate) type Rule = fn(&mut Flow<'_>, &mut Document) -> Result<(), Refusal>;

pub(crate) fn no_rule(_: &mut Flow<'_>, _: &mut Document) -> Result<(), Refusal> {
    Ok(())
}

/// A sort of resource.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The field with the merchant's number.
    pub(crate) number: &'static str,
    /// The field with the platform's number; `""` if it has none.
    pub(crate) own: &'static str,
    /// The field that names the order it belongs to; `""` if it belongs to none.
    pub(crate) parent: &'static str,
    pub(crate) state: &'static str,
    /// The amount in cents, for lists; a pointer.
    pub(crate) amount: &'static str,
    /// What a new one has beside what the request gave.
    pub(crate) new: &'static [Set],
    /// Pointers to what a repeated request must not change, and what it is told if it does.
    pub(crate) same: &'static [&'static str],
    pub(crate) used: Code,
    /// The states in which it cannot be asked for again.
    pub(crate) over: &'static [(&'static str, Code)],
    pub(crate) unknown: Code,
    /// Names that, given beside the number, must be the resource's own.
    pub(crate) ties: &'static [&'static str],
    /// Checks and completes a new one.
    pub(crate) begin: Rule,
    /// Brings one up to date that was found.
    pub(crate) load: Rule,
}

/// How a request names the resource.
pub(crate) enum By {
    /// The merchant's number.
    Number(Place),
    /// The platform's number.
    Own(Place),
    /// The platform's number, whoever's it is: for requests that do not tell the sub-merchant.
    Anyones(Place),
    /// A service and a user: what `Fill::Pair` made.
    Pair(Place, Place),
    /// The first one that is given.
    Any(&'static [By]),
    /// The same; a request that gives none, or a user who has none, is about nothing, and is answered as done.
    May(&'static [By]),
}

pub(crate) enum Place {
    Var(&'static str),
    Query(&'static str),
    /// A pointer.
    Body(&'static str),
}

/// A change of state.
pub(crate) struct Step {
    pub(crate) from: &'static [&'static str],
    /// The state, and the fields that change with it.
    pub(crate) to: &'static str,
    pub(crate) sets: &'static [Set],
    /// What the other states are told; those that are not here get `wrong`.
    pub(crate) refuses: &'static [(&'static str, Code)],
    pub(crate) wrong: Code,
    /// Whether a resource that is there already is fine.
    pub(crate) again: bool,
    /// Whether money moves.
    pub(crate) settles: bool,
    /// Checks and completes it, once all is set.
    pub(crate) rule: Rule,
    pub(crate) event: Option<Notice>,
}

/// A notification; `fields` names what is in it.
pub(crate) struct Notice {
    pub(crate) event_type: &'static str,
    pub(crate) original_type: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) fields: Fields,
}

/// A field (a pointer) and its value. `keep` leaves one alone that is there.
pub(crate) struct Set {
    pub(crate) field: &'static str,
    pub(crate) fill: Fill,
    pub(crate) keep: bool,
}

pub(crate) enum Fill {
    Text(&'static str),
    Cents(i64),
    /// The time, in Beijing's zone.
    Now,
    /// A number that begins so and has this many digits; the day is among them.
    Number(&'static str, usize),
    /// Random letters and digits behind a prefix.
    Code(&'static str, usize),
    /// A field of the resource: a pointer.
    Copy(&'static str),
    /// A field of the request's body, if it is there: a pointer.
    Given(&'static str),
    /// Two fields of the resource in one: pointers.
    Pair(&'static str, &'static str),
    /// The merchant's id.
    Mchid,
    Yes,
    /// Takes the field away.
    Nothing,
}

pub(crate) const fn set(field: &'static str, fill: Fill) -> Set {
    Set { field, fill, keep: false }
}

pub(crate) const fn keep(field: &'static str, fill: Fill) -> Set {
    Set { field, fill, keep: true }
}

/// A refusal.
#[derive(Clone, Copy)]
pub(crate) struct Code {
    status: u16,
    code: &'static str,
    message: &'static str,
}

impl Code {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> Code {
        Code { status, code, message }
    }

    pub(crate) fn refusal(self, about: &str) -> Refusal {
        Refusal::new(self.status, self.code, format!("{}: {about}", self.message))
    }
}

pub(crate) const NOT_FOUND: Code = Code::new(404, "RESOURCE_NOT_EXISTS", "记录不存在");
pub(crate) const WRONG_STATE: Code = Code::new(400, "INVALID_REQUEST", "当前状态不允许此操作");
pub(crate) const CHANGED: Code = Code::new(400, "INVALID_REQUEST", "重复请求的参数与之前不一致");

const POST: Method = Method::POST;
const GET: Method = Method::GET;

/// All that is modelled.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    basics::ROWS
        .iter()
        .chain(payments::ROWS)
        .chain(combined::ROWS)
        .chain(refunds::ROWS)
        .chain(payscore::ROWS)
        .chain(permissions::ROWS)
        .chain(transfers::ROWS)
        .chain(profit_sharing::ROWS)
        .chain(media::ROWS)
        .chain(bills::ROWS)
}

/// All sorts of resources.
pub(crate) fn kinds() -> [&'static Kind; 9] {
    [&ORDER, &COMBINED, &REFUND, &SERVICE, &PERMISSION, &TRANSFER, &RECEIVER, &SHARE, &RETURN]
}
