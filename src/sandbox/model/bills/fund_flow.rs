//! The bill of an account's money: what came in, what went out, and the balance after each.

use serde_json::Value;

use super::format::{line, moment, yuan};
use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::{
        engine::{cents, text},
        products::{
            orders::{ORDER, code::REVERSAL},
            payscore::SERVICE_ORDER,
            profit_sharing::{PROFIT_SHARE, SHARE_RETURN},
            refunds::REFUND,
            transfers::TRANSFER,
        },
    },
    store::documents::{Document, Documents},
};

/// What moves money when it is settled: the type of resource, the JSON pointer of the amount, whether it comes in, and
/// the name in the bill.
const KINDS: [(&str, &str, bool, &str); 7] = [
    (ORDER.name, "/amount/total", true, "交易"),
    (SERVICE_ORDER.name, "/collection/paid_amount", true, "支付分"),
    (REFUND.name, "/amount/refund", false, "退款"),
    (REVERSAL.name, "/amount/refund", false, "撤销"),
    (PROFIT_SHARE.name, "/shared", false, "分账"),
    (SHARE_RETURN.name, "/amount", true, "分账回退"),
    (TRANSFER.name, "/transfer_amount", false, "商家转账"),
];

const COLUMNS: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
资金变更提交申请人,备注,业务凭证号";

const SUMMARY: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

pub(super) struct Move {
    document: Document,
    name: &'static str,
    /// In cents; negative if it goes out.
    amount: i64,
}

/// The moves of an account (a sub-merchant, or `""` for the merchant) in `start..end`, by time.
pub(super) fn moves(
    documents: &Documents<'_>,
    account: &str,
    start: i64,
    end: i64,
) -> Result<Vec<Move>, ErrorResponse> {
    let settled = documents.settled_between(&KINDS.map(|(kind, ..)| kind), Some(account), start, end)?;
    let moves = settled.into_iter().filter_map(|document| {
        let (_, pointer, comes_in, name) = KINDS.iter().find(|(kind, ..)| *kind == document.resource_type)?;
        let amount = cents(&document.body, pointer);
        Some(Move { document, name, amount: if *comes_in { amount } else { -amount } })
    });
    // An unfreeze without receivers moves nothing.
    Ok(moves.filter(|one| one.amount != 0).collect())
}

/// The balance of an account before this second, in cents.
pub(super) fn balance(documents: &Documents<'_>, account: &str, before: i64) -> Result<i64, ErrorResponse> {
    KINDS.iter().try_fold(0_i64, |sum, (kind, pointer, comes_in, _)| {
        let total = documents.settled_total(kind, account, &pointer.replace('/', "."), before)?;
        Ok(if *comes_in { sum.saturating_add(total) } else { sum.saturating_sub(total) })
    })
}

pub(super) fn format(moves: &[Move], mut balance: i64) -> String {
    let mut bill = format!("\u{feff}{COLUMNS}\r\n");
    let (mut counts, mut sums) = ([0_usize; 2], [0_i64; 2]);
    for Move { document, name, amount } in moves {
        balance = balance.saturating_add(*amount);
        let out = usize::from(*amount < 0);
        counts[out] += 1;
        sums[out] = sums[out].saturating_add(amount.saturating_abs());
        // The id of a service order is no number of a payment.
        let payment = document.body.pointer("/collection/transaction_id").and_then(Value::as_str);
        let id = payment.or(document.platform_id.as_deref()).unwrap_or_default().to_owned();
        let transaction = document.body.get("transaction_id").and_then(Value::as_str);
        line(
            &mut bill,
            &[
                moment(document.settled_at.unwrap_or(0)),
                transaction.map_or_else(|| id.clone(), String::from),
                id,
                (*name).into(),
                (*name).into(),
                if out == 1 { "支出" } else { "收入" }.into(),
                yuan(amount.saturating_abs()),
                yuan(balance),
                "system".into(),
                text(&document.body, "reason").unwrap_or_default().into(),
                document.merchant_no.clone(),
            ],
        );
    }
    bill.push_str(&format!("{SUMMARY}\r\n"));
    let [in_count, out_count] = counts.map(|count| count.to_string());
    line(&mut bill, &[moves.len().to_string(), in_count, yuan(sums[0]), out_count, yuan(sums[1])]);
    bill
}
