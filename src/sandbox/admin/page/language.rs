//! The language of the page.

use http::{HeaderMap, header};
use url::form_urlencoded;

/// English or Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Language {
    chinese: bool,
    /// Chosen by `?lang=`, which links and forms then keep; otherwise by the browser's settings.
    chosen: bool,
}

impl Language {
    pub(crate) fn of(query: &str, headers: &HeaderMap) -> Language {
        let lang = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang");
        if let Some((_, tag)) = lang {
            return Language { chinese: is_chinese(&tag), chosen: true };
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language { chinese: accepted.is_some_and(prefers_chinese), chosen: false }
    }

    /// Takes both languages, so that none is forgotten.
    pub(crate) fn say<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        if self.chinese { chinese } else { english }
    }

    pub(crate) fn tag(self) -> &'static str {
        self.say("en", "zh-CN")
    }

    pub(crate) fn chosen(self, tag: &str) -> Language {
        Language { chinese: is_chinese(tag), chosen: true }
    }

    /// The value of `?lang=`; empty if the browser's settings decide.
    pub(crate) fn choice(self) -> &'static str {
        if self.chosen { self.tag() } else { "" }
    }
}

fn is_chinese(tag: &str) -> bool {
    tag.trim().get(..2).is_some_and(|primary| primary.eq_ignore_ascii_case("zh"))
}

/// Compares the weights of English and Chinese. With equal weights the first wins (RFC 9110, section 12.5.4).
fn prefers_chinese(accepted: &str) -> bool {
    let mut best: Option<(f32, bool)> = None;
    for part in accepted.split(',') {
        let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
        let english = tag.trim().get(..2).is_some_and(|primary| primary.eq_ignore_ascii_case("en"));
        let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok());
        let Some(weight) = weight.filter(|weight| *weight > 0.0) else { continue };
        if (english || is_chinese(tag)) && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, !english));
        }
    }
    best.is_some_and(|(_, chinese)| chinese)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_or_the_query_chooses_the_language() {
        for (accepted, chinese) in [
            ("", false),
            ("zh", true),
            ("zh-CN,zh;q=0.9,en;q=0.8", true),
            ("en-US,en;q=0.9,zh-CN;q=0.8", false),
            ("de, zh-TW;q=0.5, en;q=0.4", true),
            ("en;q=0, zh;q=0.1", true),
            ("fr, *;q=0.5", false),
            ("中文", false),
            ("zh;q=x, en", false),
        ] {
            assert_eq!(prefers_chinese(accepted), chinese, "{accepted}");
        }
        let none = HeaderMap::new();
        for (query, chinese, chosen) in [
            ("", false, false),
            ("lang=zh-CN", true, true),
            ("a=1&lang=fr", false, true),
            ("lang=%FF", false, true),
        ] {
            assert_eq!(Language::of(query, &none), Language { chinese, chosen }, "{query}");
        }
    }
}
