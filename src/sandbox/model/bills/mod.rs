//! Bills: the orders and refunds of a day (Beijing time), and what moved the balance of an account, in the platform's
//! format. The sandbox charges no fee. The bill of a day is there on the next day from 10:00, by the business clock.

mod format;
mod fund_flow;

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde_json::{Value, json};

use crate::catalogue::Fields;
use crate::sandbox::{
    auth::unsigned_paths,
    http::{clock, error_response::ErrorResponse, request::IncomingRequest, response::SandboxResponse},
    keys::random,
    model::{
        engine::{
            call::Call,
            error_code::{ErrorCode, NOT_FOUND},
            fields::no_random_numbers,
            schema::{Action, Endpoint},
            select,
        },
        products::{
            orders::{ORDER, code::REVERSAL},
            refunds::REFUND,
        },
    },
    store::documents::BILL,
};
use format::Entry;

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(Method::GET, "v3/bill/tradebill", &[], Action::Handler(trade_bill)),
    Endpoint::new(Method::GET, "v3/bill/fundflowbill", &[], Action::Handler(fund_flow_bill)),
    Endpoint::new(Method::GET, "v3/billdownload/file", &[], Action::Handler(download)),
];

const NO_BILL: ErrorCode = ErrorCode::new(400, "NO_STATEMENT_EXIST", "账单文件不存在");
const NOT_READY: ErrorCode = ErrorCode::new(400, "STATEMENT_CREATING", "账单生成中");
const OUT_OF_RANGE: ErrorCode = ErrorCode::new(400, "INVALID_REQUEST", "账单日期不正确");

const DAY: i64 = 86_400;

/// When the bill of a day is there, in seconds after its end: at 10:00.
const READY_AFTER: i64 = 10 * 3600;

/// For how long a bill can be requested, in seconds after its end: about three months.
const KEPT_FOR: i64 = 93 * DAY;

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
    let (start, end) = day(call)?;
    let account = call.query("sub_mchid");
    let (moves, balance) = call.engine.access(|session| {
        let moves = fund_flow::moves(session.documents, account, start, end)?;
        Ok((moves, fund_flow::balance(session.documents, account, start)?))
    })?;
    if moves.is_empty() {
        return Err(no_entries(call));
    }
    publish(call, &fund_flow::format(&moves, balance))
}

fn download(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let token = call.query("token");
    if token == SAMPLE_TOKEN {
        return Ok(sample_file(call.request));
    }
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

/// The file of a response that has no flow: see [`sample_file`].
const SAMPLE: &str = "项目,金额\r\n`沙箱,`1.00\r\n总笔数,总金额\r\n`1,`1.00\r\n";
const SAMPLE_TOKEN: &str = "bill-sample";

/// Where the sample is, and its digest, by the names of the documents: `url` means it beside a digest only.
pub(crate) fn sample(call: &Call<'_>, response: Fields) -> Value {
    let address = format!("http://{}/v3/billdownload/file?token={SAMPLE_TOKEN}", call.header("host"));
    let mut sample =
        json!({ "download_url": address, "hash_type": "SHA1", "hash_value": sha1(SAMPLE.as_bytes()) });
    if response.get("hash_value").is_some() {
        sample["url"] = json!(address);
    }
    sample
}

pub(crate) fn sample_file(request: &IncomingRequest) -> SandboxResponse {
    let response = SandboxResponse::new(200).body("text/plain", SAMPLE);
    match unsigned_paths::is_statement(request) {
        // What its signature covers.
        true => response.header(unsigned_paths::STATEMENT_SHA1, sha1(SAMPLE.as_bytes())),
        false => response,
    }
}

fn sha1(bytes: &[u8]) -> String {
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_entries(call: &Call<'_>) -> ErrorResponse {
    NO_BILL.response(&format!("there are no entries on {}", call.query("bill_date")))
}

/// The first second of the requested day and of the next day. The bill of the day must be there.
fn day(call: &Call<'_>) -> Result<(i64, i64), ErrorResponse> {
    let date = call.query("bill_date");
    let start = clock::parse_rfc3339(&format!("{date}T00:00:00+08:00")).ok_or_else(|| {
        ErrorResponse::param_error("query", "bill_date", "expected a date such as 2026-11-20")
    })?;
    let (now, end) = (call.engine.now(), start + DAY);
    if now < start || now >= end + KEPT_FOR {
        let today: String = clock::beijing_time(now).chars().take(10).collect();
        return Err(
            OUT_OF_RANGE.response(&format!("{date} is not within three months before today, {today}"))
        );
    }
    if now < end + READY_AFTER {
        let ready = clock::beijing_time(end + READY_AFTER);
        return Err(NOT_READY.response(&format!("the bill of {date} is there from {ready}")));
    }
    Ok((start, end))
}

/// The payments and refunds of the day, by time.
fn entries(call: &Call<'_>, bill_type: &str) -> Result<Vec<Entry>, ErrorResponse> {
    let (start, end) = day(call)?;
    let sub = call.query("sub_mchid");
    let entries = call.engine.access(|session| {
        let resource_types = match bill_type {
            "SUCCESS" => &[ORDER.name][..],
            "REFUND" => &[REFUND.name, REVERSAL.name],
            _ => &[ORDER.name, REFUND.name, REVERSAL.name],
        };
        let scope = Some(sub).filter(|sub| !sub.is_empty());
        let mut entries = Vec::new();
        for settled in session.documents.settled_between(resource_types, scope, start, end)? {
            if settled.resource_type == ORDER.name {
                entries.push(Entry { order: settled, refund: None });
                continue;
            }
            let transaction = settled.parent_id.as_deref().unwrap_or_default();
            let order = session.documents.by_platform_id(ORDER.name, &settled.scope, transaction)?;
            if let Some(mut order) = order {
                // Each refund has a copy of its order, so only of what the bill shows.
                order.body = select(&order.body, format::ORDER_FIELDS);
                entries.push(Entry { order, refund: Some(settled) });
            }
        }
        Ok(entries)
    });
    let mut entries = entries?;
    entries.sort_by_key(Entry::time);
    if entries.is_empty() {
        return Err(no_entries(call));
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
    let random = random::alphanumeric(32).map_err(no_random_numbers)?;
    let token = format!("{BILL}{random}");
    call.engine.access(|session| session.documents.put_file(&token, media_type, &content))?;
    let url = format!("http://{}/v3/billdownload/file?token={token}", call.header("host"));
    Ok(SandboxResponse::new(200)
        .json(json!({ "hash_type": "SHA1", "hash_value": sha1(bytes), "download_url": url })))
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
