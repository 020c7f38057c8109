//! A text that a reader searches for, in numbers, paths and bodies.

/// A shorter text is everywhere in random numbers: it is found as a whole value only.
const SHORT: usize = 4;

/// A text to search for. It is found where a word or a number begins or ends with it, a short one only where it is all of
/// it, and never in the middle of a random text.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a>(&'a str);

impl<'a> Search<'a> {
    pub(crate) fn new(text: &'a str) -> Search<'a> {
        Search(text)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn is_short(self) -> bool {
        self.0.is_ascii() && self.0.len() < SHORT
    }

    /// A part of each JSON text in which it is found: for a database to choose from.
    pub(crate) fn part(self) -> String {
        if self.is_short() { format!("\"{}\"", self.0) } else { self.0.to_owned() }
    }

    /// In a path, an id, an address or another text.
    pub(crate) fn is_in(self, text: &str) -> bool {
        if self.is_empty() || !self.0.is_ascii() {
            return text.contains(self.0);
        }
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let (first, last) = (word(self.0.chars().next()), word(self.0.chars().next_back()));
        text.match_indices(self.0).any(|(at, found)| {
            let begins = !(first && word(text[..at].chars().next_back()));
            let ends = !(last && word(text[at + found.len()..].chars().next()));
            if self.is_short() { begins && ends } else { begins || ends }
        })
    }

    /// In a body. In JSON, a short text is the whole string of a field.
    pub(crate) fn is_in_body(self, body: &str) -> bool {
        let is_json = body.trim_start().starts_with(['{', '[']);
        if is_json && self.is_short() && !self.is_empty() {
            return body.contains(&self.part());
        }
        self.is_in(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_a_whole_value() {
        for (text, body, found) in [
            ("1", r#"{"out_refund_no":"1"}"#, true),
            ("1", r#"{"transaction_id":"4200001","amount":{"total":1}}"#, false),
            ("R1", r#"{"out_refund_no":"R1"}"#, true),
            ("R1", r#"{"out_refund_no":"R12"}"#, false),
            ("1", "<out_refund_no>1</out_refund_no>", true),
            ("茶", r#"{"description":"绿茶叶"}"#, true),
            ("", "", true),
        ] {
            assert_eq!(Search::new(text).is_in_body(body), found, "{text} in {body}");
        }
    }

    #[test]
    fn a_longer_one_begins_or_ends_a_word() {
        let path = "/v3/pay/transactions/out-trade-no/P202611220001?mchid=1900000109";
        for (text, found) in [
            ("P2026", true),
            ("0001", true),
            ("P202611220001", true),
            ("transactions/out", true),
            ("/v3/pay", true),
            ("1122", false),
            ("109", false),
            ("v3", true),
            ("no", true),
            ("=1900", true),
        ] {
            assert_eq!(Search::new(text).is_in(path), found, "{text}");
        }
    }
}
