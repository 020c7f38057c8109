//! The parts that the lists of the page share: the filter, the table, the links to other pages.

use maud::{Markup, html};

use super::{
    PATH,
    language::Language,
    view::{Tab, View},
};
use crate::sandbox::store::page::Place;

/// A row of a list. The first cell contains the link that opens it.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) cells: Vec<Markup>,
    /// What the open row shows below itself.
    pub(crate) detail: Option<Markup>,
}

/// A list of one tab.
pub(crate) struct List<'a> {
    pub(crate) caption: &'a str,
    pub(crate) columns: &'a [&'a str],
    pub(crate) rows: Vec<Row>,
    pub(crate) place: Place,
}

/// A form that filters the list of the tab: a text, and one of these values with their labels.
pub(crate) fn filter(view: &View, text: &str, choice: &str, options: &[(String, String)]) -> Markup {
    let l = view.language;
    html! {
        form .filter role="search" action=(PATH) {
            input type="hidden" name="tab" value=(view.tab.name());
            @if !l.choice().is_empty() { input type="hidden" name="lang" value=(l.choice()); }
            label { span { (text) }
                input type="search" name="q" value=(view.query) autocomplete="off" spellcheck="false"; }
            label { span { (choice) }
                select name="status" {
                    option value="" { (l.say("All", "全部")) }
                    @for (value, label) in options {
                        option value=(value) selected[*value == view.status] { (label) }
                    }
                } }
            button { (l.say("Search", "查找")) }
            @if view.is_filtered() {
                a href=(view.tab(view.tab).address()) { (l.say("Clear filter", "清除条件")) }
            }
        }
    }
}

/// The table, and links to newer and older entries.
pub(crate) fn table(view: &View, list: List<'_>) -> Markup {
    let l = view.language;
    if list.rows.is_empty() && view.is_filtered() {
        return html! { p #list .empty tabindex="-1" { (l.say("Nothing matches the filter.", "没有符合条件的记录。")) } };
    }
    html! {
        // The roles remain when a narrow screen shows the table as cards.
        table #list .list .(view.tab.name()) role="table" tabindex="-1" {
            caption .unseen { (list.caption) }
            thead role="rowgroup" { tr role="row" {
                @for column in list.columns { th role="columnheader" scope="col" { (column) } }
            } }
            tbody role="rowgroup" { @for row in list.rows { (self::row(&row, list.columns)) } }
        }
        (pager(view, &list.place))
    }
}

fn row(row: &Row, columns: &[&str]) -> Markup {
    html! {
        tr #(row.id) .open[row.detail.is_some()] role="row" tabindex="-1" {
            @for (number, (cell, column)) in row.cells.iter().zip(columns).enumerate() {
                td .{ "c" (number) } role="cell" data-label=(column) { (cell) }
            }
        }
        @if let Some(detail) = &row.detail {
            tr #{ (row.id) "-detail" } .detail role="row" {
                td role="cell" colspan=(columns.len()) { (detail) }
            }
        }
    }
}

/// The link that opens or closes an entry, with its text.
pub(crate) fn opener(view: &View, number: u64, row: &str, text: Markup) -> Markup {
    let is_open = view.open == Some(number);
    let address = view.opened(if is_open { None } else { Some(number) }).address();
    html! {
        a .opener #{ "open-" (row) } href={ (address) "#" (row) } aria-expanded=(is_open) { (text) }
    }
}

fn pager(view: &View, place: &Place) -> Markup {
    let l = view.language;
    if place.total <= place.shown {
        return html! {};
    }
    let link = |cursor: Option<u64>| format!("{}#{}", view.page(cursor).address(), SECTION);
    html! {
        nav .pager aria-label=(l.say("Pages", "分页")) {
            @if let Some(newer) = place.newer {
                a href=(link(newer)) rel="prev" { "← " (l.say("Newer", "较新")) }
            }
            span { (View::position(place)) }
            @if let Some(older) = place.older {
                a href=(link(Some(older))) rel="next" { (l.say("Older", "较早")) " →" }
            }
        }
    }
}

/// The id of the section of a tab.
pub(crate) const SECTION: &str = "content";

/// A text with a button that copies it. Without the script there is no button, and the text can be selected.
pub(crate) fn copyable(l: Language, id: &str, text: &str, label: &str) -> Markup {
    html! {
        button .copy type="button" data-copy=(id) data-done=(l.say("Copied", "已复制")) { (label) }
        template #(id) { (text) }
    }
}

/// A link to the entries of a tab that contain a number.
pub(crate) fn search_link(view: &View, tab: Tab, number: &str) -> Markup {
    html! { a href=(view.search(tab, number).address()) { (tab.label(view.language)) } }
}
