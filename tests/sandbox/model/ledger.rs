//! The model: what should be true after each operation. It shares nothing with the sandbox but the documented rules, and
//! it knows only amounts and states.

use std::collections::BTreeMap;

/// An operation on one of a few numbers of each kind. Amounts are in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Order {
        order: usize,
        total: i64,
    },
    Pay {
        order: usize,
    },
    Close {
        order: usize,
    },
    Refund {
        order: usize,
        refund: usize,
        amount: i64,
    },
    /// `SUCCESS`, `ABNORMAL` or `CLOSED`.
    EndRefund {
        refund: usize,
        state: &'static str,
    },
    Share {
        order: usize,
        share: usize,
        amount: i64,
        unfreeze: bool,
    },
    Unfreeze {
        order: usize,
        share: usize,
    },
    Return {
        share: usize,
        back: usize,
        amount: i64,
    },
    Transfer {
        transfer: usize,
        amount: i64,
    },
    Cancel {
        transfer: usize,
    },
    /// `SUCCESS` or `FAIL`.
    EndTransfer {
        transfer: usize,
        state: &'static str,
    },
}

impl Operation {
    /// The payer's actions come over the control endpoint; they are not repeated.
    pub(crate) fn is_payers(&self) -> bool {
        matches!(self, Operation::Pay { .. } | Operation::EndRefund { .. } | Operation::EndTransfer { .. })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) total: i64,
    pub(crate) state: &'static str,
    /// The part that can still be shared.
    pub(crate) frozen: i64,
    pub(crate) transaction: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) order: usize,
    pub(crate) amount: i64,
    pub(crate) state: &'static str,
    from_frozen: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) order: usize,
    /// To the receiver; `None` for an unfreeze alone.
    pub(crate) amount: Option<i64>,
    pub(crate) unfreeze: bool,
    /// To the merchant.
    pub(crate) unfrozen: i64,
    pub(crate) returned: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    pub(crate) amount: i64,
    pub(crate) state: &'static str,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) orders: BTreeMap<usize, Order>,
    pub(crate) refunds: BTreeMap<usize, Refund>,
    pub(crate) shares: BTreeMap<usize, Share>,
    /// Share and amount.
    pub(crate) returns: BTreeMap<usize, (usize, i64)>,
    pub(crate) transfers: BTreeMap<usize, Transfer>,
}

/// Orders with an even number can be shared.
pub(crate) fn is_shared(order: usize) -> bool {
    order.is_multiple_of(2)
}

