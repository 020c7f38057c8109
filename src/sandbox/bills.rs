//! Bills: a small fixed one of each kind, as the platform writes them, plain and compressed.

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{Answer, refusal::Refusal, routes::Call};

const TRADE: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,\
商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n\
`{date} 08:15:30,`wxd678efh567hg6787,`1230000109,`0,`,`1217752501201407033233368018,`P20261120001,\
`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`NATIVE,`SUCCESS,`OTHERS,`CNY,`1.00,`0.00,`0,`0,`0.00,`0.00,`,`,`茶, 绿,`,`0.00600,`0.60%,`1.00,\
`0.00,`\r\n\
`{date} 21:02:07,`wxd678efh567hg6787,`1230000109,`0,`,`1217752501201407033233368019,`P20261120002,\
`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`SUCCESS,`CMB_DEBIT,`CNY,`0.50,`0.00,`0,`0,`0.00,`0.00,`,`,`杯子,`,`0.00300,`0.60%,`0.50,\
`0.00,`\r\n\
总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
`2,`1.50,`0.00,`0.00,`0.00900,`1.50,`0.00\r\n";

const FUND_FLOW: &str = "\u{feff}记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
资金变更提交申请人,备注,业务凭证号\r\n\
`{date} 08:15:31,`1217752501201407033233368018,`1217752501201407033233368018,`交易,`交易,`收入,`1.00,`1.00,`system,`,`P20261120001\r\n\
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n\
`1,`1,`1.00,`0,`0.00\r\n";

/// `GET v3/bill/{kind}`: where the bill is, and its digest.
pub(super) fn tell(call: &Call<'_>) -> Result<Answer, Refusal> {
    let date = call.query("bill_date");
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    if !matches!(date.split('-').collect::<Vec<_>>()[..], [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2))
    {
        return Err(Refusal::param("query", "bill_date", "expected a day as 2026-11-20"));
    }
    let pack = match call.query("tar_type") {
        "" => "plain",
        "GZIP" => "gzip",
        _ => return Err(Refusal::param("query", "tar_type", "expected GZIP, or nothing")),
    };
    let kind = if call.path().ends_with("/tradebill") { "trade" } else { "fundflow" };
    // Over what the file is when it is not compressed.
    let bill = text(kind, date);
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bill.as_bytes());
    let sha1: String = sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let url = format!("http://{}/v3/billdownload/file?token={kind}.{pack}.{date}", call.header("host"));
    Ok(Answer::new(200).json(json!({ "hash_type": "SHA1", "hash_value": sha1, "download_url": url })))
}

/// `GET v3/billdownload/file`: the bill that the token names.
pub(super) fn file(call: &Call<'_>) -> Result<Answer, Refusal> {
    let token = call.query("token");
    let unknown = || Refusal::new(404, "RESOURCE_NOT_EXISTS", "there is no bill for this token");
    let [kind, pack, date] = token.split('.').collect::<Vec<_>>()[..] else { return Err(unknown()) };
    let bill = text(kind, date);
    match (kind, pack) {
        ("trade" | "fundflow", "plain") => Ok(Answer::new(200).body("text/plain", bill)),
        ("trade" | "fundflow", "gzip") => {
            let packed = gzip(bill.as_bytes());
            let packed = packed.map_err(|e| Refusal::new(500, "SYSTEM_ERROR", e.to_string()))?;
            Ok(Answer::new(200).body("application/x-gzip", packed))
        }
        _ => Err(unknown()),
    }
}

fn text(kind: &str, date: &str) -> String {
    if kind == "trade" { TRADE } else { FUND_FLOW }.replace("{date}", date)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
