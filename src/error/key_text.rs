//! Text that may be a key, or a piece of one: a caller's mistake must not carry a key into a message or a log.
//!
//! A private key reaches a message when it is given where a path, a serial or a switch was expected. It may be wrapped
//! in any way: PEM, bare base64, hex, escaped for JSON or for a URL, cut. So the form is not parsed; the mixture of the
//! characters is judged. In base64 capitals, small letters and digits change places at almost every character; in
//! paths, words and ids they do not. An id in one case with digits (a serial, an order number) is not a key unless it
//! is longer than any id.

use std::ops::Range;

/// Base64 shows at least [`CHANGES`] changes in so many characters, with few exceptions; words and ids show fewer.
const WINDOW: usize = 16;
const CHANGES: usize = 5;

/// The changes are spread over more than the random name of a temporary folder (`tmp.Fw1xN3RUfQ`) has.
const SPAN: usize = 9;

/// The same in messages of ours, in which names such as `getBrandWCPayRequest` are to be shown.
const CHANGES_IN_MESSAGES: usize = 6;

/// The same for text whose separators are left out, in which words run together.
const LONG_WINDOW: usize = 40;
const LONG_CHANGES: usize = 18;

/// The longest hexadecimal id: a serial, an SHA-1.
const MAX_HEX_ID: usize = 40;

/// Longer than any word and any digest (SHA-256 in hex).
const MAX_WORD: usize = 64;

/// Of a longer text only the beginning and the end are looked at, and less of them is shown. Characters.
pub(super) const MAX_JUDGED: usize = 16 << 10;

/// The end that is looked at. Characters.
const MAX_TAIL: usize = 1 << 10;

const MARKS: [&str; 3] = ["-----BEGIN", "-----END", "PRIVATE KEY-"];

/// Whether a whole text may be a key, or contain a piece of one, as it is or escaped or with separators.
pub(crate) fn may_be_key(text: &str) -> bool {
    if is_openid(text) {
        return false;
    }
    // UTF-16 that was read as if it were UTF-8.
    if text.contains('\0') {
        return may_be_key(&text.replace('\0', ""));
    }
    match text.char_indices().nth(MAX_JUDGED) {
        None => looks_like_key(text),
        // The end of a long path is shown, too.
        Some((end, _)) => {
            let tail = text.char_indices().rev().nth(MAX_TAIL).map_or(0, |(at, _)| at);
            looks_like_key(&text[..end]) || looks_like_key(&text[tail..])
        }
    }
}

fn looks_like_key(text: &str) -> bool {
    let plain = unescaped(text);
    [text, &plain].into_iter().any(|text| {
        MARKS.iter().any(|mark| text.contains(mark))
            || !windows(text, WINDOW, CHANGES).is_empty()
            || long_runs(text).next().is_some()
    }) || {
        let compact = without_separators(&plain);
        let hex = compact.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap_or_default();
        hex > MAX_HEX_ID || !windows(&compact, LONG_WINDOW, LONG_CHANGES).is_empty()
    }
}

/// The parts of a message that may be keys, in order and apart: for messages in which other text is to be shown.
pub(crate) fn key_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = windows(text, WINDOW, CHANGES_IN_MESSAGES);
    ranges.extend(long_runs(text));
    if let Some(begin) = text.find(MARKS[0]) {
        // To the end of the last block; a block without an end is cut.
        let end = text.rfind(MARKS[1]).filter(|end| *end > begin);
        let end = end
            .and_then(|at| Some(at + MARKS[1].len() + text.get(at + MARKS[1].len()..)?.find("-----")? + 5));
        ranges.push(begin..end.unwrap_or(text.len()));
    }
    ranges.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// What is longer than any id: words, and words joined by hyphens in which letters and digits change places often, as in
/// base64 that a URL parser wrote in small letters.
fn long_runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '%');
    let mut rest = (0, text);
    std::iter::from_fn(move || {
        let (at, text) = rest;
        let start = text.find(inside)?;
        let run = &text[start..];
        let run = &run[..run.find(|c| !inside(c)).unwrap_or(run.len())];
        rest = (at + start + run.len(), &text[start + run.len()..]);
        Some((at + start, run))
    })
    .filter(|(_, run)| {
        // Letters and digits side by side, and letters that a URL would not need to escape.
        let changes = run.as_bytes().windows(2).filter(|pair| match pair {
            [b'%', next] => matches!(next, b'2'..=b'7'),
            [a, b] => {
                a.is_ascii_alphanumeric()
                    && b.is_ascii_alphanumeric()
                    && a.is_ascii_digit() != b.is_ascii_digit()
            }
            _ => false,
        });
        run.len() > MAX_WORD
            && (words(run).any(|(_, word)| word.len() > MAX_WORD) || changes.count() * 6 >= run.len())
    })
    .map(|(at, run)| at..at + run.len())
}

