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

/// The bytes of all pages, also of those without content.
fn size(store: &Database) -> i64 {
    let connection = store.connection.lock().unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    pragma("page_count") * pragma("page_size")
}

#[test]
fn a_full_memory_refuses_new_documents_and_keeps_the_old_ones() {
    const LIMIT: i64 = 2 << 20;
    for bytes in [10, 3_000, 120_000] {
        let store = Database::in_memory_up_to(LIMIT).unwrap();
        let large = |number: usize| Document { body: json!({ "x": "y".repeat(bytes) }), ..document(number) };
        let put = |number: usize| store.transaction(|documents| documents.save(&mut large(number)));
        let stored = (0..1_000_000).find(|number| put(*number).is_err()).unwrap();
        let error = put(stored).unwrap_err();
        assert_eq!((error.status, error.code), (507, "SANDBOX_FULL"));
        assert!(error.message.contains("--state FILE"), "{}", error.message);
        assert!(stored > 8, "{stored} of {bytes} bytes");

        // All of them are there, and can change, up to the reserve.
        let change = |number: usize, body: usize| {
            store.transaction(|documents| {
                let mut found = documents.by_merchant_no("order", "", &number.to_string())?.unwrap();
                found.body = json!({ "x": "z".repeat(body) });
                found.state = "SUCCESS".into();
                documents.save(&mut found)
            })
        };
        for number in 0..stored {
            change(number, bytes).unwrap();
        }
        let refused = (0..stored).find_map(|number| change(number, 200_000).err());
        assert_eq!(refused.map(|error| error.code), Some("SANDBOX_FULL"));
        let unchanged = store.transaction(|documents| {
            let last = documents.by_merchant_no("order", "", &(stored - 1).to_string())?.unwrap();
            Ok((last.state, last.body["x"].as_str().unwrap().len()))
        });
        assert_eq!(unchanged.unwrap(), ("SUCCESS".into(), bytes));
        let file = store.transaction(|documents| documents.put_file("a", "image/png", &[0; 100]));
        assert_eq!(file.unwrap_err().code, "SANDBOX_FULL");
        assert!(size(&store) <= LIMIT + LIMIT / 4, "{}", size(&store));
        // Room again.
        store
            .transaction(|documents| {
                for number in 0..stored {
                    let found = documents.by_merchant_no("order", "", &number.to_string())?.unwrap();
                    documents.delete(&found)?;
                }
                Ok(())
            })
            .unwrap();
        put(stored).unwrap();
    }
}

#[test]
fn uploads_and_bills_are_rings() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [Database::in_memory().unwrap(), Database::open(&folder.path().join("state")).unwrap()];
    for (store, kept) in stores.iter().zip([false, true]) {
        let file = |id: &str| store.transaction(|documents| documents.file(id)).unwrap().is_some();
        let put = |id: String, bytes: usize| {
            store.transaction(|documents| documents.put_file(&id, "image/png", &vec![0; bytes])).unwrap();
        };
        put("bill-first".into(), 1);
        (0..1_005).for_each(|number| put(number.to_string(), 1));
        assert_eq!((file("4"), file("5"), file("bill-first")), (kept, true, true));
        (0..100).for_each(|number| put(format!("bill-{number}"), 1));
        assert_eq!((file("bill-first"), file("bill-0"), file("5")), (false, true, true));
        let why = |id: &str| store.transaction(|documents| Ok(documents.why_no_file(id))).unwrap();
        assert!(why("bill-first").contains("newest 100 bills"), "{}", why("bill-first"));
        assert_eq!(why("4").contains("newest 1000 uploads"), !kept, "{}", why("4"));
    }
    let store = Database::in_memory().unwrap();
    for id in ["a", "b", "c", "bill-a", "bill-b"] {
        store.transaction(|documents| documents.put_file(id, "image/png", &vec![0; 60 << 20])).unwrap();
    }
    let file = |id: &str| store.transaction(|documents| documents.file(id)).unwrap().is_some();
    assert_eq!(["a", "b", "c", "bill-a", "bill-b"].map(file), [false, true, true, false, true]);
}

#[test]
fn too_many_resources_for_a_bill_are_an_error() {
    let store = Database::in_memory().unwrap();
    let large = |number: usize| Document {
        settled_at: Some(5),
        body: json!({ "x": "y".repeat(1 << 20) }),
        ..document(number)
    };
    let day = || store.transaction(|documents| documents.settled_between(&["order"], None, 0, 10));
    for number in 0..63 {
        store.transaction(|documents| documents.save(&mut large(number))).unwrap();
    }
    assert_eq!(day().unwrap().len(), 63);
    store.transaction(|documents| documents.save(&mut large(63))).unwrap();
    assert_eq!(day().unwrap_err().code, "SANDBOX_FULL");
}

#[test]
fn a_number_is_used_once() {
    let store = Database::in_memory().unwrap();
    let put = || store.transaction(|documents| documents.save(&mut document(1)));
    put().unwrap();
    assert_eq!(put().unwrap_err().code, "SYSTEM_ERROR");
}

/// The documents of a bill are in memory together, whatever their types are.
#[test]
fn the_documents_of_a_bill_are_bounded_together() {
    let store = Database::in_memory().unwrap();
    let text = "x".repeat(1 << 20);
    store
        .transaction(|documents| {
            for (number, kind) in ["order", "refund", "share"].iter().cycle().take(66).enumerate() {
                let body = json!({ "x": text });
                let scope = if number < 3 { "1230000109" } else { "" };
                let settled = Document { settled_at: Some(7), body, scope: scope.into(), ..document(number) };
                documents.save(&mut Document { resource_type: (*kind).into(), ..settled })?;
            }
            Ok::<_, ErrorResponse>(())
        })
        .unwrap();
    let bill = |kinds: &[&str], scope: Option<&str>| {
        store.transaction(|documents| documents.settled_between(kinds, scope, 7, 8)).map(|found| found.len())
    };
    assert_eq!(bill(&["order", "refund"], None).unwrap(), 44);
    assert_eq!(bill(&["order", "refund", "share", "other"], None).unwrap_err().code, "SANDBOX_FULL");
    assert_eq!(bill(&["order", "refund", "share"], Some("1230000109")).unwrap(), 3);
    assert_eq!(bill(&["order", "refund", "share"], Some("")).unwrap(), 63);
}
