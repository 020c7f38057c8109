//! What merchants ask finds what they mean.

use super::words::TRADITIONAL;
use super::*;
use crate::catalogue::Catalogue;

/// `QUERY = VERB TEMPLATE; VERB TEMPLATE …`: any of these is meant.
const QUERIES: &str = include_str!("queries.txt");
/// The same, kept out of all tuning: what is not found here is not to be mended by a line made for it.
const HELD_OUT: &str = include_str!("held_out.txt");

/// The same, of another person.
const ASKED: &str = include_str!("asked.txt");

fn templates(words: &str, search: &Search) -> Vec<String> {
    let found = Catalogue::search(words, search).into_iter().map(|found| found.operation());
    found.map(|operation| format!("{} {}", operation.verb(), operation.template())).collect()
}

/// Queries whose operation is not among the first five, of how many.
fn missed(queries: &str) -> (Vec<&str>, usize) {
    let lines: Vec<&str> =
        queries.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let misses = lines.iter().filter(|line| {
        let (query, wanted) = line.split_once(" = ").unwrap();
        let wanted: Vec<&str> = wanted.split("; ").collect();
        for wanted in &wanted {
            let (verb, template) = wanted.split_once(' ').unwrap();
            let known = Catalogue::find(verb, template).map(|operation| operation.template());
            assert_eq!(known, Some(template), "{query}");
        }
        !templates(query, &Search::default()).iter().take(5).any(|found| wanted.contains(&found.as_str()))
    });
    (misses.copied().collect(), lines.len())
}

#[test]
fn what_merchants_ask_is_among_the_first_five() {
    let (first, more) = QUERIES.split_once("\n# ").unwrap();
    let (misses, all) = missed(first);
    assert_eq!(all, 40);
    assert!(misses.len() <= 1, "{misses:#?}");
    let (misses, all) = missed(more.split_once('\n').unwrap().1);
    assert!(misses.len() * 20 <= all, "{} of {all}: {misses:#?}", misses.len());
}

#[test]
fn queries_that_nobody_tuned_for_are_found_too() {
    let (misses, all) = missed(HELD_OUT);
    assert!(all > 100, "{all}");
    assert!(misses.len() * 10 <= all, "{} of {all} missed", misses.len());
}

#[test]
fn what_another_person_asks_is_found_too() {
    let (misses, all) = missed(ASKED);
    assert_eq!(all, 240);
    assert!(misses.len() * 100 <= all * 4, "{misses:#?}");
}

