//! Finds operations by words.
//!
//! A query is cut into *concepts*: the longest words that `data/synonyms.txt` knows, each with the words of the documents
//! that say the same, and what is left, word by word (Chinese: pair by pair). An operation gains from a concept by where its
//! words stand (title, path, group, field) and how rare they are.
//!
//! # How to add a synonym
//!
//! `data/synonyms.txt` has a line `SAID SAID > DOCUMENTED DOCUMENTED`. Append what people say before the `>` of the line that
//! means it, or write a new one. Words after the `>` must occur in the catalogue; the first is the best. `_` joins words:
//! `mini_program`. Then write the query, and the operations that it should find, into `search/queries.txt`; a test reads both.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::fields::Fields;
use super::index;
use super::operation::{Availability, Operation};

#[cfg(test)]
mod tests;
mod words;

use words::{is_one_slip, joined, terms, units};

/// Narrows a search; by default it finds everything.
///
/// ```
/// use wechatpay_chain::catalogue::{Catalogue, Search};
///
/// let search = Search::default().verb("POST").mode("partner").v2(false);
/// let found = Catalogue::search("refund", &search);
/// assert_eq!(found[0].operation().template(), "v3/refund/domestic/refunds");
/// assert!(found.iter().all(|found| found.operation().verb() == "POST"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Search {
    verb: Option<String>,
    mode: Option<String>,
    v2: Option<bool>,
}

/// An operation that a search found.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    operation: Operation,
    score: f64,
}

impl Found {
    /// The operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// How well it fits: 1 for the best of the list.
    pub fn score(&self) -> f64 {
        self.score
    }
}

/// What people say, and what the documents say.
const SYNONYMS: &str = include_str!("data/synonyms.txt");

/// Where a word stands, and what that counts.
const TITLE: f32 = 4.0;
const OTHER_TITLE: f32 = 2.8;
const PATH: f32 = 3.6;
const TAG: f32 = 2.0;
const FIELD: f32 = 0.4;

/// The query as it stands, beside its concepts.
const LITERAL: f32 = 0.8;
/// Words of the documents after the first of a line of synonyms.
const ANOTHER_WORD: f32 = 0.85;
/// Words like "status" and "result", of which titles have one or the other.
const READING: f32 = 0.6;
/// "Pay", "scan", "order" beside another word: they say what it is about, the other one what to do with it.
const ORDERING: f32 = 0.6;
/// An operation that reads where the query does not ask, and one that does not read where it asks.
const READS_UNASKED: f32 = 0.85;
const ACTS_ASKED: f32 = 0.6;
/// An operation for merchants abroad, where the query does not ask for them.
const OVERSEAS_UNASKED: f32 = 0.7;

/// What fits worse than this part of the best is left out.
const LEAST_FIT: f32 = 0.35;
/// A longer query is cut.
const MOST_LETTERS: usize = 400;
/// Shorter words are taken as typed, with their slips.
const LEAST_CORRECTED: usize = 5;

/// Where the products begin that most merchants have: of two that fit alike, theirs is meant.
const MAIN_PRODUCTS: &[&str] = &[
    "v3/pay/transactions/",
    "v3/pay/partner/transactions/",
    "v3/combine-transactions/",
    "v3/refund/domestic/",
    "v3/bill",
    "v3/profitsharing/",
    "v3/fund-app/mch-transfer/transfer-bills",
    "v3/fund-app/mch-transfer/elecsign",
    "v3/merchant-service/complaint",
    "v3/merchant/",
    "v3/certificates",
    "v3/applyment4sub/",
    "v3/apply4sub/",
    "v3/marketing/favor/",
    "v3/marketing/busifavor/",
    "v3/payscore/serviceorder",
    "v3/payscore/permissions",
    "v3/papay/sign/contracts/",
    "v3/papay/pay/transactions/",
    "v3/new-tax-control-fapiao/fapiao-applications",
    "v3/ecommerce/",
];

/// What the index knows of an operation.
struct Known {
    operation: Operation,
    /// What its score is multiplied by, whatever the query.
    prior: f32,
    /// Whether it only reads.
    reads: bool,
    is_withdrawn: bool,
    is_overseas: bool,
}

/// Words of the documents, by the numbers of their terms: all of them, to fit well.
type Words = Vec<usize>;

