//! Each fuzz target for some seconds: its seeds, and random changes of them. `fuzz/README.md` says how to run them for
//! hours under libFuzzer.
//!
//! `WECHATPAY_FUZZ_CASES` is the number of changed inputs for each target.

mod targets;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseError, TestRunner};

/// Pieces that parsers treat in a special way.
const PIECES: [&[u8]; 26] = [
    b"\0",
    b"\r\n",
    b"\n",
    b"`",
    b",",
    b"\\n",
    b"\\ ",
    b"{",
    b"}",
    b"[",
    b"\"",
    b"%",
    b"%2F",
    b"../",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x98\x80",
    b"\\ud83d",
    b"null",
    b"-1",
    b"18446744073709551616",
    b"-----BEGIN ",
    b"://",
    b"?",
    b"#",
    b": ",
];

/// A change at a place of the input.
#[derive(Clone, Debug)]
enum Change {
    Flip(u8),
    Insert(Index),
    Remove(u8),
    Repeat(u8),
    /// The rest comes from another seed.
    Splice(Index, Index),
}

fn change() -> impl Strategy<Value = (Index, Change)> {
    let change = prop_oneof![
        any::<u8>().prop_map(Change::Flip),
        any::<Index>().prop_map(Change::Insert),
        any::<u8>().prop_map(Change::Remove),
        any::<u8>().prop_map(Change::Repeat),
        (any::<Index>(), any::<Index>()).prop_map(|(seed, at)| Change::Splice(seed, at)),
    ];
    (any::<Index>(), change)
}

fn apply(input: &mut Vec<u8>, (at, change): &(Index, Change), seeds: &[Vec<u8>]) {
    let at = at.index(input.len() + 1);
    let end = |length: u8| (at + usize::from(length)).min(input.len());
    match change {
        Change::Flip(bits) => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= bits;
            }
        }
        Change::Insert(piece) => {
            input.splice(at..at, piece.get(&PIECES).iter().copied());
        }
        Change::Remove(length) => {
            let end = end(*length);
            input.drain(at..end);
        }
        Change::Repeat(length) => {
            let piece = input[at..end(*length)].to_vec();
            input.splice(at..at, piece);
        }
        Change::Splice(seed, from) => {
            let seed = seed.get(seeds);
            input.truncate(at);
            input.extend_from_slice(&seed[from.index(seed.len() + 1)..]);
        }
    }
}

/// The seeds as they are, then changed ones.
fn smoke(name: &str, cases: u32, target: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/client/fuzz/corpus").join(name);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(seeds.len() >= 5, "{name} has too few seeds");
    seeds.iter().for_each(|seed| target(seed));
    let cases = std::env::var("WECHATPAY_FUZZ_CASES").map_or(cases, |cases| cases.parse().unwrap());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (any::<Index>(), vec(change(), 1..6));
    let result = TestRunner::new(config).run(&strategy, |(seed, changes)| {
        let mut input = seed.get(&seeds).clone();
        changes.iter().for_each(|change| apply(&mut input, change, &seeds));
        let run = panic::catch_unwind(AssertUnwindSafe(|| target(&input)));
        run.map_err(|_| TestCaseError::fail(format!("panics for {:?}", String::from_utf8_lossy(&input))))
    });
    if let Err(failure) = result {
        panic!("{name}: {failure}");
    }
}

/// Each target of `fuzz/` has seeds, runs here, and runs the same function in both places. A package of the library has
/// no `fuzz/`.
#[test]
fn every_target_has_seeds_and_runs_here() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: PathBuf| {
        let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> =
            names.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
        names.retain(|name| !name.starts_with('.') && !["mod", "common"].contains(&name.as_str()));
        names.sort();
        names
    };
    let targets = names(root.join("tests/client/fuzz/targets"));
    assert!(targets.len() >= 6, "{targets:?}");
    assert_eq!(names(root.join("tests/client/fuzz/corpus")), targets, "folders of seeds");
    let smoked: std::collections::BTreeSet<_> = include_str!("mod.rs")
        .split("smoke(\"")
        .filter_map(|call| {
            let (name, arguments) = call.split_once("\", ")?;
            arguments.contains(&format!("targets::{name}::run")).then(|| name.to_owned())
        })
        .collect();
    assert_eq!(smoked.into_iter().collect::<Vec<_>>(), targets, "functions that run here");
    let fuzz = root.join("fuzz");
    if !fuzz.exists() {
        return;
    }
    assert_eq!(names(fuzz.join("fuzz_targets")), targets, "files of cargo-fuzz");
    assert!(fuzz.join("corpus").canonicalize().unwrap().ends_with("tests/client/fuzz/corpus"));
    let [manifest, readme] =
        ["Cargo.toml", "README.md"].map(|name| std::fs::read_to_string(fuzz.join(name)).unwrap());
    for name in targets {
        let code = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(code.contains(&format!("targets::{name}::run(data)")), "{name} runs something else");
        let bin = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&bin) && readme.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// The targets' clients do accept what is genuine.
#[cfg(feature = "bill")]
#[test]
fn the_genuine_seeds_are_accepted() {
    use targets::{notification, response_headers_and_body as responses};
    assert!(notification::accepts(include_bytes!("corpus/notification/genuine")));
    assert!(notification::accepts(include_bytes!("corpus/notification/lower-case-headers")));
    assert!(!notification::accepts(include_bytes!("corpus/notification/probe")));
    assert!(responses::accepts(include_bytes!("corpus/response_headers_and_body/genuine")));
    assert!(responses::accepts(include_bytes!("corpus/response_headers_and_body/genuine-download")));
    assert!(responses::accepts(include_bytes!("corpus/response_headers_and_body/chunked")));
    assert!(responses::accepts(include_bytes!("corpus/response_headers_and_body/no-content")));
    assert!(!responses::accepts(include_bytes!("corpus/response_headers_and_body/short-body")));
}

#[test]
fn paths_and_variables() {
    smoke("paths_and_variables", 1_000, targets::paths_and_variables::run);
}

#[test]
fn options_and_factory() {
    smoke("options_and_factory", 2_000, targets::options_and_factory::run);
}

#[test]
fn key_text() {
    smoke("key_text", 500, targets::key_text::run);
}

#[test]
fn notification() {
    smoke("notification", 5_000, targets::notification::run);
}

#[cfg(feature = "bill")]
#[test]
fn response_headers_and_body() {
    smoke("response_headers_and_body", 1_000, targets::response_headers_and_body::run);
}

#[cfg(feature = "bill")]
#[test]
fn bill_rows() {
    smoke("bill_rows", 20_000, targets::bill_rows::run);
}
