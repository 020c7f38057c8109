//! Bills: both requests, the digest that proves the file, and its rows.

use std::sync::{Arc, Mutex};

use serde_json::json;
use wechatpay_chain::bill::rows;
use wechatpay_chain::sandbox::{Fault, Verdict};
use wechatpay_chain::{Error, VerifyReason};

use crate::support::{self, Recorder, raw, signed, start_sandbox};

#[tokio::test]
async fn every_bill_of_the_sandbox() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let mut day = String::new();
    for (number, total) in [("P20261120001", 100), ("P20261120002", 50)] {
        let order = json!({
            "appid": "wxd678efh567hg6787",
            "mchid": wx.mchid(),
            "description": "茶, 绿",
            "out_trade_no": number,
            "notify_url": "https://www.example.com/notify",
            "amount": {"total": total},
        });
        wx["v3/pay/transactions/native"].post(order).await.unwrap();
        let paid = sandbox.pay(number).unwrap();
        day = paid["success_time"].as_str().unwrap()[..10].to_string();
    }
    let day = day.as_str();
    sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("bill.csv");
    for (path, count) in [("v3/bill/tradebill", 2), ("v3/bill/fundflowbill", 2)] {
        let bill = || wx.bill(path).date(day);
        let mut digests = Vec::new();
        for download in [
            bill().save_to(&target),
            bill().gzip().save_to(&target),
            bill().query(json!({"tar_type": "GZIP"})).gzip().save_to(&target),
            wx.bill(path).query(format!("bill_date={day}&tar_type=GZIP")).save_to(&target),
        ] {
            let saved = download.await.unwrap();
            assert!(saved.verified);
            digests.push(saved.sha1);
            let mut rows = rows(std::fs::File::open(&target).unwrap()).unwrap();
            let all = rows.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
            assert_eq!(all.len(), count);
            assert!(all[0].fields()[0].starts_with(&format!("{day} ")), "{:?}", all[0]);
            let summary = rows.summary().unwrap();
            assert_eq!(summary.fields()[0], count.to_string());
            assert!(all.iter().all(|row| row.fields().iter().all(|field| !field.contains('`'))));
        }
        digests.dedup();
        assert_eq!(digests.len(), 1, "compressed or not, it is the same bill");
        assert_eq!(bill().gzip().save_to(&target).wait().unwrap().sha1, digests[0]);
    }
    let Err(Error::Api(error)) = wx.bill("v3/bill/tradebill").date("20261120").save_to(&target).await else {
        panic!("not an Api error")
    };
    assert_eq!(error.code, "PARAM_ERROR");
    assert!(sandbox.requests().iter().filter(|r| matches!(r.verdict, Verdict::Accepted)).count() >= 20);
    let Err(Error::Api(error)) = wx["v3/billdownload/file"].get().query("token=none").await else {
        panic!("not an Api error")
    };
    assert_eq!((error.status, error.code.as_str()), (404, "RESOURCE_NOT_EXISTS"));
    // A forged first response: its digest counts for nothing, and its URL is not fetched.
    std::fs::remove_file(&target).unwrap();
    sandbox.inject(Fault::WrongBody);
    let forged = wx.bill("v3/bill/tradebill").date(day).save_to(&target).wait();
    assert!(matches!(forged, Err(Error::Verify(e)) if matches!(e.reason, VerifyReason::BadSignature { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_on_another_host_gets_no_authorization() {
    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let content = Arc::new(Mutex::new(b"abc".to_vec()));
    let body = content.clone();
    // Neither the host nor the path is one that the client knows.
    let other = Recorder::start(move |_| raw("200 OK", &[], &body.lock().unwrap()));
    let bill_response = Arc::new(Mutex::new(
        json!({"hash_type": "SHA1", "hash_value": ABC, "download_url": format!("{}cos/bill-7?sign=a%2Fb%3D&t=1", other.base)}),
    ));
    let response = bill_response.clone();
    let platform = Recorder::start(move |request| {
        let body = response.lock().unwrap().to_string();
        match request.target.starts_with("/v3/billdownload/file") {
            true => raw("200 OK", &[], body.as_bytes()),
            false => signed("200 OK", &[], body.as_bytes()),
        }
    });
    let wx = support::client(&platform.base);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a");
    let download = || wx.bill("v3/bill/{kind}").var("kind", "tradebill").date("2026-11-20").save_to(&target);
    let saved = download().wait().unwrap();
    assert!(saved.verified && saved.bytes == 3);
    let seen = other.take();
    assert_eq!(seen.target, "/cos/bill-7?sign=a%2Fb%3D&t=1");
    assert!(seen.header("authorization").is_none() && seen.header("wechatpay-serial").is_none());
    let asked = platform.take();
    assert_eq!(asked.target, "/v3/bill/tradebill?bill_date=2026-11-20");
    assert!(asked.header("authorization").is_some());
    std::fs::remove_file(&target).unwrap();

    *content.lock().unwrap() = b"abd".to_vec();
    let Err(Error::Verify(error)) = download().wait() else { panic!("not a Verify error") };
    assert!(matches!(error.reason, VerifyReason::BadDigest { .. }));
    // The response's digest counts, not the caller's.
    let own = "cb4cc28df0fdbe0ecf9d9662e294b118092a5735"; // of `abd`
    let Err(Error::Verify(error)) = download().sha1(own).wait() else { panic!("not a Verify error") };
    assert!(matches!(&error.reason, VerifyReason::BadDigest { expected, .. } if expected == ABC));
    *content.lock().unwrap() = b"abc".to_vec();
    assert!(matches!(download().sha1(own).wait(), Err(Error::Verify(_))));
    for (field, value) in [
        ("hash_type", json!("MD5")),
        ("hash_value", json!("abc")),
        ("hash_value", json!(null)),
        ("download_url", json!("/v3/x")),
        ("download_url", json!(7)),
    ] {
        let whole = bill_response.lock().unwrap().clone();
        bill_response.lock().unwrap()[field] = value;
        let Err(Error::Decode(error)) = download().wait() else { panic!("{field}: not a Decode error") };
        assert!(error.to_string().contains(field) && error.request_id.is_some(), "{error}");
        *bill_response.lock().unwrap() = whole;
    }
    // An unsigned response proves nothing.
    let unsigned = wx.bill("v3/billdownload/file").save_to(&target).wait();
    assert!(matches!(unsigned, Err(Error::Decode(e)) if e.to_string().contains("not signed")));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn rows_as_the_platform_writes_them() {
    let bill =
        "\u{feff}时间,名称,金额\r\n`1,`茶, 绿, \"好\",`1.00\r\n`2,`,`-0.50\r\n总数,总额\r\n`2,`0.50\r\n";
    let mut all = rows(bill.as_bytes()).unwrap();
    assert_eq!(all.names(), ["时间", "名称", "金额"]);
    let first = all.next().unwrap().unwrap();
    assert_eq!(first.fields(), ["1", "茶, 绿, \"好\"", "1.00"]);
    assert_eq!((first.get("金额"), first.get("总额")), (Some("1.00"), None));
    assert!(all.summary().is_none());
    assert_eq!(all.next().unwrap().unwrap().fields(), ["2", "", "-0.50"]);
    assert!(all.next().is_none() && all.next().is_none());
    let summary = all.summary().unwrap();
    assert_eq!((summary.get("总数"), summary.names().len()), (Some("2"), 2));

    // No rows at all, no last line end.
    let mut empty = rows("a,b\nc\n`0".as_bytes()).unwrap();
    assert!(empty.next().is_none() && empty.summary().unwrap().get("c") == Some("0"));
}

#[test]
fn a_malformed_bill_is_an_error_with_its_line() {
    for bill in ["", "`1,`2\n"] {
        assert!(matches!(rows(bill.as_bytes()), Err(Error::Decode(_))), "{bill:?}");
    }
    for (bill, says) in [
        ("a,b\n`1\n", "1 fields in line 2"),
        ("a,b\n`1,`2,`3\n", "3 fields in line 2"),
        ("a,b\n`1,`2\nc\n", "before its summary"),
        ("a,b\n`1,`2\nc\n`1\n`2\n", "after its summary, in line 5"),
    ] {
        let mut all = rows(bill.as_bytes()).unwrap();
        let error = all.by_ref().find_map(Result::err).expect(bill);
        assert!(error.to_string().contains(says), "{error}");
        assert!(all.next().is_none());
    }
    let mut all = rows(&b"a\n`\xff\n"[..]).unwrap();
    assert!(matches!(all.next(), Some(Err(Error::Decode(_)))));
}
