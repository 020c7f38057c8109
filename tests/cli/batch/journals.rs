//! Journals that were changed on the disk: bytes flipped, lines lost, doubled, swapped, cut. Whatever is left of one, the
//! program does not panic, sends no call again that a whole line of the journal knows, and loses none.
//!
//! `WECHATPAY_JOURNALS` is the number of journals.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{BatchEnv, name};

const CALLS: usize = 7;

struct Random(u64);

impl Random {
    /// Xorshift (Marsaglia 2003).
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn change(journal: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<Vec<u8>> =
        journal.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (line, other) = (random.below(lines.len()), random.below(lines.len()));
    let at = random.below(journal.len());
    match random.below(12) {
        0 | 1 => journal[at] ^= 1 << random.below(8),
        2 => journal[at] = b"\0\n\"{}[],:0a9 \xff"[random.below(14)],
        3 => journal.insert(at, b"\0\n\"{}[],:0a9 \xff"[random.below(14)]),
        4 => journal.truncate(at),
        5 => {
            let end = (at + random.below(300)).min(journal.len());
            journal.drain(at..end);
        }
        6 => {
            let end = (at + random.below(300)).min(journal.len());
            let zeros = vec![0; end - at];
            journal.splice(at..end, zeros);
        }
        kind => {
            match kind {
                7 => drop(lines.remove(line)),
                8 => lines.insert(other, lines[line].clone()),
                9 => lines.swap(line, other),
                10 => lines.push(lines[line].clone()),
                _ => lines.rotate_left(line),
            }
            *journal = lines.concat();
        }
    }
}

/// What the whole lines of a journal say about the calls: the numbers that belong to an id are those of the genuine
/// journal, so a line whose id or digest was changed counts for nothing.
fn known(journal: &[u8], digests: &BTreeMap<String, Value>) -> BTreeMap<String, &'static str> {
    let mut known = BTreeMap::new();
    for line in journal.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        // A member that nobody reads may hold any bytes.
        let Ok(record) = serde_json::from_str::<Value>(&String::from_utf8_lossy(line)) else { continue };
        let (id, state) = match (&record["id"], &record["sent"], record["outcome"].as_str()) {
            (id, Value::Null, Some("ok" | "refused")) => (name(id), "answered"),
            (Value::Null, id, None) => (name(id), "sent"),
            _ => continue,
        };
        // A hex number, in either case.
        let number =
            |digest: &Value| digest.as_str().map(|text| text.trim_start_matches('0').to_ascii_lowercase());
        if digests.get(&id).is_some_and(|digest| number(digest) == number(&record["digest"]))
            && known.get(&id) != Some(&"answered")
        {
            known.insert(id, state);
        }
    }
    known
}

#[test]
fn a_changed_journal_sends_nothing_again_and_loses_nothing() {
    let journals = std::env::var("WECHATPAY_JOURNALS").map_or(60, |journals| journals.parse().unwrap());
    let env = BatchEnv::new();
    env.calls("POST", (0..CALLS).map(|id| id.to_string()));
    env.run(&["calls.jsonl", "-j1"]).is(0, &format!("{CALLS} ok"));
    // One call was refused, the outcome of one is unknown, one was never sent.
    let whole: Vec<String> =
        env.read("calls.results.jsonl").lines().map(|line| format!("{line}\n")).collect();
    let digest_of = |line: &String| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["id"].is_string().then(|| (name(&record["id"]), record["digest"].clone()))
    };
    let digests: BTreeMap<String, Value> = whole.iter().filter_map(digest_of).collect();
    assert_eq!((whole.len(), digests.len()), (1 + 2 * CALLS, CALLS));
    let mut lines = whole[..1 + 2 * CALLS - 3].to_vec();
    lines[8] = lines[8].replace("\"outcome\":\"ok\"", "\"outcome\":\"refused\"");
    let genuine = lines.concat();
    assert_eq!(known(genuine.as_bytes(), &digests)["5"], "sent");
    assert!(genuine.contains("refused") && !known(genuine.as_bytes(), &digests).contains_key("6"));

    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut random = Random(seed | 1);
    let (mut read, mut refused, mut sent_again) = (0, 0, 0);
    for attempt in 0..=journals {
        let mut journal = genuine.clone().into_bytes();
        for _ in 0..if attempt == 0 { 0 } else { 1 + random.below(3) } {
            if !journal.is_empty() {
                change(&mut journal, &mut random);
            }
        }
        env.write("calls.results.jsonl", &journal);
        env.sandbox.clear_requests();
        let done = env.run(&["calls.jsonl", "--resume", "-j3"]);
        let (known, seen) = (known(&journal, &digests), env.seen());
        let shown = || format!("{}\n{done:?}\nsent: {seen:?}", String::from_utf8_lossy(&journal));
        assert!(!done.err.contains("panicked"), "{}", shown());
        match done.code {
            Some(0 | 2 | 3 | 5) => read += 1,
            Some(1) => {
                refused += 1;
                assert!(
                    seen.is_empty() && std::fs::read(env.path("calls.results.jsonl")).unwrap() == journal,
                    "{}",
                    shown()
                );
                continue;
            }
            _ => panic!("{}", shown()),
        }
        for (id, times) in &seen {
            assert!(*times == 1 && !known.contains_key(id), "call {id}: {}", shown());
        }
        sent_again += usize::from(seen.len() > 1);
        // Each call was sent now, or the journal knows it.
        for id in digests.keys() {
            assert!(seen.contains_key(id) || known.contains_key(id), "call {id} is lost: {}", shown());
        }
        let count = |state| known.values().filter(|known| **known == state).count();
        let unknown = format!("{} unknown", count("sent"));
        assert!(done.err.contains(&unknown), "{unknown}: {}", shown());
        // The journal tells the same story to the next run, which has nothing to do.
        env.sandbox.clear_requests();
        let next = env.run(&["calls.jsonl", "--resume"]);
        assert!(env.seen().is_empty() && next.code == done.code, "{next:?}: {}", shown());
    }
    println!(
        "{read} journals read, {refused} refused, {sent_again} had lost lines of calls that were answered"
    );
    assert!(read > journals / 10 && refused > journals / 10);
}
