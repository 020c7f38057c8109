//! Responses and files that are made to take memory and time: any number of headers, and JSON and bills at the limit. Each
//! memory is that of a child process, read from the kernel.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use wechatpay_chain::bill::rows;
use wechatpay_chain::{Error, WeChatPay};

use super::{NOW, StoppedClock, pkcs8, sign};
use crate::support::{self, PLATFORM_SERIAL, TestServer, skipped};

const TASK: &str = "WECHATPAY_BOUNDS_TASK";
const MIB: usize = 1 << 20;
/// The default limit of a body.
const LIMIT: usize = 8 * MIB;

/// A server that sends the same bytes to everyone, and the client for it.
fn platform(response: Vec<u8>) -> (TestServer, WeChatPay) {
    let server = TestServer::start(move |mut stream, _| {
        let _ = stream.read(&mut [0; 4096])?;
        stream.write_all(&response)
    });
    let wx = support::builder(&server.base).clock(StoppedClock).timeout(Duration::from_secs(20));
    let wx = wx.build().unwrap();
    (server, wx)
}

/// The four headers of a genuine message.
fn signature(body: &[u8]) -> Vec<(String, String)> {
    let message = [NOW.to_string().as_bytes(), b"\nNONCE\n", body, b"\n"].concat();
    let signature = sign(&pkcs8("platform_key.pem"), &message);
    [
        ("Timestamp", NOW.to_string()),
        ("Nonce", "NONCE".into()),
        ("Serial", PLATFORM_SERIAL.into()),
        ("Signature", signature),
    ]
    .map(|(name, value)| (format!("Wechatpay-{name}"), value))
    .to_vec()
}

fn response(status: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("Connection", "close"));
    support::raw(status, &headers, body)
}

#[test]
fn any_number_of_headers() {
    let body = b"{\"a\":1}";
    for count in [0, 1, 50, 90, 200, 1_000, 30_000] {
        for repeated in [false, true] {
            let name = |at: usize| if repeated { "X-Same".to_owned() } else { format!("X-{at}") };
            let mut headers: Vec<_> = (0..count).map(|at| (name(at), "v".to_owned())).collect();
            headers.extend(signature(body));
            let (_server, wx) = platform(response("200 OK", &headers, body));
            let began = Instant::now();
            match wx["v3/x"].get().wait() {
                Ok(response) => assert!(count <= 200 && response.verified() && response.bytes() == &body[..]),
                Err(Error::Transport(_)) if count > 90 => {}
                Err(error) => panic!("{count} headers: {error:?}"),
            }
            let saved = wx["v3/x"].get().save_to_writer(tokio::io::sink()).wait();
            assert!(
                saved.is_ok() || (count > 90 && matches!(saved, Err(Error::Transport(_)))),
                "{count}: {saved:?}"
            );
            assert!(began.elapsed() < Duration::from_secs(10), "{count} headers took {:?}", began.elapsed());
        }
    }
    // The four headers, once more each, and a thousand times.
    for times in [2, 1_000] {
        let headers: Vec<_> = signature(body).into_iter().flat_map(|header| vec![header; times]).collect();
        let (_server, wx) = platform(response("200 OK", &headers, body));
        let error = wx["v3/x"].get().wait().unwrap_err();
        assert!(matches!(error, Error::Verify(_) | Error::Transport(_)), "{error:?}");
    }
    // A header of a megabyte.
    let headers = [&[("X-Long".to_owned(), "v".repeat(MIB))][..], &signature(body)].concat();
    let (_server, wx) = platform(response("200 OK", &headers, body));
    let error = wx["v3/x"].get().wait();
    assert!(matches!(error, Ok(_) | Err(Error::Transport(_))), "{error:?}");
}

#[test]
fn any_number_of_headers_of_a_notification() {
    let wx = support::builder("http://127.0.0.1:9/").clock(StoppedClock).build().unwrap();
    let body = b"{}";
    for count in [0, 100, 1_000, 40_000] {
        for repeated in [false, true] {
            let name = |at: usize| if repeated { "X-Same".to_owned() } else { format!("X-{at}") };
            let mut headers: Vec<_> = (0..count).map(|at| (name(at), "v".to_owned())).collect();
            headers.extend(signature(body));
            let began = Instant::now();
            // It is genuine, but no notification.
            let error = wx.notification(headers, &body[..]).wait().unwrap_err();
            assert!(matches!(error, Error::Decode(_)), "{count} headers: {error:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{count} headers took {:?}", began.elapsed());
        }
    }
}

/// A text of as many pieces as the limit allows.
fn filled(start: &str, piece: &str, end: &str) -> Vec<u8> {
    let count = (LIMIT - start.len() - end.len() - 1) / piece.len();
    [start, &piece.repeat(count), end].concat().into_bytes()
}

fn body(name: &str) -> Vec<u8> {
    match name {
        "deep" => filled("", "[", ""),
        "deep objects" => filled("", "{\"a\":", ""),
        "deep detail" => filled("{\"code\":\"X\",\"detail\":", "[", ""),
        "one string" => filled("{\"code\":\"", "\\u8336", "\"}"),
        "many small objects" => filled("{\"data\":[{}", ",{\"\":0}", "]}"),
        "many small lists" => filled("[[]", ",[]", "]"),
        "one name again and again" => filled("{\"a\":0", ",\"\":0", "}"),
        "digits" => filled("[1", "0", "]"),
        "objects as detail" => filled("{\"code\":\"X\",\"detail\":[{}", ",{\"\":0}", "],\"message\":\"m\"}"),
        "objects as code" => filled("{\"code\":[{}", ",{\"\":0}", "],\"message\":\"m\"}"),
        "objects as message" => filled("{\"code\":\"X\",\"message\":[{}", ",{\"\":0}", "]}"),
        "lists as detail" => filled("{\"detail\":[[]", ",[]", "],\"code\":\"X\",\"message\":\"m\"}"),
        "details" => filled("{\"code\":\"X\"", ",\"detail\":{\"a\":[[],[]]}", ",\"message\":\"m\"}"),
        _ => panic!("no body {name}"),
    }
}

