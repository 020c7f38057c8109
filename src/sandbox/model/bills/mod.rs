//! Bills: what the orders and refunds of a day (Beijing's) come to, written as the platform writes it. The sandbox
//! takes no fee, and has the bill of a day as soon as there is anything in it.

mod rows;

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{
    Answer,
    catalogue::{Code, NOT_FOUND, ORDER, REFUND},
    clock, random,
    refusal::Refusal,
    routes::Call,
    store::Document,
};
use rows::Entry;

const NONE: Code = Code::new(400, "NO_STATEMENT_EXIST", "账单文件不存在");

/// `GET v3/bill/tradebill`: where the bill is, and its digest.
pub(crate) fn trade(call: &Call<'_>) -> Result<Answer, Refusal> {
    let columns = match call.query("bill_type") {
        "" | "ALL" => rows::ALL,
        "SUCCESS" => rows::SUCCESS,
        "REFUND" => rows::REFUND,
        _ => return Err(Refusal::param("query", "bill_type", "expected ALL, SUCCESS or REFUND")),
    };
    let entries = entries(call, call.query("bill_type"))?;
    tell(call, &rows::trade(columns, &entries, &call.platform.identity.mchid))
}

/// `GET v3/bill/fundflowbill`: the same for the account.
pub(crate) fn fund_flow(call: &Call<'_>) -> Result<Answer, Refusal> {
    match call.query("account_type") {
        "" | "BASIC" => {}
        "OPERATION" | "FEES" => return Err(NONE.refusal("nothing moves in this account")),
        _ => return Err(Refusal::param("query", "account_type", "expected BASIC, OPERATION or FEES")),
    }
    let entries = entries(call, "")?;
    let (start, _) = day(call)?;
    let before = call.platform.work("", call.body, |flow| {
        let sum = |kind, path| flow.documents.sum(kind, path, start);
        Ok(sum(ORDER.name, "$.amount.total")? - sum(REFUND.name, "$.amount.refund")?)
    })?;
    tell(call, &rows::fund_flow(&entries, before))
}

/// `GET v3/billdownload/file`: the bill that the token names.
pub(crate) fn file(call: &Call<'_>) -> Result<Answer, Refusal> {
    let token = call.query("token");
    // A media id is no token.
    let found = match token.strip_prefix("bill-") {
        Some(_) => call.platform.work("", call.body, |flow| flow.documents.file(token))?,
        None => None,
    };
    let (media_type, content) = found.ok_or_else(|| NOT_FOUND.refusal("there is no bill for this token"))?;
    Ok(Answer::new(200).body(media_type, content))
}

/// The first second of the day that is asked for, and the first of the next.
fn day(call: &Call<'_>) -> Result<(i64, i64), Refusal> {
    let date = call.query("bill_date");
    let start = clock::unix(&format!("{date}T00:00:00+08:00"))
        .ok_or_else(|| Refusal::param("query", "bill_date", "expected a day as 2026-11-20"))?;
    Ok((start, start + 86_400))
}

/// What moved money on that day, by time.
fn entries(call: &Call<'_>, bill_type: &str) -> Result<Vec<Entry>, Refusal> {
    let (start, end) = day(call)?;
    let sub = call.query("sub_mchid");
    let entries = call.platform.work("", call.body, |flow| {
        let wanted = |document: &Document| sub.is_empty() || document.scope == sub;
        let mut entries = Vec::new();
        if bill_type != "REFUND" {
            let orders = flow.documents.settled(ORDER.name, start, end)?;
            entries.extend(orders.into_iter().filter(wanted).map(|order| Entry { order, refund: None }));
        }
        if bill_type != "SUCCESS" {
            for refund in flow.documents.settled(REFUND.name, start, end)?.into_iter().filter(wanted) {
                let transaction = refund.parent.as_deref().unwrap_or_default();
                if let Some(order) = flow.documents.owned(ORDER.name, &refund.scope, transaction)? {
                    entries.push(Entry { order, refund: Some(refund) });
                }
            }
        }
        Ok(entries)
    });
    let mut entries = entries?;
    entries.sort_by_key(Entry::time);
    if entries.is_empty() {
        return Err(NONE.refusal(&format!("nothing happened on {}", call.query("bill_date"))));
    }
    Ok(entries)
}

/// Keeps the bill under a token. The digest is over what the file is when it is not compressed.
fn tell(call: &Call<'_>, bill: &str) -> Result<Answer, Refusal> {
    let failed = |why: String| Refusal::new(500, "SYSTEM_ERROR", why);
    let bytes = bill.as_bytes();
    let (media_type, content) = match call.query("tar_type") {
        "" => ("text/plain", bytes.to_vec()),
        "GZIP" => ("application/x-gzip", gzip(bytes).map_err(|e| failed(e.to_string()))?),
        _ => return Err(Refusal::param("query", "tar_type", "expected GZIP, or nothing")),
    };
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let sha1: String = sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let random = random::alphanumeric(32).map_err(|_| failed("the sandbox has no random numbers".into()))?;
    let token = format!("bill-{random}");
    call.platform.work("", call.body, |flow| flow.documents.put_file(&token, media_type, &content))?;
    let url = format!("http://{}/v3/billdownload/file?token={token}", call.header("host"));
    Ok(Answer::new(200).json(json!({ "hash_type": "SHA1", "hash_value": sha1, "download_url": url })))
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
