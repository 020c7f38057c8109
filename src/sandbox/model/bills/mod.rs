//! Bills: the orders and refunds of a day (Beijing time), in the platform's format. The sandbox charges no fee, and the
//! bill of a day is available as soon as the day has an entry.

mod format;

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde_json::json;

use crate::sandbox::{
    http::{clock, error_response::ErrorResponse, response::SandboxResponse},
    keys::random,
    model::{
        engine::{
            call::Call,
            error_code::{ErrorCode, NOT_FOUND},
            fields::no_random_numbers,
            params::Param,
            schema::{Action, Endpoint},
        },
        products::{orders::ORDER, refunds::REFUND},
    },
    store::documents::{BILL, Document},
};
use format::Entry;

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        template: "v3/bill/tradebill",
        partner_template: None,
        params: &[Param::Query("bill_date")],
        action: Action::Handler(trade_bill),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/bill/fundflowbill",
        partner_template: None,
        params: &[Param::Query("bill_date")],
        action: Action::Handler(fund_flow_bill),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/billdownload/file",
        partner_template: None,
        params: &[Param::Query("token")],
        action: Action::Handler(download),
    },
];

const NO_BILL: ErrorCode = ErrorCode::new(400, "NO_STATEMENT_EXIST", "账单文件不存在");

fn trade_bill(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let columns = match call.query("bill_type") {
        "" | "ALL" => format::ALL,
        "SUCCESS" => format::SUCCESS,
        "REFUND" => format::REFUND,
        _ => return Err(ErrorResponse::param_error("query", "bill_type", "expected ALL, SUCCESS or REFUND")),
    };
    let entries = entries(call, call.query("bill_type"))?;
    publish(call, &format::trade(columns, &entries, &call.engine.identity.mchid))
}

fn fund_flow_bill(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    match call.query("account_type") {
        "" | "BASIC" => {}
        "OPERATION" | "FEES" => return Err(NO_BILL.response("this account has no entries")),
        _ => {
            return Err(ErrorResponse::param_error(
                "query",
                "account_type",
                "expected BASIC, OPERATION or FEES",
            ));
        }
    }
    let entries = entries(call, "")?;
    let (start, _) = day(call)?;
    let before = call.engine.access(|session| {
        let total = |resource_type, path| session.documents.settled_total(resource_type, path, start);
        Ok(total(ORDER.name, "$.amount.total")? - total(REFUND.name, "$.amount.refund")?)
    })?;
    publish(call, &format::fund_flow(&entries, before))
}

fn download(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let token = call.query("token");
    let (media_type, content) = call.engine.access(|session| {
        // A media id is not a token.
        let found = if token.starts_with(BILL) { session.documents.file(token)? } else { None };
        found.ok_or_else(|| {
            let why = session.documents.why_no_file(BILL);
            NOT_FOUND.response(&format!("there is no bill for this token{why}"))
        })
    })?;
    Ok(SandboxResponse::new(200).body(media_type, content))
}

/// The first second of the requested day and of the next day.
fn day(call: &Call<'_>) -> Result<(i64, i64), ErrorResponse> {
    let date = call.query("bill_date");
    let start = clock::parse_rfc3339(&format!("{date}T00:00:00+08:00")).ok_or_else(|| {
        ErrorResponse::param_error("query", "bill_date", "expected a date such as 2026-11-20")
    })?;
    Ok((start, start + 86_400))
}

/// The payments and refunds of the day, by time.
fn entries(call: &Call<'_>, bill_type: &str) -> Result<Vec<Entry>, ErrorResponse> {
    let (start, end) = day(call)?;
    let sub = call.query("sub_mchid");
    let entries = call.engine.access(|session| {
        let is_included = |document: &Document| sub.is_empty() || document.scope == sub;
        let mut entries = Vec::new();
        if bill_type != "REFUND" {
            let orders = session.documents.settled_between(ORDER.name, start, end)?;
            entries.extend(orders.into_iter().filter(is_included).map(|order| Entry { order, refund: None }));
        }
        if bill_type != "SUCCESS" {
            for refund in
                session.documents.settled_between(REFUND.name, start, end)?.into_iter().filter(is_included)
            {
                let transaction = refund.parent_id.as_deref().unwrap_or_default();
                if let Some(order) =
                    session.documents.by_platform_id(ORDER.name, &refund.scope, transaction)?
                {
                    entries.push(Entry { order, refund: Some(refund) });
                }
            }
        }
        Ok(entries)
    });
    let mut entries = entries?;
    entries.sort_by_key(Entry::time);
    if entries.is_empty() {
        return Err(NO_BILL.response(&format!("there are no entries on {}", call.query("bill_date"))));
    }
    Ok(entries)
}

/// Stores the bill under a token and responds with its URL. The digest covers the uncompressed file.
fn publish(call: &Call<'_>, bill: &str) -> Result<SandboxResponse, ErrorResponse> {
    let bytes = bill.as_bytes();
    let (media_type, content) = match call.query("tar_type") {
        "" => ("text/plain", bytes.to_vec()),
        "GZIP" => ("application/x-gzip", gzip(bytes).map_err(|e| ErrorResponse::internal(e.to_string()))?),
        _ => return Err(ErrorResponse::param_error("query", "tar_type", "expected GZIP or nothing")),
    };
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let sha1: String = sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let random = random::alphanumeric(32).map_err(no_random_numbers)?;
    let token = format!("{BILL}{random}");
    call.engine.access(|session| session.documents.put_file(&token, media_type, &content))?;
    let url = format!("http://{}/v3/billdownload/file?token={token}", call.header("host"));
    Ok(SandboxResponse::new(200)
        .json(json!({ "hash_type": "SHA1", "hash_value": sha1, "download_url": url })))
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
