//! What a URL of the page shows: the tab, its filter, the open entry, the language.

use std::borrow::Cow;

use http::HeaderMap;
use url::form_urlencoded;

use super::{PATH, explorer, language::Language};
use crate::sandbox::store::page::{Place, Window};

/// The length of a list: a page of a phone, not of a book.
const PAGE_SIZE: usize = 20;

/// The longest text to search for, in characters.
const MAX_QUERY: usize = 200;

/// The sections of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Orders,
    Requests,
    Notifications,
    Endpoints,
    Faults,
    Platform,
    Connect,
}

/// Each tab with its name in a URL and its label.
const TABS: [(Tab, &str, &str, &str); 7] = [
    (Tab::Orders, "orders", "Orders", "单据"),
    (Tab::Requests, "requests", "Requests", "请求"),
    (Tab::Notifications, "notifications", "Notifications", "回调通知"),
    (Tab::Endpoints, "endpoints", "Endpoints", "接口"),
    (Tab::Faults, "faults", "Faults", "故障"),
    (Tab::Platform, "platform", "Keys and clock", "密钥和时钟"),
    (Tab::Connect, "connect", "Connect", "接入"),
];

impl Tab {
    pub(crate) fn all() -> impl Iterator<Item = Tab> {
        TABS.iter().map(|(tab, ..)| *tab)
    }

    /// The name, the English and the Chinese label.
    fn row(self) -> (&'static str, &'static str, &'static str) {
        // Every tab has a row.
        TABS.iter().find(|(tab, ..)| *tab == self).map_or(("", "", ""), |(_, name, en, zh)| (name, en, zh))
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().0
    }

    pub(crate) fn label(self, l: Language) -> &'static str {
        let (_, english, chinese) = self.row();
        l.say(english, chinese)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) language: Language,
    pub(crate) tab: Tab,
    /// Text to search for, or empty.
    pub(crate) query: String,
    /// The chosen state or status, or empty.
    pub(crate) status: String,
    before: Option<u64>,
    /// The number of the open entry.
    pub(crate) open: Option<u64>,
    /// What the tab of endpoints shows.
    pub(crate) endpoint: Endpoint,
}

/// A choice among the documented endpoints; empty texts choose all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    /// The path, a template or with values.
    pub(crate) path: String,
    pub(crate) verb: String,
    /// The base URL, where a path has several.
    pub(crate) base: String,
    pub(crate) mode: String,
}

