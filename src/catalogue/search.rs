//! Finds operations by words.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::fields::Fields;
use super::index;
use super::operation::{Availability, Operation};

/// Narrows a search.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Search {
    /// Only this verb.
    pub verb: Option<String>,
    /// Only what this kind of caller may use: `merchant`, `partner`, `platform`, `institution`, `global`.
    pub mode: Option<String>,
    /// APIv2 (`true`), APIv3 (`false`), or both.
    pub v2: Option<bool>,
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

/// What people say, and what the documents say: a word, and the words that are looked for, too.
const SYNONYMS: &str = include_str!("data/synonyms.txt");

/// Where a word stands, and what that counts.
const TITLE: f64 = 4.0;
const PATH: f64 = 3.0;
const TAG: f64 = 1.5;
const FIELD: f64 = 0.6;
/// A word that a synonym adds.
const SYNONYM: f64 = 0.8;
/// A longer query is cut.
const MOST_TERMS: usize = 64;

struct Index {
    operations: Vec<Operation>,
    /// Term → operations, each with its weight.
    postings: HashMap<String, Vec<(u16, f64)>>,
    /// Terms in each operation's title and path: a short one that is hit is hit better.
    lengths: Vec<f64>,
    synonyms: HashMap<&'static str, Vec<&'static str>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let operations: Vec<Operation> = index::operations().collect();
    let mut postings = HashMap::<String, Vec<(u16, f64)>>::new();
    let mut lengths = Vec::with_capacity(operations.len());
    for (number, operation) in operations.iter().enumerate() {
        let mut weights = HashMap::<String, f64>::new();
        let mut add = |text: &str, weight: f64| {
            for term in terms(text) {
                let known = weights.entry(term).or_default();
                *known = known.max(weight);
            }
        };
        add(operation.title(), TITLE);
        operation.other_titles().for_each(|title| add(title, TITLE * 0.7));
        let literals = operation.template().split('/').filter(|segment| !segment.starts_with('{'));
        literals.for_each(|segment| add(segment, PATH));
        operation.tags().for_each(|tag| add(tag, TAG));
        for fields in [operation.path_variables(), operation.query(), operation.form(), operation.body()] {
            names(fields, &mut |name| add(name, FIELD));
        }
        lengths.push(terms(operation.title()).len() as f64 + operation.template().split('/').count() as f64);
        for (term, weight) in weights {
            postings.entry(term).or_default().push((u16::try_from(number).unwrap_or(u16::MAX), weight));
        }
    }
    let mut synonyms = HashMap::<&str, Vec<&str>>::new();
    for line in SYNONYMS.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        if let Some(word) = words.next() {
            synonyms.entry(word).or_default().extend(words);
        }
    }
    Index { operations, postings, lengths, synonyms }
});

fn names(fields: Fields, add: &mut impl FnMut(&str)) {
    for field in fields.iter() {
        add(field.name());
        names(field.fields(), add);
    }
}

/// The terms of a text: Latin words without their plural, pairs of Chinese characters.
fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut word = String::new();
    let mut before = None;
    for letter in text.chars().chain([' ']) {
        let is_latin = letter.is_ascii_alphanumeric();
        if !is_latin && !word.is_empty() {
            terms.push(singular(std::mem::take(&mut word)));
        }
        if is_latin {
            word.push(letter.to_ascii_lowercase());
        }
        let chinese = (!letter.is_ascii() && letter.is_alphanumeric()).then_some(letter);
        if let (Some(first), Some(second)) = (before, chinese) {
            terms.push([first, second].iter().collect());
        }
        before = chinese;
    }
    terms
}

fn singular(mut word: String) -> String {
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") {
        word.pop();
    }
    word
}

/// The terms of a query and what each counts.
fn query_terms(index: &Index, words: &str) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |term: String, weight: f64| {
        if all.len() < MOST_TERMS && seen.insert(term.clone()) {
            all.push((term, weight));
        }
    };
    let lowered = words.to_lowercase();
    terms(&lowered).into_iter().for_each(|term| add(term, 1.0));
    // A synonym may be a part of a Chinese sentence, which has no spaces.
    let own = terms(&lowered);
    for (word, others) in &index.synonyms {
        let said = match word.is_ascii() {
            true => own.contains(&singular((*word).to_owned())),
            false => lowered.contains(word),
        };
        if said {
            others.iter().flat_map(|other| terms(other)).for_each(|term| add(term, SYNONYM));
        }
    }
    all
}

pub(super) fn search(words: &str, search: &Search) -> Vec<Found> {
    let index = &*INDEX;
    let mut scores = vec![0.0; index.operations.len()];
    for (term, weight) in query_terms(index, words) {
        let Some(postings) = index.postings.get(&term) else { continue };
        let rarity = (1.0 + index.operations.len() as f64 / postings.len() as f64).ln();
        for (number, place) in postings {
            if let Some(score) = scores.get_mut(usize::from(*number)) {
                *score += weight * place * rarity;
            }
        }
    }
    let mut found: Vec<Found> = Vec::new();
    for ((operation, score), length) in index.operations.iter().zip(scores).zip(&index.lengths) {
        if score > 0.0 && search.allows(*operation) {
            let score = score * usefulness(*operation) / (1.0 + length * 0.04);
            found.push(Found { operation: *operation, score });
        }
    }
    // Withdrawn ones last, whatever their words.
    let is_withdrawn = |found: &Found| matches!(found.operation.availability(), Availability::Withdrawn(_));
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.sort_by_key(|found| is_withdrawn(found));
    let best = found.iter().map(|found| found.score).fold(f64::MIN_POSITIVE, f64::max);
    found.iter_mut().for_each(|found| found.score /= best);
    found
}

impl Search {
    fn allows(&self, operation: Operation) -> bool {
        self.verb.as_ref().is_none_or(|verb| verb.eq_ignore_ascii_case(operation.verb()))
            && self.mode.as_ref().is_none_or(|mode| operation.modes().any(|known| known == mode))
            && self.v2.is_none_or(|v2| v2 == operation.is_v2())
    }
}

fn usefulness(operation: Operation) -> f64 {
    let version = if operation.is_v2() { 0.8 } else { 1.0 };
    let availability = match operation.availability() {
        Availability::Current => 1.0,
        Availability::Restricted => 0.95,
        Availability::Superseded => 0.7,
        Availability::Withdrawn(_) => 0.3,
    };
    version * availability
}
