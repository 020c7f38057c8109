//! Fields as an indented table.

use maud::{Markup, html};
use wechatpay_chain::catalogue::{Field, Fields};

use super::super::page;
use super::site::Here;

/// A table below the heading with the id `heading`.
pub(super) fn table(here: &Here, heading: &str, fields: Fields) -> Markup {
    let mut rows = Vec::new();
    add_rows(here, fields, 0, &mut rows);
    html! {
        div.wide tabindex="0" role="region" aria-labelledby=(heading) {
            table {
                thead {
                    tr {
                        th scope="col" { (here.label("field")) }
                        th scope="col" { (here.label("type")) }
                        th scope="col" { (here.label("required")) }
                        th scope="col" { (here.label("limits and values")) }
                    }
                }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

fn add_rows(here: &Here, fields: Fields, depth: usize, rows: &mut Vec<Markup>) {
    for field in fields.iter() {
        rows.push(row(here, field, depth));
        add_rows(here, field.fields(), depth + 1, rows);
    }
}

fn row(here: &Here, field: Field, depth: usize) -> Markup {
    let limits = page::limits(field, here.language);
    let values: Vec<_> = field.values().collect();
    html! {
        tr {
            td style=[(depth > 0).then(|| format!("--depth:{depth}"))] { code { (field.name()) } }
            td { (field.type_name()) }
            td { (page::required(field, here.language)) }
            td {
                @for limit in &limits { span.limit { (limit) } " " }
                @if !values.is_empty() {
                    span.values { @for value in &values { code { (value) } " " } }
                }
                @if !field.is_listed() { span.limit { (here.label("not on the present page")) } }
            }
        }
    }
}
