//! Hints about a call, and what a 404 says about an undocumented path.

use serde_json::json;
use wechatpay_chain::Error;
use wechatpay_chain::catalogue::{FieldProblem, Hint};
use wechatpay_chain::sandbox::Sandbox;

fn fields(hints: &[Hint]) -> Vec<(&str, &FieldProblem)> {
    let fields = hints.iter().filter_map(|hint| match hint {
        Hint::Field(hint) => Some((hint.field.as_str(), &hint.problem)),
        _ => None,
    });
    fields.collect()
}

#[test]
fn a_call_is_compared_with_the_documents_and_not_sent() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    let body = json!({"out_trade_no": "P1", "outRefundNo": "R1", "amount": {"refund": "1", "total": 1, "currency": null}});
    let hints = wx["v3/refund/domestic/refunds"].post(body).check().unwrap();
    let found = fields(&hints);
    assert!(found.contains(&("/out_refund_no", &FieldProblem::Missing)), "{hints:?}");
    assert!(
        found.contains(&("/outRefundNo", &FieldProblem::Unknown { near: Some("out_refund_no") })),
        "{hints:?}"
    );
    let wrong = FieldProblem::WrongType { expected: "integer", found: "string" };
    assert!(
        found.contains(&("/amount/refund", &wrong))
            && found.contains(&("/amount/currency", &FieldProblem::Null))
    );

    let personal = json!({"appid": "wx1", "type": "PERSONAL_OPENID", "account": "o1", "name": "张三", "relation_type": "PARTNER"});
    let receiver = || wx["v3/profitsharing/receivers/add"].post(personal.clone());
    assert_eq!(fields(&receiver().check().unwrap()), [("/name", &FieldProblem::NotEncrypted)]);
    assert!(receiver().encrypt(&["/name"]).check().unwrap().is_empty());

    let verb = wx["v3/refund/domestic/refunds"].get().check().unwrap();
    assert!(matches!(&verb[..], [Hint::OtherVerb { .. }]), "{verb:?}");
    let query = wx.chain("v3/pay/transactions/id/{transaction_id}").get().var("transaction_id", "");
    assert_eq!(fields(&query.check().unwrap()), [("mchid", &FieldProblem::Missing)]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_404_of_an_undocumented_path_names_what_may_be_meant() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    for (path, status, code, meant) in [
        ("v3/refund/domestic/refund", 404, "RESOURCE_NOT_EXISTS", true),
        ("v3/pay/transaction/native", 400, "RESOURCE_NOT_EXISTS", true),
        ("v3/pay/transactions/native", 404, "RESOURCE_NOT_EXISTS", false),
        ("v3/refund/domestic/refund", 400, "PARAM_ERROR", false),
    ] {
        sandbox.on("POST", path, status, json!({"code": code, "message": "-"})).unwrap();
        let Err(Error::Api(error)) = wx[path].post_sync(json!({})) else { panic!("{path}") };
        assert_eq!(!error.did_you_mean.is_empty(), meant, "{path} {status}: {error}");
        assert_eq!(error.to_string().contains("did you mean POST `v3/"), meant, "{error}");
    }
}

/// What `check` says of a request, in its words.
fn said(request: wechatpay_chain::Request) -> Vec<String> {
    request.check().unwrap().iter().map(Hint::to_string).collect()
}

#[test]
fn a_documented_path_is_known_however_the_chain_is_written() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    let order = || json!({"mchid": "1"});
    let close = "v3/pay/transactions/out-trade-no/{out_trade_no}/close";
    for value in ["P1", "id", "close", "a/b", "%2F", "中文", "A_B", "", "{x}", "0"] {
        assert!(said(wx.chain(close).post(order()).var("out_trade_no", value)).is_empty(), "{value}");
    }
    // A variable of another name, one that stands for a literal segment, one with slashes, and values in the path.
    assert!(
        said(wx.chain("v3/pay/transactions/out-trade-no/{no}/close").post(order()).var("no", "P1"))
            .is_empty()
    );
    let kinds = wx.chain("v3/pay/transactions/{kind}/{no}/{verb}").post(order());
    assert!(said(kinds.var("kind", "out-trade-no").var("no", "P1").var("verb", "close")).is_empty());
    assert!(
        said(wx.chain("v3/{+rest}").post(order()).var("rest", "pay/transactions/out-trade-no/41/close"))
            .is_empty()
    );
    assert!(said(wx["v3/pay/transactions/out-trade-no/41/close"].post(order())).is_empty());
    assert!(said(wx.chain("v3/pay/transactions/id/{id}?mchid=1").get().var("id", "4")).is_empty());
    // The longest template, and a literal segment beside a variable.
    let longest =
        wechatpay_chain::catalogue::Catalogue::operations().filter(|o| o.verb() == "GET" && !o.is_v2());
    let longest = longest.max_by_key(|operation| operation.template().len()).unwrap();
    let mut request = wx.chain(longest.template()).get();
    for variable in longest.path_variables().iter() {
        request = request.var(variable.name(), "1");
    }
    assert!(!said(request).iter().any(|hint| hint.contains("no document has this path")));
}

#[test]
fn a_base_url_is_compared_if_it_is_one_of_the_documents() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox
        .client_builder()
        .allow_host("api.mch.weixin.qq.com")
        .allow_host("apihk.mch.weixin.qq.com")
        .allow_host("gateway.example.com")
        .build()
        .unwrap();
    let close = || wx["v3/pay/transactions/out-trade-no/41/close"].post(json!({"mchid": "1"}));
    let at = |base: &str| said(close().base_url(base));
    assert!(at("https://api.mch.weixin.qq.com/").is_empty());
    let hong_kong = "the documents have this path at https://api.mch.weixin.qq.com/";
    assert_eq!(at("https://apihk.mch.weixin.qq.com/"), [hong_kong]);
    for proxy in [
        "https://gateway.example.com/",
        "https://gateway.example.com/wx/v3/api/",
        "https://gateway.example.com/v3/",
    ] {
        assert!(at(proxy).is_empty(), "{proxy}: {:?}", at(proxy));
    }
    let behind = wx["pay/transactions/out-trade-no/41/close"].post(json!({"mchid": "1"}));
    assert!(said(behind.base_url("https://gateway.example.com/v3/")).is_empty());
    let global = wx["v3/global/certificates"].get();
    assert!(said(global.base_url("https://apihk.mch.weixin.qq.com/")).is_empty());
}

#[test]
fn a_body_that_is_not_json_gives_no_hint_about_fields() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    let refunds = || wx["v3/refund/domestic/refunds"].post(serde_json::Value::Null);
    for (kind, body) in
        [("application/json", "{\"out_refund_no\":"), ("text/xml", "<xml/>"), ("application/jsonp", "{}")]
    {
        assert!(said(refunds().body(kind, body)).is_empty(), "{kind}");
    }
    let missing = said(refunds().body("Application/JSON; charset=utf-8", "{}"));
    assert_eq!(missing, said(refunds()));
    assert!(missing.contains(&"add the field `/out_refund_no`: it is required".to_owned()), "{missing:?}");
    let large = format!("{{\"x\":\"{}\"}}", "a".repeat(2 << 20));
    assert!(said(refunds().body("application/json", large)).is_empty());
}
