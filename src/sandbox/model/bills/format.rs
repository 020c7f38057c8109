//! The format of a bill: the column names, rows with a backquote before each value, a summary.

use serde_json::Value;

use crate::sandbox::{
    http::clock::beijing_time, model::products::orders::code::REVERSAL, store::documents::Document,
};

/// A payment, or a refund of a payment.
pub(crate) struct Entry {
    pub(crate) order: Document,
    pub(crate) refund: Option<Document>,
}

pub(crate) const ALL: &[&str] = &[
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];

pub(crate) const SUCCESS: &[&str] = &[
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "费率备注",
];

pub(crate) const REFUND: &[&str] = &[
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "退款申请时间",
    "退款成功时间",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];

const TRADE_SUMMARY: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

pub(crate) fn trade(columns: &[&str], entries: &[Entry], mchid: &str) -> String {
    let mut bill = format!("\u{feff}{}\r\n", columns.join(","));
    for entry in entries {
        let values: Vec<String> = columns.iter().map(|name| entry.value(name, mchid)).collect();
        line(&mut bill, &values);
    }
    let (orders, refunds) = (Entry::sum(entries, false), Entry::sum(entries, true));
    bill.push_str(&format!("{TRADE_SUMMARY}\r\n"));
    let count = entries.len().to_string();
    let (orders, refunds) = (yuan(orders), yuan(refunds));
    line(&mut bill, &[count, orders.clone(), refunds.clone(), yuan(0), "0.00000".into(), orders, refunds]);
    bill
}

/// The fields of an order that a bill shows.
pub(crate) const ORDER_FIELDS: &[&str] = &[
    "appid",
    "sp_appid",
    "transaction_id",
    "payer",
    "trade_type",
    "bank_type",
    "amount",
    "description",
    "attach",
];

impl Entry {
    /// In Unix seconds.
    pub(crate) fn time(&self) -> i64 {
        self.refund.as_ref().unwrap_or(&self.order).settled_at.unwrap_or(0)
    }

    /// `2018-06-08 10:34:56`
    fn formatted_time(&self) -> String {
        moment(self.time())
    }

    fn cents(&self) -> i64 {
        let (body, pointer) = match &self.refund {
            Some(refund) => (&refund.body, "/amount/refund"),
            None => (&self.order.body, "/amount/total"),
        };
        body.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
    }

    fn state(&self) -> &'static str {
        match &self.refund {
            Some(refund) if refund.resource_type == REVERSAL.name => "REVOKED",
            Some(_) => "REFUND",
            None => "SUCCESS",
        }
    }

    fn sum(entries: &[Entry], refunds: bool) -> i64 {
        entries.iter().filter(|entry| entry.refund.is_some() == refunds).map(Entry::cents).sum()
    }

    fn value(&self, column: &str, mchid: &str) -> String {
        let order = |names: &[&str]| {
            let found = names.iter().find_map(|name| self.order.body.pointer(name)?.as_str());
            found.unwrap_or_default().to_string()
        };
        let refund = |name: &str, otherwise: &str| match &self.refund {
            Some(refund) => refund.body.get(name).and_then(Value::as_str).unwrap_or_default().to_string(),
            None => otherwise.to_string(),
        };
        let (paid, back) = if self.refund.is_some() { (0, self.cents()) } else { (self.cents(), 0) };
        match column {
            "交易时间" => self.formatted_time(),
            "公众账号ID" => order(&["/appid", "/sp_appid"]),
            "商户号" => mchid.into(),
            "特约商户号" if self.order.scope.is_empty() => "0".into(),
            "特约商户号" => self.order.scope.clone(),
            "微信订单号" => order(&["/transaction_id"]),
            "商户订单号" => self.order.merchant_no.clone(),
            "用户标识" => order(&["/payer/openid", "/payer/sp_openid", "/payer/sub_openid"]),
            "交易类型" => order(&["/trade_type"]),
            "交易状态" => self.state().into(),
            "付款银行" => order(&["/bank_type"]),
            "货币种类" => order(&["/amount/currency"]),
            "应结订单金额" | "订单金额" => yuan(paid),
            "代金券金额" | "充值券退款金额" => yuan(0),
            "退款申请时间" => bill_time(&refund("create_time", "")),
            "退款成功时间" => bill_time(&refund("success_time", "")),
            "微信退款单号" => refund("refund_id", "0"),
            "商户退款单号" => refund("out_refund_no", "0"),
            "退款金额" | "申请退款金额" => yuan(back),
            "退款类型" => refund("channel", ""),
            "退款状态" => refund("status", ""),
            "商品名称" => order(&["/description"]),
            "商户数据包" => order(&["/attach"]),
            "手续费" => "0.00000".into(),
            "费率" => "0.00%".into(),
            _ => String::new(), // the device and the remark on the rate
        }
    }
}

pub(super) fn line(bill: &mut String, values: &[String]) {
    for (index, value) in values.iter().enumerate() {
        bill.push_str(if index == 0 { "`" } else { ",`" });
        // Commas are allowed: a reader splits at a comma followed by a backquote. Line breaks are escaped, as the
        // platform's are.
        for character in value.chars() {
            match character {
                '\n' => bill.push_str("\\n"),
                '\r' => bill.push_str("\\r"),
                '`' => bill.push(' '),
                control if control.is_control() => bill.push(' '),
                other => bill.push(other),
            }
        }
    }
    bill.push_str("\r\n");
}

/// Cents in yuan.
pub(super) fn yuan(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// A second in the format of bills: `2018-06-08 10:34:56`.
pub(super) fn moment(unix: i64) -> String {
    bill_time(&beijing_time(unix))
}

/// A time in the format of bills.
fn bill_time(time: &str) -> String {
    time.get(..19).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_written_as_yuan() {
        for (cents, text) in
            [(0, "0.00"), (5, "0.05"), (100, "1.00"), (-1234, "-12.34"), (i64::MIN, "-92233720368547758.08")]
        {
            assert_eq!(yuan(cents), text);
        }
    }

    #[test]
    fn no_value_breaks_its_line() {
        let mut bill = String::new();
        line(&mut bill, &["a, b".into(), "c,`d\r\ne".into()]);
        assert_eq!(bill, "`a, b,`c, d\\r\\ne\r\n");
    }
}