#[test]
fn no_synonym_is_dead_or_said_twice() {
    let mut all = HashSet::new();
    let mut wrong = Vec::new();
    for line in SYNONYMS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (said, documented) = line.split_once('>').expect(line);
        assert!(!said.trim().is_empty(), "{line}");
        for word in said.split_whitespace() {
            if units(word).is_empty() || !all.insert(units(word)) {
                wrong.push(format!("{word} stands twice"));
            }
        }
        for words in documented.split_whitespace() {
            let numbers: Option<Words> =
                terms(words).iter().map(|term| INDEX.terms.get(term).copied()).collect();
            let has = |term: &usize| -> HashSet<u16> {
                INDEX.postings[*term].iter().map(|(number, _)| *number).collect()
            };
            let together = numbers.unwrap_or_default().iter().map(has).reduce(|all, one| &all & &one);
            if together.is_none_or(|found| found.is_empty()) {
                wrong.push(format!("{words} finds nothing: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(all.len() > 500, "{}", all.len());
}

#[test]
fn traditional_characters_stand_in_pairs() {
    let letters: Vec<char> = TRADITIONAL.chars().filter(|letter| !letter.is_whitespace()).collect();
    assert_eq!(TRADITIONAL.chars().count(), letters.len());
    assert_eq!(letters.len() % 2, 0);
    let traditional: HashSet<&char> = letters.iter().step_by(2).collect();
    assert_eq!(traditional.len(), letters.len() / 2, "one stands twice");
    let of = |words| templates(words, &Search::default());
    assert_eq!(of("申請退款 帳單"), of("申请退款 账单"));
}

#[test]
fn spelling_case_and_slips_do_not_matter() {
    let of = |words| templates(words, &Search::default());
    let refund = "POST v3/refund/domestic/refunds";
    for words in ["退款", "refund", "Refunds", "REFUND", "refnud", "reffund", "refumd", "apply for a refund"]
    {
        assert_eq!(of(words).first().map(String::as_str), Some(refund), "{words}");
    }
    assert_eq!(of("closeOrder"), of("close order"));
    assert_eq!(of("close_order"), of("close-order"));
    assert_ne!(of("refund"), of("fund"));
}

#[test]
fn a_search_can_be_narrowed() {
    let narrowed = |verb: Option<&str>, mode: Option<&str>, v2| {
        let mut search = Search { v2, ..Search::default() };
        search = verb.into_iter().fold(search, Search::verb);
        search = mode.into_iter().fold(search, Search::mode);
        let found = Catalogue::search("退款", &search);
        assert!(!found.is_empty(), "{search:?}");
        found.into_iter().map(|found| found.operation()).collect::<Vec<_>>()
    };
    assert!(narrowed(Some("get"), None, None).iter().all(|operation| operation.verb() == "GET"));
    assert!(narrowed(None, Some("partner"), None).iter().all(|o| o.modes().any(|mode| mode == "partner")));
    assert!(narrowed(None, None, Some(true)).iter().all(|operation| operation.is_v2()));
    assert!(narrowed(None, None, Some(false)).iter().all(|operation| !operation.is_v2()));
    assert_eq!(narrowed(Some("POST"), Some("merchant"), Some(true))[0].template(), "v2/secapi/pay/refund");
}

#[test]
fn a_path_or_a_title_finds_its_operation() {
    let of = |words: &str| templates(words, &Search::default());
    assert_eq!(
        of("v3/fund-app/mch-transfer/elecsign/out-bill-no")[0],
        "POST v3/fund-app/mch-transfer/elecsign/out-bill-no"
    );
    // All titles but those of withdrawn operations, and of those that share one.
    let (mut all, mut found) = (0, 0);
    for operation in Catalogue::operations() {
        let is_current = operation.availability() == Availability::Current;
        let same = Catalogue::operations().filter(|other| other.title() == operation.title()).count();
        if is_current && same == 1 {
            all += 1;
            let own = format!("{} {}", operation.verb(), operation.template());
            found += usize::from(of(operation.title()).iter().take(5).any(|other| *other == own));
        }
    }
    assert!(all > 500 && found * 100 >= all * 97, "{found} of {all}");
}

#[test]
fn withdrawn_operations_come_last() {
    for words in ["投诉", "裂变红包", "充电 代扣", "查询投诉详情"] {
        let withdrawn =
            |found: &Found| matches!(found.operation().availability(), Availability::Withdrawn(_));
        let found = Catalogue::search(words, &Search::default());
        assert!(found.iter().any(withdrawn), "{words}");
        assert!(found.iter().skip_while(|found| !withdrawn(found)).all(withdrawn), "{words}");
        let scores: Vec<f64> = found.iter().map(Found::score).collect();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    }
}

#[test]
fn nonsense_finds_nothing_and_a_long_query_is_cut() {
    for words in ["", " ", "?!", "xqzzvk", "龘龘龘", "_", "\u{0}", "🙂🙂", "a", "的"] {
        assert!(Catalogue::search(words, &Search::default()).is_empty(), "{words:?}");
    }
    let long = "退款 refund 查询 ".repeat(100_000);
    let cut: String = long.chars().take(MOST_LETTERS).collect();
    assert_eq!(templates(&long, &Search::default()), templates(&cut, &Search::default()));
    let other = "refundd xyzab ".repeat(10_000);
    assert!(!Catalogue::search(&other, &Search::default()).is_empty());
}
