//! [`Sandbox`]: the actions of the payer and the user.

use serde_json::Value;

use super::sandbox::Sandbox;
use crate::error::Excerpt;
use crate::sandbox::{
    http::{error_response::ErrorResponse, sandbox_error::SandboxError},
    model::payer_actions::{self, PayerAction},
};

/// The simulated payer or user. If sub-merchants use the same number, the newest resource is meant.
impl Sandbox {
    /// The payer pays an order or a combined order: it becomes `SUCCESS`, gets a `transaction_id`, and its notification
    /// is sent. Returns the order.
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
    /// [`SandboxError::State`] if the order does not exist, or is already paid or closed.
    pub fn pay(&self, out_trade_no: &str) -> Result<Value, SandboxError> {
        let paid = self.platform().perform(|engine| payer_actions::pay(engine, out_trade_no));
        state_error("order", out_trade_no, paid)
    }

    /// A held refund (see [`SandboxBuilder::hold_refunds`](crate::sandbox::SandboxBuilder::hold_refunds)) becomes
    /// `SUCCESS`, and its notification is sent.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the refund does not exist or is already settled.
    pub fn settle_refund(&self, out_refund_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::SETTLE, out_refund_no)
    }

    /// A held refund becomes `ABNORMAL`, as with a cancelled bank card, and its notification is sent. Its amount stays
    /// deducted: the merchant can have it paid to another account (`…/apply-abnormal-refund`).
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::builder().hold_refunds(true).start()?;
    /// let wx = sandbox.client()?;
    /// # wx["v3/pay/transactions/native"].post_sync(json!({
    /// #     "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "d", "out_trade_no": "P202611210001",
    /// #     "notify_url": "https://www.example.com/notify", "amount": {"total": 100},
    /// # }))?;
    /// # sandbox.pay("P202611210001")?;
    /// wx["v3/refund/domestic/refunds"].post_sync(json!({
    ///     "out_trade_no": "P202611210001", "out_refund_no": "R1",
    ///     "amount": {"refund": 40, "total": 100, "currency": "CNY"},
    /// }))?;
    /// sandbox.fail_refund("R1")?;
    /// let refund = wx.chain("v3/refund/domestic/refunds/{number}").get().var("number", "R1").wait()?;
    /// assert_eq!(refund.data()["status"], "ABNORMAL");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`settle_refund`](Sandbox::settle_refund).
    pub fn fail_refund(&self, out_refund_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::FAIL, out_refund_no)
    }

    /// A held refund becomes `CLOSED`, and its notification is sent. Its amount can be refunded again.
    ///
    /// # Errors
    /// As [`settle_refund`](Sandbox::settle_refund).
    pub fn close_refund(&self, out_refund_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::CLOSE, out_refund_no)
    }

    /// The user of a held code payment (see
    /// [`SandboxBuilder::hold_code_payments`](crate::sandbox::SandboxBuilder::hold_code_payments)) does not enter the
    /// password: the order becomes `PAYERROR`.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the order does not exist or is not `USERPAYING`.
    pub fn fail_payment(&self, out_trade_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::FAIL_ORDER, out_trade_no)
    }

    /// The user confirms a PayScore service order: it becomes `DOING`, and its notification is sent.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the order does not exist or is already confirmed.
    pub fn confirm_service_order(&self, out_order_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::CONFIRM_SERVICE_ORDER, out_order_no)
    }

    /// The user pays a service order that the merchant completed: it becomes `DONE`, and its notification is sent.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the order does not exist or is not to be paid.
    pub fn pay_service_order(&self, out_order_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::PAY_SERVICE_ORDER, out_order_no)
    }

    /// The user gives a PayScore permission that the merchant requested: it becomes `AVAILABLE`, and its notification
    /// is sent.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the permission does not exist, or was already given or terminated.
    pub fn open_permission(&self, authorization_code: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::OPEN, authorization_code)
    }

    /// The user accepts a transfer: it becomes `SUCCESS`, and its notification is sent.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the transfer does not exist, or is already accepted or cancelled.
    pub fn accept_transfer(&self, out_bill_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::ACCEPT, out_bill_no)
    }

    /// A transfer becomes `FAIL`, with the `fail_reason` `ACCOUNT_FROZEN`, and its notification is sent.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the transfer does not exist, or is already accepted or cancelled.
    pub fn fail_transfer(&self, out_bill_no: &str) -> Result<Value, SandboxError> {
        self.perform(&payer_actions::REJECT, out_bill_no)
    }

    fn perform(&self, action: &PayerAction, merchant_no: &str) -> Result<Value, SandboxError> {
        let changed =
            self.platform().perform(|engine| payer_actions::perform_on_newest(engine, action, merchant_no));
        state_error(action.resource_type.name, merchant_no, changed)
    }
}

fn state_error(
    resource_type: &str,
    merchant_no: &str,
    result: Result<Value, ErrorResponse>,
) -> Result<Value, SandboxError> {
    result.map_err(|error| SandboxError::state(format!("{resource_type} {}", Excerpt(merchant_no)), error))
}
