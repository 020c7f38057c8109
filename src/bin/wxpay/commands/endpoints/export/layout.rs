//! The frame of every page.

use maud::{DOCTYPE, Markup, html};

use super::super::language::Language;
use super::site::Here;

/// `title` is Chinese, as the official titles are, unless the page is `index.html`.
pub(super) fn page(here: &Here, title: &str, scripts: bool, main: &Markup) -> String {
    let (lang, other, name) = match here.language {
        Language::En => ("en", "zh", "简体中文"),
        Language::Zh => ("zh", "en", "English"),
    };
    let is_index = here.page == "index.html";
    let markup = html! {
        (DOCTYPE)
        html lang=(lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) @if !is_index { " · " (here.label("endpoints of WeChat Pay")) } }
                link rel="stylesheet" href=(here.asset("style.css"));
                link rel="alternate" hreflang=(other) href=(here.translated());
                @if scripts {
                    script src=(here.asset("endpoints.js")) defer {}
                    script src=(here.asset("search.js")) defer {}
                }
            }
            body {
                a.skip href="#main" { (here.label("skip to the content")) }
                header {
                    nav aria-label=(here.label("pages")) {
                        @if is_index {
                            span aria-current="page" { (here.label("all endpoints")) }
                        } @else {
                            a href=(here.to("index.html")) { (here.label("all endpoints")) }
                        }
                        a lang=(other) hreflang=(other) href=(here.translated()) { (name) }
                    }
                }
                main #main { (main) }
                footer { p { (here.label("names, types and limits from public documents; not an official page")) } }
            }
        }
    };
    markup.into_string()
}
