//! Documented paths that a mistyped one may mean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::index::{self, Parsed};
use super::operation::{Availability, BASE, Operation};

#[cfg(test)]
mod tests;

/// A documented operation that a path may mean.
#[derive(Debug, Clone, Copy)]
pub struct Suggestion {
    operation: Operation,
    score: f64,
}

impl Suggestion {
    /// The operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// How near it is, from 0 to 1; 1: the path is its template.
    pub fn score(&self) -> f64 {
        self.score
    }
}

/// Paths that are looked at letter by letter: those that share the most trigrams.
const CANDIDATES: usize = 24;
/// A path further away is no suggestion.
const LEAST_SCORE: f64 = 0.6;
/// In a shorter path, a few letters may be wrong all the same: the version may be missing.
const SHORTEST: usize = 8;
const MOST: usize = 10;
/// No documented path is nearly as long.
const LONGEST: usize = 512;

/// A template, prepared for comparison.
struct Template {
    tokens: Vec<Token>,
    trigrams: usize,
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `{name}`
    Variable(&'static str),
    /// No letter: a segment is complete.
    End,
}

struct Templates {
    all: Vec<Template>,
    /// Which templates have a trigram.
    trigrams: HashMap<[char; 3], Vec<u16>>,
}

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| {
    let mut all: Vec<Template> = Vec::new();
    let mut by_template = HashMap::<&str, usize>::new();
    let mut trigrams = HashMap::<[char; 3], Vec<u16>>::new();
    for operation in index::operations() {
        let template = operation.template();
        let at = *by_template.entry(template).or_insert_with(|| {
            let own = trigrams_of(template);
            for trigram in &own {
                trigrams.entry(*trigram).or_default().push(u16::try_from(all.len()).unwrap_or(u16::MAX));
            }
            all.push(Template { tokens: tokens(template), trigrams: own.len(), operations: Vec::new() });
            all.len() - 1
        });
        all[at].operations.push(operation);
    }
    Templates { all, trigrams }
});

/// Three letters that follow each other, without the names of variables; each once.
fn trigrams_of(path: &str) -> Vec<[char; 3]> {
    let mut letters = vec!['/'];
    let mut in_variable = false;
    for letter in path.chars() {
        in_variable = (in_variable || letter == '{') && letter != '}';
        if !in_variable && letter != '}' {
            letters.push(if letter == '_' { '-' } else { letter.to_ascii_lowercase() });
        }
    }
    letters.push('/');
    let mut trigrams: Vec<_> = letters.windows(3).filter_map(|three| three.try_into().ok()).collect();
    trigrams.sort_unstable();
    trigrams.dedup();
    trigrams
}

fn tokens(template: &'static str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, segment) in template.split('/').enumerate() {
        if number > 0 {
            tokens.push(Token::Char('/'));
        }
        match segment.strip_prefix('{') {
            Some(name) => tokens.push(Token::Variable(name.trim_end_matches('}'))),
            None => tokens.extend(segment.chars().map(Token::Char)),
        }
        tokens.push(Token::End);
    }
    tokens
}

