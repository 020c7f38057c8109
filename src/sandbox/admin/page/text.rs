//! Formats values from requests for display.

use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

use maud::{Markup, html};
use serde::de::IgnoredAny;

use crate::sandbox::http::clock;

/// Whether a reader cannot see a character, or it changes the direction of text.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// The same JSON without invisible characters, but for line breaks and tabs between its tokens. `None` if it is not JSON.
pub(crate) fn visible_json(json: &str) -> Option<Cow<'_, str>> {
    let is_hidden = |c: char| is_invisible(c) && !matches!(c, '\n' | '\r' | '\t');
    if !json.contains(is_hidden) {
        return Some(Cow::Borrowed(json));
    }
    // In JSON such characters are in strings only, but for a byte order mark.
    serde_json::from_str::<IgnoredAny>(json).ok()?;
    let mut text = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_hidden(character) {
            text += &format!("\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    Some(Cow::Owned(text))
}

/// Replaces invisible characters, and those that change the direction of text, by a symbol or their code point.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("↵\n"),
            '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('␀')),
            '\u{7f}' => shown.push('␡'),
            hidden if is_invisible(hidden) => shown.extend(hidden.escape_unicode()),
            other => shown.push(other),
        }
    }
    shown
}

/// At most `max` characters, on one line.
pub(crate) fn line(text: &str, max: usize) -> String {
    let cut: String = text.chars().take(max).collect();
    let shown = visible(&cut).replace("↵\n", "↵");
    if cut.len() < text.len() { format!("{shown}…") } else { shown }
}

/// At most `max` bytes, and the number of omitted ones.
pub(crate) fn block(bytes: &[u8], max: usize) -> (String, usize) {
    let cut = &bytes[..bytes.len().min(max)];
    (visible(&String::from_utf8_lossy(cut)), bytes.len() - cut.len())
}

/// `¥1.00`, `USD 1.00`.
pub(crate) fn money(cents: i64, currency: &str) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    match currency {
        "" | "CNY" => format!("{sign}¥{whole}.{rest:02}"),
        other => format!("{} {sign}{whole}.{rest:02}", line(other, 8)),
    }
}

/// In Beijing time, as the platform writes times.
pub(crate) fn time(unix: i64) -> Markup {
    let full = clock::beijing_time(unix);
    let short = full.get(5..19).unwrap_or(&full).replace('T', " ");
    html! { time datetime=(full) { (short) } }
}

pub(crate) fn unix(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_replaced() {
        assert_eq!(visible("a\nb\r\t\u{1b}[2J\u{202e}\u{7f}中"), "a↵\nb␍␉␛[2J\\u{202e}␡中");
        assert_eq!(line("a\nbc", 3), "a↵b…");
        assert_eq!(line("中文", 2), "中文");
        assert_eq!(block("中".as_bytes(), 2), ("\u{fffd}".into(), 1));
    }

    #[test]
    fn a_json_text_is_written_without_invisible_characters() {
        let json = "{\n\t\"a\": \"\u{202e}中\u{7f}\"\r\n}";
        let shown = visible_json(json).unwrap();
        assert_eq!(shown, "{\n\t\"a\": \"\\u202e中\\u007f\"\r\n}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(json));
        assert_eq!(visible_json("\u{202e}"), None);
        assert_eq!(visible_json("\u{feff}{}"), None);
        assert_eq!(visible_json("a=b").as_deref(), Some("a=b"));
    }

    #[test]
    fn cents_are_written_with_a_point() {
        assert_eq!(money(5, "CNY"), "¥0.05");
        assert_eq!(money(-123_456, ""), "-¥1234.56");
        assert_eq!(money(i64::MIN, "USD"), "USD -92233720368547758.08");
    }
}