struct Index {
    known: Vec<Known>,
    /// Term → its number.
    terms: HashMap<String, usize>,
    /// Number of a term → the operations that have it, and its weight in each.
    postings: Vec<Vec<(u16, f32)>>,
    /// The units that people say → any of these words.
    synonyms: HashMap<Vec<String>, Vec<Words>>,
    /// The units of all that people say.
    said: HashSet<String>,
    /// Units in the longest synonym.
    longest: usize,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        known: Vec::new(),
        terms: HashMap::new(),
        postings: Vec::new(),
        synonyms: HashMap::new(),
        said: HashSet::new(),
        longest: 1,
    };
    // The names of fields come again and again.
    let mut cut = HashMap::new();
    for (number, operation) in index::operations().enumerate() {
        index.add(u16::try_from(number).unwrap_or(u16::MAX), operation, &mut cut);
    }
    for line in SYNONYMS.lines().filter(|line| !line.starts_with('#')) {
        let Some((said, documented)) = line.split_once('>') else { continue };
        let words = |word| terms(word).iter().filter_map(|term| index.terms.get(term).copied()).collect();
        let documented: Vec<Words> = documented.split_whitespace().map(words).collect();
        for said in said.split_whitespace() {
            let units = units(said);
            index.longest = index.longest.max(units.len());
            index.said.extend(units.iter().cloned());
            index.synonyms.insert(units, documented.clone());
        }
    }
    index
});

impl Index {
    fn add(&mut self, number: u16, operation: Operation, cut: &mut HashMap<&'static str, Words>) {
        let mut add = |text: &'static str, weight: f32| {
            let words = cut.entry(text).or_insert_with(|| {
                let new = |term| {
                    let next = self.terms.len();
                    *self.terms.entry(term).or_insert(next)
                };
                terms(text).into_iter().map(new).collect()
            });
            for term in words {
                if *term >= self.postings.len() {
                    self.postings.resize_with(*term + 1, Vec::new);
                }
                match self.postings[*term].last_mut() {
                    Some((last, known)) if *last == number => *known = known.max(weight),
                    _ => self.postings[*term].push((number, weight)),
                }
            }
        };
        let title = operation.title();
        let reads = operation.verb() == "GET" || title.contains("查询");
        add(title, TITLE);
        operation.other_titles().for_each(|title| add(title, OTHER_TITLE));
        if reads {
            add("查询", OTHER_TITLE);
        }
        let literals = operation.template().split('/').filter(|segment| !segment.starts_with('{'));
        literals.for_each(|segment| add(segment, PATH));
        operation.tags().for_each(|tag| add(tag, TAG));
        for fields in [operation.path_variables(), operation.query(), operation.form(), operation.body()] {
            names(fields, &mut |name| add(name, FIELD));
        }
        let length = title.chars().count() / 2 + operation.template().split('/').count();
        let availability = operation.availability();
        self.known.push(Known {
            operation,
            prior: usefulness(operation, availability) / (1.0 + length as f32 * 0.04),
            reads,
            is_withdrawn: matches!(availability, Availability::Withdrawn(_)),
            is_overseas: operation.template().contains("global"),
        });
    }

    /// The concepts of a query: for each, the words that say it. The first is the query as it stands.
    fn concepts(&self, query: &str) -> Vec<Vec<Words>> {
        let query: String = query.chars().take(MOST_LETTERS).collect();
        let units: Vec<String> = units(&query).into_iter().map(|unit| self.corrected(unit)).collect();
        let literal = joined(&units).iter().filter_map(|term| self.terms.get(term).copied()).collect();
        let mut concepts = vec![vec![literal]];
        let mut rest = &units[..];
        let mut left: Vec<String> = Vec::new();
        while !rest.is_empty() {
            let lengths = (1..=self.longest.min(rest.len())).rev();
            let known = lengths.into_iter().find_map(|n| Some((n, self.synonyms.get(&rest[..n])?)));
            let taken = match known {
                Some((taken, words)) => {
                    self.take(&mut left, &mut concepts);
                    concepts.push(words.clone());
                    taken
                }
                None => {
                    left.push(rest[0].clone());
                    1
                }
            };
            rest = &rest[taken..];
        }
        self.take(&mut left, &mut concepts);
        concepts[1..].sort();
        concepts.dedup();
        concepts
    }

    /// Units that are no synonym: each of their terms is a concept.
    fn take(&self, left: &mut Vec<String>, concepts: &mut Vec<Vec<Words>>) {
        let own = joined(left).into_iter().filter_map(|term| self.terms.get(&term).copied());
        concepts.extend(own.map(|term| vec![vec![term]]));
        left.clear();
    }

    /// The word that a mistyped Latin one means, if one slip explains it.
    fn corrected(&self, unit: String) -> String {
        let is_known = self.terms.contains_key(&unit) || self.said.contains(&unit);
        if is_known || unit.len() < LEAST_CORRECTED || !unit.is_ascii() {
            return unit;
        }
        let known = self.said.iter().chain(self.terms.keys());
        known.filter(|known| is_one_slip(known, &unit)).min().cloned().unwrap_or(unit)
    }

    /// What each operation gains from the words of a concept: the best of them counts.
    fn gains(&self, concept: &[Words], gains: &mut [f32]) {
        gains.fill(0.0);
        let mut own = vec![(0.0, 0_u8); self.known.len()];
        for (place, words) in concept.iter().enumerate() {
            own.fill((0.0, 0));
            for term in words {
                let Some(postings) = self.postings.get(*term) else { continue };
                let rarity = (1.0 + self.known.len() as f32 / postings.len() as f32).ln();
                for (number, weight) in postings {
                    if let Some((score, terms)) = own.get_mut(usize::from(*number)) {
                        *score += weight * rarity;
                        *terms += 1;
                    }
                }
            }
            let count = words.len() as f32;
            let standing = if place == 0 { 1.0 } else { ANOTHER_WORD };
            for (gain, (score, terms)) in gains.iter_mut().zip(&own) {
                *gain = gain.max(score * standing * f32::from(*terms) / (count * count.sqrt()));
            }
        }
    }
}

