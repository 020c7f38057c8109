//! Every documented operation of APIv3, filled from its own fields: the sandbox accepts it, and responds in the
//! documented shape. What is left out is named. The values are made here, and the response is compared here.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wechatpay_chain::catalogue::{
    Catalogue, EncryptedFor, Field, FieldType, Fields, Operation, OperationKind,
};
use wechatpay_chain::sandbox::{EndpointKind, Sandbox, Seen};
use wechatpay_chain::{Error, WeChatPay};

use crate::documented_call::Call;
use crate::support::sandbox_builder;

/// The kind of a request, and its hints.
type Last = (EndpointKind, Vec<String>);

/// A sandbox, and the last request that it saw: its kind and its hints.
struct Platform {
    sandbox: Sandbox,
    wx: WeChatPay,
    last: Arc<Mutex<Option<Last>>>,
}

impl Platform {
    fn start(strict: bool) -> Platform {
        let last = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&last);
        let sandbox = sandbox_builder().strict(strict).seed(7).watch(move |event| {
            if let Seen::Request(request) = event {
                *seen.lock().unwrap() = Some((request.endpoint, request.hints()));
            }
        });
        let sandbox = sandbox.start().unwrap();
        Platform { wx: sandbox.client().unwrap(), sandbox, last }
    }

    fn last(&self) -> Last {
        self.last.lock().unwrap().clone().unwrap()
    }
}

fn operations() -> Vec<Operation> {
    Catalogue::operations().filter(|operation| !operation.is_v2()).collect()
}

/// The first field of this shape that a response does not have so.
fn wrong(wx: &WeChatPay, fields: Fields, value: &Value, at: &str) -> Option<String> {
    let Some(members) = value.as_object() else { return Some(format!("{at} is no object: {value}")) };
    fields.iter().filter(|field| field.is_listed()).find_map(|field| {
        let at = format!("{at}/{}", field.name());
        match members.get(field.name()) {
            None => field.is_required().then(|| format!("{at} is missing")),
            Some(Value::Array(list)) if field.is_list() => {
                list.iter().find_map(|value| wrong_single(wx, field, value, &at))
            }
            Some(other) if field.is_list() => Some(format!("{at} is no list: {other}")),
            Some(value) => wrong_single(wx, field, value, &at),
        }
    })
}

fn wrong_single(wx: &WeChatPay, field: Field, value: &Value, at: &str) -> Option<String> {
    let fits = match field.field_type() {
        FieldType::Object => return wrong(wx, field.fields(), value, at),
        FieldType::Integer => value.is_i64() || value.is_u64(),
        FieldType::Number => value.is_number(),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Json => {
            let json = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            return json.is_none().then(|| format!("{at} is no JSON: {value}"));
        }
        _ if field.encrypted_for() == Some(EncryptedFor::Merchant) => {
            value.as_str().is_some_and(|text| wx.decrypt(text).is_ok())
        }
        _ => value.is_string(),
    };
    (!fits).then(|| format!("{at} is not of the type {}: {value}", field.type_name()))
}

