use serde_json::json;

use super::*;
use crate::sandbox::store::documents::Document;

fn document(number: usize) -> Document {
    Document {
        seq: 0,
        resource_type: "order".into(),
        scope: String::new(),
        merchant_no: number.to_string(),
        platform_id: None,
        parent_id: None,
        state: "NOTPAY".into(),
        settled_at: None,
        changed_at: 0,
        body: json!({ "number": number }),
    }
}

#[test]
fn memory_is_bounded_and_a_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [Database::in_memory().unwrap(), Database::open(&folder.path().join("state")).unwrap()];
    for (store, kept) in stores.iter().zip([false, true]) {
        let there = |number: &str| {
            store.transaction(|documents| documents.by_merchant_no("order", "", number)).unwrap().is_some()
        };
        store
            .transaction(|documents| (0..50_010).try_for_each(|number| documents.save(&mut document(number))))
            .unwrap();
        assert_eq!((there("9"), there("10"), there("50009")), (kept, true, true));
        let file = |id: &str| store.transaction(|documents| documents.file(id)).unwrap().is_some();
        let put = |id: String, bytes: usize| {
            store.transaction(|documents| documents.put_file(&id, "image/png", &vec![0; bytes])).unwrap();
        };
        (0..1_005).for_each(|number| put(number.to_string(), 1));
        assert_eq!((file("4"), file("5")), (kept, true));
    }
    let store = Database::in_memory().unwrap();
    for id in ["a", "b", "c"] {
        store.transaction(|documents| documents.put_file(id, "image/png", &vec![0; 60 << 20])).unwrap();
    }
    let file = |id: &str| store.transaction(|documents| documents.file(id)).unwrap().is_some();
    assert_eq!((file("a"), file("b"), file("c")), (false, true, true));
}

#[test]
fn a_number_is_used_once() {
    let store = Database::in_memory().unwrap();
    let put = || store.transaction(|documents| documents.save(&mut document(1)));
    put().unwrap();
    assert_eq!(put().unwrap_err().code, "SYSTEM_ERROR");
}