fn names(fields: Fields, add: &mut impl FnMut(&'static str)) {
    for field in fields.iter() {
        add(field.name());
        names(field.fields(), add);
    }
}

pub(super) fn search(words: &str, search: &Search) -> Vec<Found> {
    let index = &*INDEX;
    let [asking, ordering, overseas] = ["查询", "下单", "跨境"].map(|term| index.terms.get(term).copied());
    let mut scores = vec![0.0; index.known.len()];
    let mut gains = scores.clone();
    let concepts = index.concepts(words);
    let says = |concept: &[Words], term| concept.iter().flatten().any(|own| Some(*own) == term);
    // Not a line that only leads to queries of one thing: a word for "query" itself.
    let reads =
        |concept: &[Words]| concept.iter().any(|words| words.len() == 1 && words.first() == asking.as_ref());
    let is_about_more = concepts[1..].iter().any(|concept| !concept.is_empty() && !says(concept, ordering));
    let (mut asks, mut is_overseas) = (false, false);
    for (place, concept) in concepts.iter().enumerate() {
        asks |= reads(concept)
            || concept.first().is_some_and(|words| words.iter().any(|own| Some(*own) == asking));
        is_overseas |= says(concept, overseas);
        index.gains(concept, &mut gains);
        let weight = match place {
            0 => LITERAL,
            _ if reads(concept) => READING,
            _ if concept.len() > 1 && is_about_more && says(concept, ordering) => ORDERING,
            _ => 1.0,
        };
        scores.iter_mut().zip(&gains).for_each(|(score, gain)| *score += weight * gain);
    }
    let mut found: Vec<(bool, f32, Operation)> = Vec::new();
    for (known, score) in index.known.iter().zip(scores) {
        if score > 0.0 && search.allows(known.operation) {
            let fits = match (asks, known.reads) {
                (true, false) => ACTS_ASKED,
                (false, true) => READS_UNASKED,
                _ => 1.0,
            };
            let fits = if known.is_overseas && !is_overseas { fits * OVERSEAS_UNASKED } else { fits };
            found.push((known.is_withdrawn, score * known.prior * fits, known.operation));
        }
    }
    // Withdrawn ones last, whatever their words.
    found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let best = found.iter().map(|(_, score, _)| *score).fold(f32::MIN_POSITIVE, f32::max);
    let found = found.into_iter().filter(|(_, score, _)| *score >= best * LEAST_FIT);
    found.map(|(_, score, operation)| Found { operation, score: f64::from(score / best) }).collect()
}

impl Search {
    /// Only this verb, in any case.
    #[must_use]
    pub fn verb(mut self, verb: impl Into<String>) -> Search {
        self.verb = Some(verb.into());
        self
    }

    /// Only what this kind of caller may use: `merchant`, `partner`, `platform`, `institution` or `global`. Another word
    /// finds nothing.
    #[must_use]
    pub fn mode(mut self, mode: impl Into<String>) -> Search {
        self.mode = Some(mode.into());
        self
    }

    /// Only APIv2 (`true`), or only APIv3 (`false`).
    #[must_use]
    pub fn v2(mut self, v2: bool) -> Search {
        self.v2 = Some(v2);
        self
    }

    fn allows(&self, operation: Operation) -> bool {
        self.verb.as_ref().is_none_or(|verb| verb.eq_ignore_ascii_case(operation.verb()))
            && self.mode.as_ref().is_none_or(|mode| operation.modes().any(|known| known == mode))
            && self.v2.is_none_or(|v2| v2 == operation.is_v2())
    }
}

/// Of two that fit alike, which one people mean: the product that most have, a merchant's own, the present one.
fn usefulness(operation: Operation, availability: Availability) -> f32 {
    let template = operation.template();
    let product = match MAIN_PRODUCTS.iter().any(|start| template.starts_with(start)) {
        true => 1.2,
        false if template.contains("sandbox") => 0.7,
        false => 1.0,
    };
    let caller = if operation.modes().any(|mode| mode == "merchant") { 1.0 } else { 0.93 };
    let version = if operation.is_v2() { 0.8 } else { 1.0 };
    let state = match availability {
        Availability::Current => 1.0,
        Availability::Restricted => 0.95,
        Availability::Superseded => 0.7,
        Availability::Withdrawn(_) => 0.6,
    };
    product * caller * version * state
}
