use super::*;

#[test]
fn a_body_is_cut_between_characters_and_marked() {
    assert_eq!(body_json(b"{}", 2), json!({ "body": "{}", "body_length": 2, "body_cut": false }));
    assert_eq!(body_json(b"", 0), json!({ "body": "", "body_length": 0, "body_cut": false }));
    assert_eq!(body_json(b"\xff\xd8", 2), json!({ "body": null, "body_length": 2, "body_cut": true }));
    // A character that the sender cut is not text.
    assert_eq!(body_json(b"a\xe4\xb8", 2)["body"], Value::Null);
    let long = "中".repeat(MAX_SHOWN);
    let json = body_json(long.as_bytes(), long.len());
    assert_eq!(json["body"].as_str().unwrap().len(), MAX_SHOWN - MAX_SHOWN % 3);
    assert_eq!((&json["body_length"], &json["body_cut"]), (&json!(3 * MAX_SHOWN), &json!(true)));
}

#[test]
fn a_large_response_is_kept_in_part() {
    let body = Bytes::from(vec![b'x'; MAX_RESPONSE_BODY + 1]);
    let response = RecordedResponse::new(StatusCode::OK, HeaderMap::new(), &body);
    assert_eq!((response.body.len(), response.body_length), (MAX_RESPONSE_BODY, body.len()));
}
