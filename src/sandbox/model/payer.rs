//! The other people: the payer and the user, whose part no request of the merchant can play; and the view of all
//! that there is.

use serde_json::Value;

use super::{
    Sandbox, SandboxError,
    catalogue::{
        ACCEPT, COMBINED, CONFIRM, Kind, OPEN, ORDER, PAY, PAY_COMBINED, PERMISSION, REFUND, SERVICE,
        SERVICE_PAID, SETTLE, Step, TRANSFER, kinds,
    },
    platform::Platform,
    refusal::Refusal,
    store::{Document, Documents},
};

/// One line of a list: an order, a refund, a permission.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// Unique, and rises with the creation.
    pub(super) seq: i64,
    pub(super) kind: &'static str,
    pub(super) number: String,
    /// The platform's number, where it has one.
    pub(super) own: Option<String>,
    /// The sub-merchant, or nothing.
    pub(super) scope: String,
    pub(super) state: String,
    /// In cents.
    pub(super) amount: Option<i64>,
    /// Of the last change, in Unix seconds.
    pub(super) changed: i64,
    pub(super) body: Value,
}

/// What the payer or the user can do with a resource, and no request of the merchant's.
struct Part {
    name: &'static str,
    kind: &'static Kind,
    step: &'static Step,
}

fn parts() -> [Part; 7] {
    [
        Part { name: "pay", kind: &ORDER, step: &PAY },
        Part { name: "pay-combined", kind: &COMBINED, step: &PAY_COMBINED },
        Part { name: "settle-refund", kind: &REFUND, step: &SETTLE },
        Part { name: "confirm-service", kind: &SERVICE, step: &CONFIRM },
        Part { name: "pay-service", kind: &SERVICE, step: &SERVICE_PAID },
        Part { name: "open-permission", kind: &PERMISSION, step: &OPEN },
        Part { name: "accept-transfer", kind: &TRANSFER, step: &ACCEPT },
    ]
}

impl Resource {
    /// The name of what can be done with it as it is now.
    pub(super) fn part(&self) -> Option<&'static str> {
        // Part of a combined order: paid with that.
        if self.body.get("combined").is_some_and(Value::is_string) {
            return None;
        }
        let fits = |part: &Part| part.kind.name == self.kind && part.step.from.contains(&self.state.as_str());
        parts().into_iter().find(fits).map(|part| part.name)
    }
}

impl Platform {
    /// The newest resources of all kinds, newest first.
    pub(super) fn resources(&self, most: usize) -> Result<Vec<Resource>, Refusal> {
        self.work("", &Value::Null, |flow| {
            let mut all = Vec::new();
            for mut document in flow.documents.list(most)? {
                let Some(kind) = kinds().into_iter().find(|kind| kind.name == document.kind) else {
                    continue;
                };
                (kind.load)(flow, &mut document)?;
                all.push(Resource {
                    seq: document.seq,
                    kind: kind.name,
                    amount: document.body.pointer(kind.amount).and_then(Value::as_i64),
                    number: document.number,
                    own: document.own,
                    scope: document.scope,
                    state: document.state,
                    changed: document.changed,
                    body: document.body,
                });
            }
            Ok(all)
        })
    }

    /// Pays an order, or a combined one, whoever's it is.
    pub(super) fn pay(&self, number: &str) -> Result<Value, Refusal> {
        let combined = self.work("", &Value::Null, |flow| flow.documents.newest(COMBINED.name, number))?;
        match combined {
            Some(_) => self.turn(&COMBINED, &PAY_COMBINED, number),
            None => self.turn(&ORDER, &PAY, number),
        }
    }

    /// Plays the part of this name (see [`Resource::part`]) for one resource of one sub-merchant's, or the merchant's.
    pub(super) fn play(&self, name: &str, scope: &str, number: &str) -> Result<Value, Refusal> {
        let part = parts().into_iter().find(|part| part.name == name);
        let part = part.ok_or_else(|| Refusal::param("body", "part", "is nothing that a payer does"))?;
        self.step(part.kind, part.step, number, |documents| documents.numbered(part.kind.name, scope, number))
    }

    /// The same for the newest resource with this number, whosever it is.
    pub(super) fn play_newest(&self, name: &str, number: &str) -> Result<Value, Refusal> {
        let part = parts().into_iter().find(|part| part.name == name);
        let names = || parts().map(|part| part.name).join(", ");
        let part =
            part.ok_or_else(|| Refusal::param("body", "do", &format!("expected one of {}", names())))?;
        self.turn(part.kind, part.step, number)
    }

