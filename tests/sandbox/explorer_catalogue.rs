//! The explorer, for every documented operation.

use wechatpay_chain::catalogue::{Catalogue, FieldType, Include, OperationKind};
use wechatpay_chain::sandbox::{Sandbox, SignatureVerdict};

use crate::explorer::page_of;
use crate::page::{look, submit_to};
use crate::page_lists::text;
use crate::requests::*;

#[test]
fn every_documented_operation_has_a_page() {
    let sandbox = Sandbox::start().unwrap();
    let mut count = 0;
    for operation in Catalogue::operations() {
        let several = Catalogue::at(operation.template()).len() > 1;
        let query = if several {
            format!("?verb={}&base={}", operation.verb(), operation.base())
        } else {
            String::new()
        };
        let target =
            format!("/endpoints/{}{query}", operation.template().replace('{', "%7B").replace('}', "%7D"));
        let page = look(&sandbox, &target);
        let title = format!("<title>{} {} · ", operation.verb(), operation.template());
        assert!(page.contains(&title), "{target}");
        // A name stands on one input only.
        let mut names: Vec<&str> =
            page.split(" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        names.retain(|name| name.contains('/') && page.contains(&format!("name=\"{name}\"")));
        let total = names.len();
        names.sort_unstable();
        names.dedup();
        // A list's own name stands on its button, too.
        assert!(names.len() + page.matches("name=\"add\"").count() >= total, "{target}");
        count += 1;
    }
    assert_eq!(count, Catalogue::operations().len());
}

#[test]
fn documented_operations_are_sent_as_their_documents_say() {
    let (sandbox, _wx) = start();
    let all: Vec<_> = Catalogue::operations()
        .filter(|operation| !operation.is_v2() && operation.kind() != OperationKind::Upload)
        .collect();
    let step = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 1 } else { 9 };
    for operation in all.iter().step_by(step) {
        let mut fields = vec![("do".to_owned(), "send".to_owned()), ("encrypt".to_owned(), "1".to_owned())];
        for variable in operation.template().split('/').filter_map(|part| part.strip_prefix('{')) {
            fields.push((format!("path/{}", variable.trim_end_matches('}')), "x/1 中".to_owned()));
        }
        for field in operation.query().iter() {
            let value = match field.field_type() {
                FieldType::Integer | FieldType::Number => "1",
                FieldType::Boolean => "true",
                _ => "a b&c",
            };
            fields.push((format!("query/{}", field.name()), value.to_owned()));
        }
        let body = operation.body_skeleton(Include::All);
        if body.is_object() {
            fields[0].1 = "send-json".to_owned();
            fields.push(("json".to_owned(), body.to_string()));
        }
        let query = format!("?lang=en&verb={}&base={}", operation.verb(), operation.base());
        let path = operation.template().replace('{', "%7B").replace('}', "%7D");
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = page_of(submit_to(&sandbox, &format!("/endpoints/{path}{query}"), &fields));
        let name = format!("{} {}", operation.verb(), operation.template());
        assert!(page.contains("id=\"result\""), "{name}: {}", text(&page));
        assert!(!page.contains("did not send it"), "{name}: {}", text(&page));
        let sent = sandbox.requests();
        assert_eq!(sent.len(), 1, "{name}");
        assert_eq!(sent[0].signature, SignatureVerdict::Valid, "{name}");
        let expanded = sent[0].target.split('?').next().unwrap();
        let expanded = expanded.replace("x%2F1%20%E4%B8%AD", "{}");
        let template: String = operation
            .template()
            .split('/')
            .map(|part| if part.starts_with('{') { "/{}".to_owned() } else { format!("/{part}") })
            .collect();
        assert!(expanded.ends_with(&template), "{expanded} is not {template}");
        sandbox.clear_requests();
    }
}
