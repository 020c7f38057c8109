use super::*;
use crate::vectors::{Vectors, texts};

#[test]
fn the_message_equals_phps() {
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
fn the_header_equals_phps() {
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

#[test]
fn a_nonce_is_32_characters_of_62_and_never_the_same() {
    let mut seen = std::collections::HashSet::new();
    let mut characters = std::collections::HashSet::new();
    for _ in 0..2_000 {
        let nonce = nonce().unwrap();
        assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_alphanumeric()), "{nonce}");
        characters.extend(nonce.bytes());
        assert!(seen.insert(nonce));
    }
    assert_eq!(characters.len(), 62);
}

#[test]
fn a_call_leaves_its_thread_only_when_it_shares_it() {
    let load = Load::default();
    // Alone, and outside any runtime.
    assert!(!InFlight::new(&load).shares_its_thread());
    let one_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let many_threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for runtime in [&one_thread, &many_threads] {
        let _in_runtime = runtime.enter();
        let first = InFlight::new(&load);
        assert!(!first.shares_its_thread());
        assert!(InFlight::new(&load).shares_its_thread(), "two in one task");
        drop(first);
        assert!(!InFlight::new(&load).shares_its_thread());
    }
    assert!(load.lock().is_empty());
}

#[test]
fn two_tasks_share_a_thread_on_a_current_thread_runtime_only() {
    static LOAD: std::sync::LazyLock<Load> = std::sync::LazyLock::new(Load::default);
    for (flavor, shared) in [("current", true), ("multi", false)] {
        let mut builder = match flavor {
            "current" => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        builder.build().unwrap().block_on(async {
            let (held, holds) = tokio::sync::oneshot::channel();
            let (release, released) = tokio::sync::oneshot::channel::<()>();
            let first = task::spawn(async move {
                let _call = InFlight::new(&LOAD);
                held.send(()).unwrap();
                released.await.unwrap();
            });
            holds.await.unwrap();
            let second = task::spawn(async { InFlight::new(&LOAD).shares_its_thread() });
            assert_eq!(second.await.unwrap(), shared, "{flavor}");
            release.send(()).unwrap();
            first.await.unwrap();
        });
    }
}
