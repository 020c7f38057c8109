//! What is found in the data.

use super::*;

#[test]
fn every_operation_is_found_by_its_template_and_by_values() {
    assert!(Catalogue::operations().len() >= 1_156);
    assert!(Catalogue::notifications().len() >= 112);
    for operation in Catalogue::operations() {
        let (verb, template) = (operation.verb(), operation.template());
        let same = |found: Option<Operation>| {
            let found = found.map(|found| (found.verb(), found.template(), found.base()));
            assert_eq!(found, Some((verb, template, operation.base())), "{verb} {template}");
        };
        same(Catalogue::find_at(operation.base(), verb, template));
        same(Catalogue::find(&verb.to_lowercase(), &format!("{}{template}?a=b", operation.base())));
        let segment = |segment: &'static str| if segment.starts_with('{') { "P123" } else { segment };
        let expanded: Vec<&str> = template.split('/').map(segment).collect();
        let found = Catalogue::find_at(operation.base(), verb, &expanded.join("/")).unwrap();
        let same_shape = ["institutionsub}", "applyment/{"].iter().any(|part| template.contains(part));
        assert!(found.template() == template || same_shape, "{template}: {}", found.template());
    }
}

#[test]
fn templates_of_one_shape_are_told_apart() {
    let template = |path| Catalogue::find("POST", path).map(|operation| operation.template());
    assert_eq!(template("v2/secapi/mch/queryInstitutionsub"), Some("v2/secapi/mch/{queryinstitutionsub}"));
    assert_eq!(template("v2/secapi/mch/addInstitutionsub"), Some("v2/secapi/mch/{addinstitutionsub}"));
    let by_code = "v3/apply4subject/applyment/{business_code}/cancel";
    assert_eq!(template(by_code), Some(by_code));
    let hong_kong = Catalogue::find("GET", "https://api.mch.weixin.qq.com/hk/v3/certificates").unwrap();
    assert_eq!(hong_kong.base(), "https://api.mch.weixin.qq.com/hk/");
    assert_eq!(Catalogue::find("GET", "v3/certificates").unwrap().base(), "https://api.mch.weixin.qq.com/");
}

/// What PHP makes of the line that is shown is the template.
#[test]
fn a_chain_that_is_shown_leads_to_its_template() {
    let mut shown = 0;
    for operation in Catalogue::operations() {
        let Some(line) = operation.example(Spelling::PhpLine, Include::Required) else { continue };
        let chain = line.split(')').next().unwrap().trim_start_matches("chain!(wx->").replace("->", "/");
        assert_eq!(crate::path::normalise(&chain).unwrap(), operation.template());
        shown += 1;
    }
    assert!(shown > 1_080, "{shown}");
}

/// Hints of recorded calls of the PHP SDK that are right: the documents' own samples have slips. (A sample of Node has
/// placeholders for values.)
const SLIPS_OF_SAMPLES: &[&str] = &[
    "POST v2/applyment/micro/signcontract: the body is of the type object; found: array",
    "POST v2/transit/pay/querystate: add the field `/openid`: it is required",
    "POST v2/wxv/finishhotelbill: add the field `/other_fee_desc`: it is required",
    "POST v3/apply4subject/applyment: the query parameter `channel_id` has at least 8 characters or elements; found: 0",
    "POST v3/marketing/busifavor/coupons/associate: the field `/coupon_code` has 8 to 15 characters or elements; found: 0",
    "POST v3/pay/transactions/h5: the field `/scene_info/h5_info/type` has another value than the documented iOS, Android, \
     Wap",
];

/// Every call of both SDKs that was recorded from the documents' samples is found, and gives no hint that is wrong.
#[test]
fn conformance_of_recorded_calls() {
    let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE") else { return };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("calls.jsonl")).unwrap();
    let (mut calls, mut hints) = (0, std::collections::BTreeMap::<String, Vec<String>>::new());
    for line in text.lines() {
        let recorded: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(url) = recorded["expect"]["url"].as_str() else { continue };
        let url = url::Url::parse(url).unwrap();
        let (verb, template) = (recorded["verb"].as_str().unwrap(), recorded["template"].as_str().unwrap());
        if template.starts_with("http") {
            continue;
        }
        calls += 1;
        let known = template.replace("{empty}", "");
        let operation = Catalogue::at(&known).into_iter().find(|o| o.verb() == verb && o.template() == known);
        let line = operation.and_then(|operation| operation.example(Spelling::PhpLine, Include::Required));
        if let (Some(line), Some(pure)) = (line, recorded["chain"]["pure"].as_array())
            && recorded["sdk"] == "php"
            && !template.contains("nstitutionsub")
        {
            let pure: Vec<_> = pure.iter().map(|name| name.as_str().unwrap()).collect();
            assert!(line.starts_with(&format!("chain!(wx->{})", pure.join("->"))), "{line}: {pure:?}");
        }
        let host = format!("{}/", &url[..url::Position::BeforePath]);
        let prefix = url.path().split_once("v3/").map_or("", |(prefix, _)| prefix.trim_start_matches('/'));
        let base = format!("{host}{prefix}{}", template.replace("{empty}", ""));
        let query: Vec<(String, String)> = url.query_pairs().map(|(n, v)| (n.into(), v.into())).collect();
        let xml = recorded["options"]
            .get("xml")
            .or_else(|| recorded.get("data").filter(|_| recorded["api"] == "v2"));
        let body = recorded["expect"].get("json").or(xml).filter(|body| !body.is_null());
        let call = check::Call { verb, url: &base, query: &query, body };
        for hint in call.hints() {
            let kind = match &hint {
                Hint::Field(FieldHint { problem, .. }) => {
                    format!("{problem:?}").split([' ', '(', '{']).next().unwrap().to_owned()
                }
                other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
            };
            let shown = format!("{} {verb} {template}: {hint}", recorded["sdk"].as_str().unwrap());
            hints.entry(kind).or_default().push(shown);
        }
    }
    let is_expected = |kind: &str, hint: &str| {
        // Samples have sensitive fields in the clear, and the list has operations that are withdrawn.
        kind == "NotEncrypted"
            || kind == "Outdated"
            || hint.strip_prefix("php ").is_none_or(|hint| SLIPS_OF_SAMPLES.contains(&hint))
    };
    let wrong: Vec<_> =
        hints.iter().flat_map(|(kind, list)| list.iter().filter(|hint| !is_expected(kind, hint))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let kinds_of_paths = ["UnknownPath", "OtherVerb", "OtherBase"];
    assert!(!kinds_of_paths.iter().any(|kind| hints.contains_key(*kind)), "{hints:#?}");
    for (kind, list) in &hints {
        println!("{kind}: {} of {calls} calls", list.len());
        list.iter().for_each(|hint| println!("  {hint}"));
    }
}
