use super::*;
use crate::conformance::{Vectors, texts};

#[test]
fn conformance_request_message() {
    let Some(vectors) = Vectors::of("Formatter.request") else { return };
    let mut compared = 0;
    for vector in vectors.iter() {
        let Some(input) = texts(vector) else { continue };
        let [method, target, timestamp, nonce, body] = input[..] else { panic!("{vector}") };
        let expected = vector["output"].as_str().unwrap();
        assert_eq!(
            String::from_utf8(message(method, target, timestamp, nonce, body.as_bytes())).unwrap(),
            expected
        );
        compared += 1;
    }
    println!("Formatter.request: {compared} compared and equal");
}

#[test]
fn conformance_authorization_header() {
    let Some(vectors) = Vectors::of("Formatter.authorization") else { return };
    let mut compared = 0;
    for vector in vectors.iter() {
        let Some(input) = texts(vector) else { continue };
        let [mchid, nonce, signature, timestamp, serial] = input[..] else { panic!("{vector}") };
        assert_eq!(
            authorization(mchid, nonce, signature, timestamp, serial),
            vector["output"].as_str().unwrap()
        );
        compared += 1;
    }
    println!("Formatter.authorization: {compared} compared and equal");
}