fn bill(name: &str) -> String {
    let start = "a,b\n`1,`2\n";
    match name {
        "commas" => ",".repeat(10 * MIB),
        "commas in a row" => [start, &",".repeat(10 * MIB)].concat(),
        "fields in a row" => [start, &",`".repeat(5 * MIB)].concat(),
        "one field" => [start, "`1,`", &"a".repeat(10 * MIB)].concat(),
        "blank lines" => [start, &" \r\n".repeat(MIB)].concat(),
        "title lines" => "#\n".repeat(MIB),
        "names" => "a,".repeat(5 * MIB),
        "rows" => [start, &"`1,`2\n".repeat(MIB / 4)].concat(),
        _ => panic!("no bill {name}"),
    }
}

/// A figure of this process's memory, in KiB: `VmHWM` is its peak.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Prints by how much the peak grows; what is there already does not count.
fn measure<T>(attack: impl FnOnce() -> Result<T, Error>, is_expected: fn(&Error) -> bool) {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = peak().unwrap();
    let result = attack().map(|_| "accepted");
    println!("GREW {}", peak().unwrap() - before);
    assert!(matches!(&result, Err(error) if is_expected(error)), "{result:?}");
}

/// The body of the child processes; on its own it does nothing.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let (kind, name) = task.split_once(": ").unwrap();
    let is_unsigned = |error: &Error| matches!(error, Error::Verify(_));
    match kind {
        "unsigned response" => {
            let (_server, wx) = platform(response("200 OK", &[], &body(name)));
            measure(|| wx["v3/x"].get().wait(), is_unsigned);
        }
        "unsigned bill response" => {
            let (_server, wx) = platform(response("200 OK", &[], &body(name)));
            measure(|| wx.bill("v3/bill/x").save_to_writer(tokio::io::sink()).wait(), is_unsigned);
        }
        "forged notification" => {
            let wx = support::builder("http://127.0.0.1:9/").clock(StoppedClock).build().unwrap();
            let (headers, body) = (signature(b"{}"), body(name));
            measure(|| wx.notification(headers, body).wait(), is_unsigned);
        }
        "error" => {
            let (_server, wx) = platform(response("500 Internal Server Error", &[], &body(name)));
            measure(|| wx["v3/x"].get().wait(), |error| matches!(error, Error::Api(_)));
        }
        "verified error" => {
            let body = body(name);
            let (_server, wx) = platform(response("500 Internal Server Error", &signature(&body), &body));
            measure(
                || wx["v3/x"].get().wait(),
                |error| match error {
                    Error::Api(e) => e.verified && e.body.len() > 8_000_000,
                    _ => false,
                },
            );
        }
        "bill" => {
            let bill = bill(name);
            let read = || rows(bill.as_bytes())?.last().unwrap_or_else(|| panic!("no row"));
            measure(read, |error| matches!(error, Error::Decode(_)));
        }
        other => panic!("no task {other}"),
    }
}

fn pass(kind: &str, may_grow_mib: u64, names: &[&str]) {
    if peak().is_none() {
        skipped("no /proc/self/status here");
        return;
    }
    for name in names {
        let began = Instant::now();
        let output =
            support::alone(module_path!(), "child").env(TASK, format!("{kind}: {name}")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kind}: {name}: {text}{}", String::from_utf8_lossy(&output.stderr));
        let grew = text.split("GREW ").nth(1).unwrap().lines().next().unwrap();
        println!("{kind}: {name}: peak memory grew by {grew} KiB, in {:?}", began.elapsed());
        assert!(grew.parse::<u64>().unwrap() < may_grow_mib << 10, "{kind}: {name}: {grew} KiB");
        assert!(began.elapsed() < Duration::from_secs(60), "{kind}: {name}: {:?}", began.elapsed());
    }
}

/// Nothing of a message is parsed before its signature is verified.
#[test]
fn a_large_unsigned_message_is_not_parsed() {
    pass("unsigned response", 40, &["deep", "many small objects", "many small lists", "one string"]);
    pass("unsigned bill response", 40, &["deep objects", "many small objects"]);
    pass("forged notification", 16, &["deep", "many small objects", "one name again and again", "digits"]);
}

#[test]
fn a_large_error_takes_little_more_than_its_body() {
    let names = [
        "deep",
        "deep objects",
        "deep detail",
        "one string",
        "one name again and again",
        "digits",
        "many small objects",
        "many small lists",
    ];
    pass("error", 64, &names);
    let names = ["objects as detail", "objects as code", "objects as message", "lists as detail", "details"];
    pass("error", 64, &names);
    // Genuine, and so large all the same: what is left out of it is in its body.
    pass("verified error", 96, &["deep", "one string", "one name again and again"]);
    pass("verified error", 96, &names);
}

#[test]
fn a_bill_of_any_shape_takes_little_memory() {
    let bills = [
        "commas",
        "commas in a row",
        "fields in a row",
        "one field",
        "blank lines",
        "title lines",
        "names",
        "rows",
    ];
    pass("bill", 16, &bills);
}
