//! Bills of the orders and refunds that the sandbox saw.

use super::{Act::Plain, GET, Need, Row};
use crate::sandbox::bills;

pub(super) const ROWS: &[Row] = &[
    Row {
        method: GET,
        template: "v3/bill/tradebill",
        partner: None,
        needs: &[Need::Query("bill_date")],
        act: Plain(bills::trade),
    },
    Row {
        method: GET,
        template: "v3/bill/fundflowbill",
        partner: None,
        needs: &[Need::Query("bill_date")],
        act: Plain(bills::fund_flow),
    },
    Row {
        method: GET,
        template: "v3/billdownload/file",
        partner: None,
        needs: &[Need::Query("token")],
        act: Plain(bills::file),
    },
];
