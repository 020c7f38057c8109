//! The files of an export and the links between them. Links are relative, so that it can lie anywhere.

use std::collections::{BTreeMap, HashMap};

use wechatpay_chain::catalogue::{Catalogue, DocumentedNotification, Operation};

use super::super::language::Language;
use super::{index, pages};

/// All files by their paths.
pub(super) fn files() -> BTreeMap<String, String> {
    let map = Map::new();
    let mut files = BTreeMap::from([
        ("assets/style.css".to_owned(), include_str!("style.css").to_owned()),
        ("assets/search.js".to_owned(), include_str!("search.js").to_owned()),
        ("assets/endpoints.js".to_owned(), index::search_data(&map)),
    ]);
    for language in [Language::En, Language::Zh] {
        let mut add = |page: &str, content: &dyn Fn(&Here) -> String| {
            let here = Here { language, page };
            files.insert(format!("{}{page}", here.tree()), content(&here));
        };
        add("index.html", &|here| index::page(here, &map));
        for operation in Catalogue::operations() {
            add(map.page(operation), &|here| pages::operation(here, &map, operation));
        }
        for notification in Catalogue::notifications() {
            add(&notification_page(notification), &|here| pages::notification(here, notification));
        }
    }
    files
}

/// A page, in one of the languages.
pub(super) struct Here<'a> {
    pub(super) language: Language,
    /// Its path in the tree of the language.
    pub(super) page: &'a str,
}

impl Here<'_> {
    fn tree(&self) -> &'static str {
        match self.language {
            Language::En => "",
            Language::Zh => "zh/",
        }
    }

    fn up(&self) -> String {
        "../".repeat(self.page.matches('/').count())
    }

    /// The address of another page in this language.
    pub(super) fn to(&self, page: &str) -> String {
        format!("{}{page}", self.up())
    }

    /// The address of the same page in the other language.
    pub(super) fn translated(&self) -> String {
        match self.language {
            Language::En => format!("{}zh/{}", self.up(), self.page),
            Language::Zh => format!("{}../{}", self.up(), self.page),
        }
    }

    pub(super) fn asset(&self, name: &str) -> String {
        let above = if self.tree().is_empty() { "" } else { "../" };
        format!("{}{above}assets/{name}", self.up())
    }

    pub(super) fn label(&self, english: &'static str) -> &'static str {
        self.language.label(english)
    }
}

/// The pages of the operations.
pub(super) struct Map(HashMap<Key, String>);

type Key = (&'static str, &'static str, &'static str);

fn key(operation: Operation) -> Key {
    (operation.verb(), operation.template(), operation.base())
}

impl Map {
    fn new() -> Map {
        let mut map = HashMap::new();
        // Two templates may differ in what a file system takes for the same.
        let mut taken = HashMap::<String, usize>::new();
        for operation in Catalogue::operations() {
            let page = usual_page(operation);
            let count = taken.entry(page.to_ascii_lowercase()).or_default();
            *count += 1;
            let page = match *count {
                1 => page,
                count => page.replace(".html", &format!("-{count}.html")),
            };
            map.insert(key(operation), page);
        }
        Map(map)
    }

    pub(super) fn page(&self, operation: Operation) -> &str {
        self.0.get(&key(operation)).map_or("", String::as_str)
    }
}

/// `endpoints/v3/pay/transactions/id/_transaction_id_/get.html`: a variable is written as in the chain of PHP.
pub(super) fn usual_page(operation: Operation) -> String {
    let path = operation.template().trim_end_matches('/').replace(['{', '}'], "_");
    format!("endpoints/{path}/{}.html", operation.verb().to_ascii_lowercase())
}

pub(super) fn notification_page(notification: DocumentedNotification) -> String {
    let version = if notification.is_v2() { "v2" } else { "v3" };
    format!("notifications/{version}/{}.html", notification.event())
}
