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