    /// Takes a step that no request takes; the newest resource with this number.
    pub(super) fn turn(&self, kind: &Kind, step: &Step, number: &str) -> Result<Value, Refusal> {
        self.step(kind, step, number, |documents| documents.newest(kind.name, number))
    }

    fn step(
        &self,
        kind: &Kind,
        step: &Step,
        number: &str,
        find: impl FnOnce(&Documents<'_>) -> Result<Option<Document>, Refusal>,
    ) -> Result<Value, Refusal> {
        self.work("", &Value::Null, |flow| {
            let unknown = || kind.unknown.refusal(&format!("there is no {} {number}", kind.name));
            let mut document = find(flow.documents)?.ok_or_else(unknown)?;
            (kind.load)(flow, &mut document)?;
            flow.step(kind, &mut document, step)?;
            let mut body = document.body;
            if let Some(fields) = body.as_object_mut() {
                fields.shift_remove("asked");
            }
            Ok(body)
        })
    }
}

impl Sandbox {
    /// The payer pays an order, or a combined order: it becomes `SUCCESS`, has a `transaction_id` from now on, and
    /// its notification goes out. Gives back the order as it is now. When sub-merchants share a number, the newest
    /// order is meant.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start()?;
    /// let wx = sandbox.client()?;
    /// wx["v3/pay/transactions/native"].post_sync(json!({
    ///     "appid": "wxd678efh567hg6787",
    ///     "mchid": wx.mchid(),
    ///     "description": "茶叶 250g",
    ///     "out_trade_no": "P202611210001",
    ///     "notify_url": "https://www.example.com/wxpay/notify",
    ///     "amount": {"total": 100},
    /// }))?;
    /// let transaction_id = sandbox.pay("P202611210001")?["transaction_id"].clone();
    /// let order = wx.chain("v3/pay/transactions/id/{id}").get().var("id", transaction_id.as_str().unwrap_or("?"));
    /// let order = order.query(json!({"mchid": wx.mchid()})).wait()?;
    /// assert_eq!(order.data()["trade_state"], "SUCCESS");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SandboxError::State`]: no such order, or one that is paid or closed already.
    pub fn pay(&self, out_trade_no: &str) -> Result<Value, SandboxError> {
        told("order", out_trade_no, self.server.platform.pay(out_trade_no))
    }

    /// A refund that is held (see [`SandboxBuilder::hold_refunds`](super::SandboxBuilder::hold_refunds)) becomes
    /// `SUCCESS`, and its notification goes out.
    ///
    /// # Errors
    /// [`SandboxError::State`]: no such refund, or one that is done already.
    pub fn settle_refund(&self, out_refund_no: &str) -> Result<Value, SandboxError> {
        self.turn(&REFUND, &SETTLE, out_refund_no)
    }

    /// The user confirms a payscore service order: it becomes `DOING`, and its notification goes out.
    ///
    /// # Errors
    /// [`SandboxError::State`]: no such order, or one that is confirmed already.
    pub fn confirm_service_order(&self, out_order_no: &str) -> Result<Value, SandboxError> {
        self.turn(&SERVICE, &CONFIRM, out_order_no)
    }

    /// The user pays for a service order that the merchant completed: it becomes `DONE`, and its notification goes
    /// out.
    ///
    /// # Errors
    /// [`SandboxError::State`]: no such order, or one that is not to be paid.
    pub fn pay_service_order(&self, out_order_no: &str) -> Result<Value, SandboxError> {
        self.turn(&SERVICE, &SERVICE_PAID, out_order_no)
    }

    /// The user gives a payscore permission that the merchant asked for: it becomes `AVAILABLE`, and its
    /// notification goes out.
    ///
    /// # Errors
    /// [`SandboxError::State`]: no such permission, or one that was given or ended already.
    pub fn open_permission(&self, authorization_code: &str) -> Result<Value, SandboxError> {
        self.turn(&PERMISSION, &OPEN, authorization_code)
    }

    /// The user takes a transfer: it becomes `SUCCESS`, and its notification goes out.
    ///
    /// # Errors
    /// [`SandboxError::State`]: no such transfer, or one that is taken or cancelled already.
    pub fn accept_transfer(&self, out_bill_no: &str) -> Result<Value, SandboxError> {
        self.turn(&TRANSFER, &ACCEPT, out_bill_no)
    }

    fn turn(&self, kind: &Kind, step: &Step, number: &str) -> Result<Value, SandboxError> {
        told(kind.name, number, self.server.platform.turn(kind, step, number))
    }
}

fn told(kind: &str, number: &str, result: Result<Value, Refusal>) -> Result<Value, SandboxError> {
    result.map_err(|refusal| SandboxError::State {
        what: format!("{kind} `{number}`"),
        code: refusal.code.into(),
        message: refusal.message,
    })
}