/// The ranges of whole words in which a window of `size` bytes has `least` changes, with their neighbours of the same
/// kind.
fn windows(text: &str, size: usize, least: usize) -> Vec<Range<usize>> {
    // Most texts are short, or have no capitals.
    if text.len() < size || !text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Vec::new();
    }
    let bytes = text.as_bytes();
    let words: Vec<(usize, &str)> = words(text).collect();
    // `changes[i]`: the change between byte `i - 1` and byte `i`.
    let mut changes = vec![0_usize; bytes.len() + 1];
    for &(start, word) in &words {
        if is_mixed(word) {
            for (at, pair) in word.as_bytes().windows(2).enumerate() {
                changes[start + at + 1] = usize::from(is_change(pair));
            }
        }
    }
    // Rare but in base64.
    for (at, three) in bytes.windows(3).enumerate() {
        if three[1] == b'+' && three[0].is_ascii_alphanumeric() && three[2].is_ascii_alphanumeric() {
            changes[at + 1] = 2;
        }
    }
    let joined = |from: usize, to: usize| bytes[from..to].iter().all(|b| is_joiner(*b));
    let mut ranges: Vec<Range<usize>> = Vec::new();
    // The words before this one are in a range, or in none.
    let mut covered = 0;
    for (index, &(start, word)) in words.iter().enumerate() {
        // The words that a window from here covers, as long as only joiners are between them.
        let mut last = index;
        while let Some(&(next, _)) = words.get(last + 1) {
            let end = words[last].0 + words[last].1.len();
            if next >= start + word.len() + size || !joined(end, next) {
                break;
            }
            last += 1;
        }
        let end = words[last].0 + words[last].1.len();
        let full = (start..start + word.len()).take_while(|from| from + size <= end).any(|from| {
            let inner = &changes[from + 1..from + size];
            let first = inner.iter().position(|count| *count > 0).unwrap_or_default();
            let last = inner.iter().rposition(|count| *count > 0).unwrap_or_default();
            last - first >= SPAN && inner.iter().sum::<usize>() >= least
        });
        // What an earlier window found and extended is not looked at again: a text of one key after another would take
        // a time that grows with the square of its length.
        if full && last >= covered {
            let dense = |&(at, word): &(usize, &str)| {
                is_mixed(word) && changes[at + 1..at + word.len()].iter().sum::<usize>() * 4 >= word.len()
            };
            let goes_on = |left: usize| {
                let ((at, word), next) = (words[left], words[left + 1]);
                joined(at + word.len(), next.0)
            };
            let mut first = index;
            while first > covered && goes_on(first - 1) && dense(&words[first - 1]) {
                first -= 1;
            }
            while last + 1 < words.len() && goes_on(last) && dense(&words[last + 1]) {
                last += 1;
            }
            let end = words[last].0 + words[last].1.len();
            let touches = first < covered
                || (first > 0 && first == covered && goes_on(first - 1) && dense(&words[first - 1]));
            match ranges.last_mut().filter(|_| touches) {
                Some(before) => before.end = end,
                None => ranges.push(words[first].0..end),
            }
            covered = last + 1;
        }
    }
    ranges
}

/// The runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = (0, text);
    std::iter::from_fn(move || {
        let (at, text) = rest;
        let start = text.find(|c: char| c.is_ascii_alphanumeric())?;
        let word = &text[start..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        rest = (at + start + end, &word[end..]);
        Some((at + start, &word[..end]))
    })
}

/// The characters of base64, of its variants and of its form in URLs that are not letters or digits.
fn is_joiner(byte: u8) -> bool {
    matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'%')
}

fn is_mixed(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// A pair that is rare in words: in these a capital is followed by small letters, and digits stand together.
fn is_change(pair: &[u8]) -> bool {
    let &[a, b] = pair else { return false };
    (b.is_ascii_uppercase() && a.is_ascii_alphabetic()) || a.is_ascii_digit() != b.is_ascii_digit()
}

/// An openid is 28 characters of base64, of which the first is known. A piece of a key is hardly ever the same.
fn is_openid(text: &str) -> bool {
    text.len() == 28
        && text.starts_with('o')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The text with its groups of the same length joined (`MIIE vQIB`, `30:82:04`), and bytes in decimal (`48, 130, 4`).
/// Words and ids have other neighbours.
fn without_separators(text: &str) -> String {
    let is_byte = |piece: &str| piece.len() <= 3 && piece.bytes().all(|b| b.is_ascii_digit());
    let is_number = |piece: &str| piece.bytes().all(|b| b.is_ascii_digit());
    let mut compact = String::with_capacity(text.len());
    let mut before = "";
    for piece in text.split(is_separator).filter(|piece| !piece.is_empty()) {
        let group = before.len() == piece.len() && !is_number(piece);
        if !(group || is_byte(before) && is_byte(piece)) {
            compact.push(' ');
        }
        compact.push_str(piece);
        before = piece;
    }
    compact
}

/// What is put between the groups of a key.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | ':' | '\\' | '|')
}

/// The text without the escapes of JSON and URLs, for judging only.
fn unescaped(text: &str) -> String {
    let mut plain = text.to_owned();
    for _ in 0..2 {
        if !plain.contains(['%', '\\']) {
            break;
        }
        plain = unescaped_once(&plain);
    }
    plain
}

fn unescaped_once(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '\\']) {
        plain.push_str(&rest[..at]);
        let (code, length) = match rest.as_bytes().get(at + 1) {
            Some(b'n' | b'r' | b't') if rest[at..].starts_with('\\') => (Some(b'\n'), 2),
            Some(b'u') if rest[at..].starts_with('\\') => (hex(rest.get(at + 4..at + 6)), 6),
            Some(b'/' | b'"' | b'\\') if rest[at..].starts_with('\\') => (None, 1),
            _ => (hex(rest.get(at + 1..at + 3)), 3),
        };
        let length = match code {
            Some(code) if code.is_ascii() => {
                plain.push(char::from(code));
                length
            }
            _ if length == 1 => 1,
            _ => {
                plain.push_str(&rest[at..=at]);
                1
            }
        };
        rest = &rest[at + length..];
        // An escaped backslash is a character, not the next escape.
        if length == 1 && code.is_none() && rest.starts_with('\\') {
            plain.push('\\');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain
}

fn hex(digits: Option<&str>) -> Option<u8> {
    digits
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
}
