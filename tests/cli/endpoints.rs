//! `wxpay endpoints`: search, suggest, show.

use serde_json::Value;

use crate::program::{Done, wxpay};

fn run(arguments: &[&str], stdin: &str) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(arguments).write_stdin(stdin))
}

#[test]
fn an_endpoint_is_found_by_words() {
    let found = run(&["endpoints", "退款"], "").ok().to_owned();
    assert!(
        found.lines().take(5).any(|line| line.starts_with("POST   v3/refund/domestic/refunds ")),
        "{found}"
    );
    let found = run(&["endpoints", "refund", "--verb", "GET", "--mode", "merchant", "--v3", "--json"], "")
        .ok()
        .to_owned();
    let found: Vec<Value> = serde_json::from_str(&found).unwrap();
    assert!(!found.is_empty() && found.iter().all(|found| found["verb"] == "GET"));
    assert!(found.iter().all(|found| found["mode"].as_array().unwrap().contains(&"merchant".into())));
    let nothing = run(&["endpoints", "qqqqzzzzxxxx"], "");
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.err.contains("no documented endpoint"), "{}", nothing.err);
}

#[test]
fn queries_from_stdin_are_answered_line_by_line() {
    let found = run(&["endpoints", "-", "--json", "-n", "3"], "退款\n\u{0}\nbill\n").ok().to_owned();
    let lines: Vec<Vec<Value>> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].len() == 3 && lines[1].is_empty() && !lines[2].is_empty());
    let paths = "POST v3/refunds/domestic/refund\nv3/pay/transaction/native\n";
    let found = run(&["endpoints", "suggest", "-", "--json"], paths).ok().to_owned();
    let first = |line: &str| serde_json::from_str::<Value>(line).unwrap()[0]["template"].clone();
    let templates: Vec<_> = found.lines().map(first).collect();
    assert_eq!(templates, ["v3/refund/domestic/refunds", "v3/pay/transactions/native"]);
}

#[test]
fn each_line_of_stdin_gets_one_answer_however_long_it_is() {
    let lines = format!("{}\n退款\n\n{}", "退款 ".repeat(10_000), "票".repeat(5_000));
    let found = run(&["endpoints", "-", "--json"], &lines).ok().to_owned();
    assert_eq!(found.lines().count(), 4);
    assert!(found.lines().nth(1).unwrap().contains("v3/refund/domestic/refunds"));
    // A blank in a path is no verb.
    let found =
        run(&["endpoints", "suggest", "-", "--json", "--verb", "POST"], "v3/ refund/domestic/refund\n")
            .ok()
            .to_owned();
    assert!(found.contains("v3/refund/domestic/refunds"), "{found}");
}

#[test]
fn an_endpoint_is_shown_with_its_fields_and_calls() {
    let page = run(&["endpoints", "show", "v3/pay/transactions/out-trade-no/P1/close", "--lang", "en"], "")
        .ok()
        .to_owned();
    for part in [
        "POST v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        "base URL: https://api.mch.weixin.qq.com/",
        "  mchid  string  required",
        "chain!(wx->v3->pay->transactions->outTradeNo->_out_trade_no_->close)",
        "$instance->v3->pay->transactions->outTradeNo->_out_trade_no_->close->post([",
        "await wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.close.post({",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let chinese =
        run(&["endpoints", "show", "v3/refund/domestic/refunds", "--lang", "zh"], "").ok().to_owned();
    assert!(chinese.contains("请求体") && chinese.contains("必填"), "{chinese}");
    let facts =
        run(&["endpoints", "show", "POST", "v3/refund/domestic/refunds", "--json"], "").ok().to_owned();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    assert_eq!(facts["body"]["amount"]["fields"]["total"]["type"], "integer");
}

#[test]
fn a_mistyped_path_has_a_hint_and_a_skeleton_can_be_filled_in() {
    let unknown = run(&["endpoints", "show", "v3/refund/domestic/refund"], "");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("did you mean POST `v3/refund/domestic/refunds`?"), "{}", unknown.err);
    let skeleton =
        run(&["endpoints", "show", "v3/refund/domestic/refunds", "--skeleton"], "").ok().to_owned();
    let skeleton: Value = serde_json::from_str(&skeleton).unwrap();
    assert_eq!(skeleton["amount"]["refund"], 1);
    assert!(skeleton.get("reason").is_none() && skeleton.get("out_refund_no").is_some());
}