impl Ledger {
    /// Performs the operation, or returns the error code of the platform; for the payer's actions, any text.
    pub(crate) fn perform(&mut self, operation: &Operation) -> Result<(), &'static str> {
        match *operation {
            Operation::Order { order, total } => match self.orders.get(&order) {
                Some(known) => match known.state {
                    "CLOSED" => Err("ORDER_CLOSED"),
                    "NOTPAY" if known.total == total => Ok(()),
                    "NOTPAY" => Err("OUT_TRADE_NO_USED"),
                    _ => Err("ORDERPAID"),
                },
                None => {
                    let new = Order { total, state: "NOTPAY", frozen: 0, transaction: None };
                    self.orders.insert(order, new);
                    Ok(())
                }
            },
            Operation::Pay { order } => {
                let known =
                    self.orders.get_mut(&order).filter(|known| known.state == "NOTPAY").ok_or("state")?;
                known.state = "SUCCESS";
                known.frozen = if is_shared(order) { known.total } else { 0 };
                Ok(())
            }
            Operation::Close { order } => match self.orders.get_mut(&order) {
                None => Err("ORDER_NOT_EXIST"),
                Some(known) if matches!(known.state, "NOTPAY" | "CLOSED") => {
                    known.state = "CLOSED";
                    Ok(())
                }
                Some(_) => Err("ORDERPAID"),
            },
            Operation::Refund { order, refund, amount } => self.refund(order, refund, amount),
            Operation::EndRefund { refund, state } => self.end_refund(refund, state),
            Operation::Share { order, share, amount, unfreeze } => {
                self.share(order, share, Some(amount), unfreeze)
            }
            Operation::Unfreeze { order, share } => self.share(order, share, None, true),
            Operation::Return { share, back, amount } => {
                if let Some(known) = self.returns.get(&back) {
                    return if *known == (share, amount) { Ok(()) } else { Err("INVALID_REQUEST") };
                }
                let known = self.shares.get_mut(&share).ok_or("RESOURCE_NOT_EXISTS")?;
                let received = known.amount.ok_or("PARAM_ERROR")?;
                if known.returned + amount > received {
                    return Err("NOT_ENOUGH");
                }
                known.returned += amount;
                self.returns.insert(back, (share, amount));
                Ok(())
            }
            Operation::Transfer { transfer, amount } => match self.transfers.get(&transfer) {
                Some(known) if known.amount == amount => Ok(()),
                Some(_) => Err("ALREADY_EXISTS"),
                None => {
                    self.transfers.insert(transfer, Transfer { amount, state: "WAIT_USER_CONFIRM" });
                    Ok(())
                }
            },
            Operation::Cancel { transfer } => match self.transfers.get_mut(&transfer) {
                None => Err("NOT_FOUND"),
                Some(known) if matches!(known.state, "WAIT_USER_CONFIRM" | "CANCELLED") => {
                    known.state = "CANCELLED";
                    Ok(())
                }
                Some(_) => Err("INVALID_REQUEST"),
            },
            Operation::EndTransfer { transfer, state } => {
                let known = self.transfers.get_mut(&transfer);
                known.filter(|known| known.state == "WAIT_USER_CONFIRM").ok_or("state")?.state = state;
                Ok(())
            }
        }
    }

    fn refund(&mut self, order: usize, refund: usize, amount: i64) -> Result<(), &'static str> {
        if let Some(known) = self.refunds.get(&refund) {
            return if (known.order, known.amount) == (order, amount) {
                Ok(())
            } else {
                Err("INVALID_REQUEST")
            };
        }
        let left = self.refundable(order);
        let known = self.orders.get_mut(&order).ok_or("RESOURCE_NOT_EXISTS")?;
        if !matches!(known.state, "SUCCESS" | "REFUND") {
            return Err("INVALID_REQUEST");
        }
        if amount > known.total {
            return Err("PARAM_ERROR");
        }
        if amount > left {
            return Err("NOT_ENOUGH");
        }
        known.state = "REFUND";
        let from_frozen = known.frozen.min(amount);
        known.frozen -= from_frozen;
        self.refunds.insert(refund, Refund { order, amount, state: "PROCESSING", from_frozen });
        Ok(())
    }

    fn end_refund(&mut self, refund: usize, state: &'static str) -> Result<(), &'static str> {
        let known =
            self.refunds.get_mut(&refund).filter(|known| known.state == "PROCESSING").ok_or("state")?;
        known.state = state;
        let (order, from_frozen) = (known.order, known.from_frozen);
        if state == "CLOSED" {
            let others = self.refunds.values().any(|other| other.order == order && other.state != "CLOSED");
            let known = self.orders.get_mut(&order).unwrap();
            known.frozen += from_frozen;
            known.state = if others { "REFUND" } else { "SUCCESS" };
        }
        Ok(())
    }

    fn share(
        &mut self,
        order: usize,
        share: usize,
        amount: Option<i64>,
        unfreeze: bool,
    ) -> Result<(), &'static str> {
        let paid = self.orders.get(&order).is_some_and(|known| known.transaction.is_some());
        if let Some(known) = self.shares.get(&share) {
            let same = paid && (known.order, known.amount, known.unfreeze) == (order, amount, unfreeze);
            return if same { Ok(()) } else { Err("INVALID_REQUEST") };
        }
        let known = self.orders.get_mut(&order).filter(|_| paid).ok_or("RESOURCE_NOT_EXISTS")?;
        if !is_shared(order) {
            return Err("INVALID_REQUEST");
        }
        if amount.unwrap_or(0) > known.frozen {
            return Err("NOT_ENOUGH");
        }
        known.frozen -= amount.unwrap_or(0);
        let unfrozen = if unfreeze { std::mem::take(&mut known.frozen) } else { 0 };
        self.shares.insert(share, Share { order, amount, unfreeze, unfrozen, returned: 0 });
        Ok(())
    }

    /// What can still be refunded of an order.
    fn refundable(&self, order: usize) -> i64 {
        let counts = |refund: &&Refund| refund.order == order && refund.state != "CLOSED";
        let refunded: i64 = self.refunds.values().filter(counts).map(|refund| refund.amount).sum();
        self.orders.get(&order).map_or(0, |known| known.total - refunded)
    }

    /// The merchant's balance: what came in less what went out.
    pub(crate) fn balance(&self) -> i64 {
        let paid = self.orders.values().filter(|order| order.transaction.is_some()).map(|order| order.total);
        let refunds = self.refunds.values().filter(|one| one.state == "SUCCESS").map(|one| one.amount);
        let shares = self.shares.values().map(|share| share.amount.unwrap_or(0) - share.returned);
        let transfers = self.transfers.values().filter(|one| one.state == "SUCCESS").map(|one| one.amount);
        paid.sum::<i64>() - refunds.sum::<i64>() - shares.sum::<i64>() - transfers.sum::<i64>()
    }

    /// Every cent of an order is somewhere: frozen, shared, unfrozen or on its way back; and none is twice.
    pub(crate) fn check(&self) {
        for (number, order) in &self.orders {
            let of_order = |share: &&Share| share.order == *number;
            let shared: i64 =
                self.shares.values().filter(of_order).map(|one| one.amount.unwrap_or(0) + one.unfrozen).sum();
            let from_frozen: i64 = (self.refunds.values())
                .filter(|refund| refund.order == *number && refund.state != "CLOSED")
                .map(|refund| refund.from_frozen)
                .sum();
            let frozen = if order.transaction.is_some() && is_shared(*number) { order.total } else { 0 };
            assert_eq!(order.frozen + shared + from_frozen, frozen, "order {number}: {order:?}");
            assert!(self.refundable(*number) >= 0 && order.frozen >= 0, "order {number}: {order:?}");
        }
    }
}
