use serde_json::json;

use super::*;

fn document(number: usize) -> Document {
    Document {
        seq: 0,
        kind: "order".into(),
        scope: String::new(),
        number: number.to_string(),
        own: None,
        parent: None,
        state: "NOTPAY".into(),
        settled: None,
        changed: 0,
        body: json!({ "number": number }),
    }
}

#[test]
fn memory_is_bounded_and_a_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [Store::in_memory().unwrap(), Store::open(&folder.path().join("state")).unwrap()];
    for (store, kept) in stores.iter().zip([false, true]) {
        let there = |number: &str| {
            store.change(|documents| documents.numbered("order", "", number)).unwrap().is_some()
        };
        store
            .change(|documents| (0..50_010).try_for_each(|number| documents.put(&mut document(number))))
            .unwrap();
        assert_eq!((there("9"), there("10"), there("50009")), (kept, true, true));
        let file = |id: &str| store.change(|documents| documents.file(id)).unwrap().is_some();
        let put = |id: String, bytes: usize| {
            store.change(|documents| documents.put_file(&id, "image/png", &vec![0; bytes])).unwrap();
        };
        (0..1_005).for_each(|number| put(number.to_string(), 1));
        assert_eq!((file("4"), file("5")), (kept, true));
    }
    let store = Store::in_memory().unwrap();
    for id in ["a", "b", "c"] {
        store.change(|documents| documents.put_file(id, "image/png", &vec![0; 60 << 20])).unwrap();
    }
    let file = |id: &str| store.change(|documents| documents.file(id)).unwrap().is_some();
    assert_eq!((file("a"), file("b"), file("c")), (false, true, true));
}

#[test]
fn a_number_is_taken_once() {
    let store = Store::in_memory().unwrap();
    let put = || store.change(|documents| documents.put(&mut document(1)));
    put().unwrap();
    assert_eq!(put().unwrap_err().code, "SYSTEM_ERROR");
}
