//! Formats values from requests for display.

use std::time::{SystemTime, UNIX_EPOCH};

use maud::{Markup, html};

use crate::sandbox::http::clock;

/// Replaces invisible characters, and those that change the direction of text, by a symbol or their code point.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("↵\n"),
            '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('␀')),
            '\u{7f}' => shown.push('␡'),
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => shown.extend(character.escape_unicode()),
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
    fn cents_are_written_with_a_point() {
        assert_eq!(money(5, "CNY"), "¥0.05");
        assert_eq!(money(-123_456, ""), "-¥1234.56");
        assert_eq!(money(i64::MIN, "USD"), "USD -92233720368547758.08");
    }
}