/// The operations that `path` may mean, the nearest first.
pub(super) fn suggest(verb: Option<&str>, path: &str) -> Vec<Suggestion> {
    let path = with_slashes(path);
    let parsed = Parsed::new(&path);
    let typed: Vec<char> = parsed.path.chars().take(LONGEST).collect();
    let mut found = Vec::new();
    let length = typed.len().max(SHORTEST) as f64;
    for (template, distance) in nearest(parsed.path, &typed) {
        for operation in &template.operations {
            let score = 1.0 - (distance + strangeness(*operation, verb, parsed.base)) / length;
            if score >= LEAST_SCORE {
                found.push(Suggestion { operation: *operation, score });
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST);
    found
}

/// A chain as PHP and Node write it, or a path with backslashes, as a path. The version may stand twice: a base URL may
/// have it, too.
fn with_slashes(path: &str) -> Cow<'_, str> {
    let path = path.trim();
    let path = ["v3/v3/", "v2/v2/"]
        .iter()
        .find_map(|twice| path.strip_prefix(twice).map(|_| &path[3..]))
        .unwrap_or(path);
    let separator =
        ["->", "\\", "."].into_iter().find(|separator| !path.contains('/') && path.contains(separator));
    separator.map_or(Cow::Borrowed(path), |separator| Cow::Owned(path.replace(separator, "/")))
}

/// What speaks against an operation beside its path, in letters.
fn strangeness(operation: Operation, verb: Option<&str>, base: Option<&str>) -> f64 {
    let mut strangeness = 0.0;
    if verb.is_some_and(|verb| !verb.eq_ignore_ascii_case(operation.verb())) {
        strangeness += 0.6;
    }
    let expected = base.unwrap_or(BASE);
    if !operation.bases().any(|known| known == expected) {
        strangeness += 0.05;
    }
    strangeness
        + match operation.availability() {
            Availability::Current => 0.0,
            Availability::Restricted => 0.01,
            Availability::Superseded => 0.02,
            Availability::Withdrawn(_) => 0.04,
        }
}

/// Templates and how many letters they are away.
fn nearest(path: &str, typed: &[char]) -> Vec<(&'static Template, f64)> {
    let templates = &*TEMPLATES;
    let own = trigrams_of(&path.chars().take(LONGEST).collect::<String>());
    let mut shared = vec![0_u16; templates.all.len()];
    // The version may be missing, or the wrong one: it adds nothing.
    for trigram in &own {
        for at in templates.trigrams.get(trigram).into_iter().flatten() {
            if let Some(count) = shared.get_mut(usize::from(*at)) {
                *count += 1;
            }
        }
    }
    let likeness = |at: &usize| {
        let all = templates.all[*at].trigrams + own.len();
        f64::from(shared[*at]) / all.max(1) as f64
    };
    let mut ranked: Vec<usize> = (0..templates.all.len()).filter(|at| shared[*at] > 0).collect();
    ranked.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    ranked.truncate(CANDIDATES);
    ranked.into_iter().map(|at| (&templates.all[at], distance(&templates.all[at].tokens, typed))).collect()
}

/// The edit distance of Damerau and Levenshtein, in which a variable stands for any segment.
fn distance(template: &[Token], typed: &[char]) -> f64 {
    const SWAP: f64 = 1.0;
    /// A value for a variable; values seldom look like words of a path.
    const VALUE: f64 = 0.2;
    const LETTER_OF_VALUE: f64 = 0.15;
    /// A variable that is left out.
    const LEFT_OUT: f64 = 2.0;
    /// A segment that is left out, or one too many, whatever its length.
    const SEGMENT: f64 = 3.5;
    /// The `-` that camel case leaves out.
    const HUMP: f64 = 0.05;
    let is_in_braces = in_braces(typed);
    let width = typed.len() + 1;
    let mut before_last = vec![f64::INFINITY; width];
    let mut last: Vec<f64> = (0..width).map(|count| count as f64).collect();
    let mut row = vec![0.0; width];
    // The row before the segment.
    let mut before_segment = last.clone();
    let mut earlier = None;
    for token in template {
        if *token == Token::End {
            let mut start = None;
            for at in 0..width {
                last[at] = last[at].min(before_segment[at] + SEGMENT);
                if at + 1 == width || typed[at] == '/' {
                    if let Some(start) = start {
                        let without: f64 = last[start] + SEGMENT;
                        last[at] = last[at].min(without);
                    }
                    start = Some(at);
                }
            }
            before_segment.clone_from(&last);
            continue;
        }
        row[0] = last[0] + if matches!(token, Token::Variable(_)) { LEFT_OUT } else { 1.0 };
        // The least cost of a variable that ends here.
        let mut variable = f64::INFINITY;
        for at in 1..width {
            let letter = typed[at - 1];
            row[at] = match *token {
                Token::Char(expected) => {
                    let replaced = last[at - 1] + replacement(expected, letter);
                    let is_hump = expected == '-' && typed.get(at).is_some_and(char::is_ascii_uppercase);
                    let left_out = last[at] + if is_hump { HUMP } else { 1.0 };
                    let mut least = replaced.min(left_out).min(row[at - 1] + 1.0);
                    if at > 1 && earlier == Some(Token::Char(letter)) && typed[at - 2] == expected {
                        least = least.min(before_last[at - 2] + SWAP);
                    }
                    least
                }
                Token::Variable(name) => {
                    let begins =
                        last[at - 1] + if letter == '{' { other_name(name, &typed[at..]) } else { VALUE };
                    let is_word = letter.is_ascii_lowercase() || letter == '-';
                    variable = match letter {
                        '/' => f64::INFINITY,
                        _ if is_word && !is_in_braces[at - 1] => variable.min(begins) + LETTER_OF_VALUE,
                        _ => variable.min(begins),
                    };
                    variable.min(last[at] + LEFT_OUT).min(row[at - 1] + 1.0)
                }
                Token::End => last[at],
            };
        }
        earlier = Some(*token);
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[width - 1]
}

/// The edit distance of two words.
pub(super) fn letters_apart(expected: &str, typed: &str) -> f64 {
    let expected: Vec<Token> = expected.chars().map(Token::Char).collect();
    distance(&expected, &typed.chars().collect::<Vec<_>>())
}

/// Which letters belong to a variable.
fn in_braces(typed: &[char]) -> Vec<bool> {
    let mut inside = false;
    let step = |letter: &char| {
        inside = *letter != '/' && (inside || *letter == '{');
        let this = inside;
        inside &= *letter != '}';
        this
    };
    typed.iter().map(step).collect()
}

/// How unlike the variable's name that begins here is: 0 for the same name, 0.3 for another one.
fn other_name(name: &str, typed: &[char]) -> f64 {
    let length = typed.iter().position(|letter| matches!(letter, '}' | '/')).unwrap_or(typed.len());
    let typed = &typed[..length];
    let equal = |(a, b): &(char, char)| a.eq_ignore_ascii_case(b);
    let start = name.chars().zip(typed.iter().copied()).take_while(equal).count();
    let end = name.chars().rev().zip(typed.iter().rev().copied()).take_while(equal).count();
    let longest = name.len().max(typed.len()).max(1);
    0.3 * (1.0 - (start + end).min(longest) as f64 / longest as f64)
}

fn replacement(expected: char, letter: char) -> f64 {
    if expected == letter {
        0.0
    } else if expected == letter.to_ascii_lowercase() {
        0.01
    } else if matches!((expected, letter), ('-', '_') | ('_', '-')) {
        0.3
    } else {
        1.0
    }
}