impl View {
    /// Of a repeated parameter, the first one counts. What cannot be used is ignored.
    pub(crate) fn of(target: &str, headers: &HeaderMap) -> View {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let text = pairs.find(|(known, _)| known == name).map(|(_, value)| value).unwrap_or_default();
            text.trim().chars().take(MAX_QUERY).collect::<String>()
        };
        let tab = TABS.iter().find(|(_, name, ..)| *name == value("tab")).map(|(tab, ..)| *tab);
        let path = explorer::path_of(target);
        let tab = if path.is_some() { Some(Tab::Endpoints) } else { tab };
        let endpoint = Endpoint {
            path: path.unwrap_or_default(),
            verb: value("verb").to_ascii_uppercase(),
            base: value("base"),
            mode: value("mode"),
        };
        View {
            language: Language::of(query, headers),
            endpoint,
            tab: tab.unwrap_or(Tab::Orders),
            query: value("q"),
            status: value("status"),
            before: value("before").parse().ok(),
            open: value("open").parse().ok(),
        }
    }

    pub(crate) fn window(&self) -> Window {
        Window { before: self.before, size: PAGE_SIZE, keep: self.open }
    }

    pub(crate) fn is_filtered(&self) -> bool {
        !self.query.is_empty() || !self.status.is_empty()
    }

    /// The same tab in another language.
    pub(crate) fn speaking(&self, tag: &str) -> View {
        View { language: self.language.chosen(tag), ..self.clone() }
    }

    /// Another tab, from its beginning.
    pub(crate) fn tab(&self, tab: Tab) -> View {
        let (query, status) = (String::new(), String::new());
        let endpoint = Endpoint::default();
        View { language: self.language, tab, query, status, before: None, open: None, endpoint }
    }

    /// An endpoint.
    pub(crate) fn endpoint(&self, endpoint: Endpoint) -> View {
        View { endpoint, ..self.tab(Tab::Endpoints) }
    }

    /// The entries of a tab that contain this text.
    pub(crate) fn search(&self, tab: Tab, query: &str) -> View {
        View { query: query.into(), ..self.tab(tab) }
    }

    /// The same list from this cursor on.
    pub(crate) fn page(&self, before: Option<u64>) -> View {
        View { before, open: None, ..self.clone() }
    }

    /// The same list with this entry open, or with none.
    pub(crate) fn opened(&self, open: Option<u64>) -> View {
        View { open, ..self.clone() }
    }

    /// An entry of a tab, open and at the top of the list.
    pub(crate) fn entry(&self, tab: Tab, number: u64) -> View {
        View { before: Some(number.saturating_add(1)), open: Some(number), ..self.tab(tab) }
    }

    /// The URL, for links, forms and the script.
    pub(crate) fn address(&self) -> String {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        // The tab of endpoints has paths of its own.
        let tab = if matches!(self.tab, Tab::Orders | Tab::Endpoints) { "" } else { self.tab.name() };
        let path: Cow<'_, str> = match self.tab {
            Tab::Endpoints => explorer::address_of(&self.endpoint.path).into(),
            _ => PATH.into(),
        };
        let pairs = [
            ("tab", tab),
            ("verb", &self.endpoint.verb),
            ("base", &self.endpoint.base),
            ("mode", &self.endpoint.mode),
            ("q", &self.query),
            ("status", &self.status),
            ("before", &number(self.before)),
            ("open", &number(self.open)),
            ("lang", self.language.choice()),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        match query.finish() {
            empty if empty.is_empty() => path.into_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// `21–40 / 95`.
    pub(crate) fn position(place: &Place) -> String {
        let Place { skipped, shown, total, .. } = place;
        format!("{}–{} / {total}", skipped + usize::from(*shown > 0), skipped + shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_survives_its_address() {
        let none = HeaderMap::new();
        for (target, address) in [
            ("/", "/_sandbox/"),
            ("/_sandbox/?tab=orders", "/_sandbox/"),
            ("/_sandbox/?tab=<b>&open=x&before=-1", "/_sandbox/"),
            ("/?lang=zh-TW", "/_sandbox/?lang=zh-CN"),
            ("/?tab=endpoints", "/endpoints"),
            ("/endpoints/", "/endpoints"),
            ("/endpoints?q=%E9%80%80%E6%AC%BE&verb=post", "/endpoints?verb=POST&q=%E9%80%80%E6%AC%BE"),
            ("/endpoints/v3/a/{b_c}/d%2Fe/?verb=GET", "/endpoints/v3/a/%7Bb_c%7D/d/e/?verb=GET"),
            (
                "/?open=7&before=8&status=401&q=%20a%26b%22&tab=requests&tab=faults",
                "/_sandbox/?tab=requests&q=a%26b%22&status=401&before=8&open=7",
            ),
        ] {
            assert_eq!(View::of(target, &none).address(), address, "{target}");
            assert_eq!(View::of(address, &none).address(), address);
        }
        let view = View::of("/?tab=requests&q=a&before=9&open=3&lang=en", &none);
        assert_eq!(view.tab(Tab::Faults).address(), "/_sandbox/?tab=faults&lang=en");
        assert_eq!(view.page(None).address(), "/_sandbox/?tab=requests&q=a&lang=en");
        assert_eq!(view.entry(Tab::Requests, 5).address(), "/_sandbox/?tab=requests&before=6&open=5&lang=en");
    }
}