/// Runs this for every operation, on every core.
fn for_each(strict: bool, work: impl Fn(&Platform, Operation) -> Vec<String> + Sync) {
    let all = operations();
    assert!(all.len() >= 1_020, "{}", all.len());
    let found: Vec<String> = std::thread::scope(|scope| {
        let work = &work;
        let parts = all.chunks(all.len().div_ceil(2)).map(|part| {
            scope.spawn(move || {
                let platform = Platform::start(strict);
                part.iter().flat_map(|operation| work(&platform, *operation)).collect::<Vec<_>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{} problems:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_operation_is_accepted_and_answered_in_its_shape() {
    for_each(false, |platform, operation| {
        let name = format!("{} {}", operation.verb(), operation.template());
        let mut call = Call::new(&platform.wx, operation);
        if let Some(id) = call.path.get_mut("media_id") {
            let upload = Catalogue::find("POST", "v3/merchant-service/images/upload").unwrap();
            let uploaded = Call::new(&platform.wx, upload).request(&platform.wx).wait().unwrap();
            *id = uploaded.data()["media_id"].clone();
        }
        if operation.verb() == "GET" {
            // Of a flow: the documents describe what is paid.
            let _ = platform.sandbox.pay("44444444");
        }
        let result = call.request(&platform.wx).wait();
        let (kind, hints) = platform.last();
        let problem = match (result, kind) {
            (Ok(response), _) => {
                let status = response.status();
                let shaped = response.header("Sandbox-Answer") == Some("shaped");
                let is_download = operation.kind() == OperationKind::Download;
                if !operation.statuses().any(|documented| documented == status) {
                    Some(format!("status {status}"))
                } else if (kind == EndpointKind::Shaped && !is_download) != shaped {
                    Some(format!("{kind:?}, but header {shaped}"))
                } else if operation.response().is_empty() {
                    None
                } else {
                    wrong(&platform.wx, operation.response(), response.data(), "")
                }
            }
            // A flow: there is no order, no refund … with these numbers.
            (Err(Error::Api(error)), EndpointKind::Modelled) if error.code != "PARAM_ERROR" => None,
            (Err(error), _) => Some(error.to_string()),
        };
        let hints = hints.iter().map(|hint| format!("{name}: hint {hint}"));
        hints
            .filter(|hint| !hint.contains("this operation"))
            .chain(problem.map(|problem| format!("{name}: {problem}")))
            .collect()
    });
}

/// The fields of a place that are required, each with its pointer and whether it is at the top level.
fn required(fields: Fields, at: &str, found: &mut Vec<String>) {
    for field in fields.iter().filter(|field| field.is_listed() && !field.is_automatic()) {
        let own = format!("{at}/{}", field.name());
        if field.is_required() {
            found.push(own.clone());
        }
        required(field.fields(), &format!("{own}{}", if field.is_list() { "/0" } else { "" }), found);
    }
}

/// Sends a call without a field. What is wrong with the outcome; `None` if the field is named.
fn left_out(platform: &Platform, call: &Call, location: &str, field: &str, strict: bool) -> Option<String> {
    let result = call.request(&platform.wx).wait();
    let name = format!("{} {}: without {field}", call.operation.verb(), call.operation.template());
    let (_, hints) = platform.last();
    let named = field.trim_start_matches('/');
    let is_top = !named.contains('/');
    match result {
        Err(Error::Api(error)) if is_top || strict => {
            let is_named = error.detail["field"] == field && error.detail["location"] == location;
            (error.code != "PARAM_ERROR" || !is_named).then(|| format!("{name}: {error} {}", error.detail))
        }
        Ok(_) | Err(Error::Api(_)) if !is_top => {
            let told = hints.iter().any(|hint| hint.contains(&format!("`{field}`: it is required")));
            (!told).then(|| format!("{name}: hints {hints:?}"))
        }
        Ok(_) => Some(format!("{name}: accepted")),
        Err(error) => Some(format!("{name}: {error}")),
    }
}

fn every_field_left_out(strict: bool) {
    for_each(strict, |platform, operation| {
        let whole = Call::new(&platform.wx, operation);
        let either: Vec<(&str, &str)> = (operation.either_or())
            .flat_map(|group| group.names().map(move |name| (group.place(), name)))
            .collect();
        let mut problems = Vec::new();
        for field in operation.query().iter().filter(|field| field.is_required() && field.is_listed()) {
            let mut call = whole.clone();
            call.query.remove(field.name());
            problems.extend(left_out(platform, &call, "query", field.name(), strict));
        }
        let upload = operation.form().get("meta");
        let mut pointers = Vec::new();
        required(upload.map_or(operation.body(), |meta| meta.fields()), "", &mut pointers);
        for pointer in pointers {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            if either.iter().any(|(_, one)| *one == name) {
                continue;
            }
            let mut call = whole.clone();
            let object = call.body.pointer_mut(parent).and_then(Value::as_object_mut);
            // Within a text of JSON.
            let Some(object) = object else { continue };
            object.remove(name);
            let inside = format!("{pointer}/");
            call.encrypted.retain(|other| *other != pointer && !other.starts_with(&inside));
            problems.extend(left_out(platform, &call, "body", &pointer, strict));
        }
        problems
    });
}

#[test]
fn each_required_field_that_is_left_out_is_named() {
    every_field_left_out(false);
}

#[test]
fn a_strict_sandbox_refuses_what_others_tell() {
    every_field_left_out(true);
}

#[test]
fn what_differs_is_refused_or_told_by_how_sure_it_is() {
    let platform = Platform::start(false);
    let wx = &platform.wx;
    let path = "v3/marketing/favor/coupon-stocks";
    let operation = Catalogue::find("POST", path).unwrap();
    let whole = Call::new(wx, operation);
    let with = |pointer: &str, value: Value| {
        let mut call = whole.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        call.body.pointer_mut(parent).unwrap()[name] = value;
        call.request(wx).wait()
    };
    for (pointer, value) in [
        ("/stock_name", json!(7)),
        ("/stock_name", Value::Null),
        ("/stock_use_rule", json!([])),
        ("/stock_use_rule/max_coupons", json!("100")),
        ("/stock_use_rule/max_coupons", json!(1.5)),
        ("/no_cash", json!("true")),
    ] {
        let Err(Error::Api(error)) = with(pointer, value.clone()) else { panic!("{pointer} {value}") };
        assert_eq!((error.status, error.code.as_str()), (400, "PARAM_ERROR"), "{error}");
        assert_eq!(error.detail["field"], pointer);
        // The platform's language.
        assert!(error.message.contains('字'), "{error}");
    }
    for (pointer, value, hint) in [
        ("/stock_nane", json!("x"), "did you mean `stock_name`"),
        ("/stock_use_rule/unknown", json!("x"), "no document has the field `/stock_use_rule/unknown`"),
        ("/stock_type", json!("OTHER"), "another value than the documented"),
    ] {
        assert!(with(pointer, value).is_ok());
        let (kind, hints) = platform.last();
        assert_eq!(kind, EndpointKind::Shaped);
        assert!(hints.len() == 1 && hints[0].contains(hint), "{hints:?}");
    }

    // Less than half of what must be there: the request tries the path.
    let few = |platform: &Platform| {
        platform.wx["v3/applyment4sub/applyment/"].post_sync(json!({"business_code": "1"}))
    };
    assert!(few(&platform).is_ok());
    let (kind, hints) = platform.last();
    assert_eq!(kind, EndpointKind::Shaped);
    assert!(hints.iter().any(|hint| hint.contains("contact_info")), "{hints:?}");

    let strict = Platform::start(true);
    assert!(few(&strict).is_err());
    let mut call = whole.clone();
    call.body["stock_nane"] = json!("x");
    let Err(Error::Api(error)) = call.request(&strict.wx).wait() else { panic!("accepted") };
    assert!(error.message.contains("未在API文档中定义") && error.detail["field"] == "/stock_nane", "{error}");
    let Err(Error::Api(error)) = strict.wx["v3/marketing/favor/coupon-stock"].post_sync(json!({})) else {
        panic!()
    };
    assert!(error.status == 404 && error.message.contains("`v3/marketing/favor/coupon-stocks`"), "{error}");
}

#[test]
fn a_query_returns_what_was_created() {
    let platform = Platform::start(false);
    let wx = &platform.wx;
    let path = "v3/marketing/busifavor/stocks";
    let mut create = Call::new(wx, Catalogue::find("POST", path).unwrap());
    create.body["stock_name"] = json!("八月一日活动券");
    let created = create.request(wx).wait().unwrap().into_data();
    let id = created["stock_id"].as_str().unwrap();
    let query =
        |id: &str| wx.chain("v3/marketing/busifavor/stocks/{stock_id}").get().var("stock_id", id).wait();
    let found = query(id).unwrap().into_data();
    assert_eq!((&found["stock_name"], &found["stock_id"]), (&json!("八月一日活动券"), &json!(id)));
    // Times stay those of the creation; a repeat changes nothing.
    assert_eq!(query(id).unwrap().into_data(), found);
    assert_eq!(create.request(wx).wait().unwrap().into_data(), created);
    assert_ne!(query("1212121212").unwrap().data()["stock_name"], "八月一日活动券");

    let mut change =
        Call::new(wx, Catalogue::find("PATCH", "v3/marketing/busifavor/stocks/{stock_id}").unwrap());
    change.path.insert("stock_id".into(), json!(id));
    change.body["stock_name"] = json!("九月");
    change.request(wx).wait().unwrap();
    assert_eq!(query(id).unwrap().data()["stock_name"], "九月");
}

#[test]
fn values_depend_on_the_seed_and_the_request_only() {
    let answer = |seed: u64, name: &str| {
        let sandbox = sandbox_builder().seed(seed).start().unwrap();
        let wx = sandbox.client().unwrap();
        let mut call = Call::new(&wx, Catalogue::find("POST", "v3/marketing/busifavor/stocks").unwrap());
        call.body["stock_name"] = json!(name);
        call.request(&wx).wait().unwrap().data()["stock_id"].clone()
    };
    assert_eq!(answer(1, "a"), answer(1, "a"));
    assert_ne!(answer(1, "a"), answer(2, "a"));
    assert_ne!(answer(1, "a"), answer(1, "b"));
}
