//! The page of one endpoint, as text and as JSON.

use serde_json::{Map, Value, json};
use wechatpay_chain::catalogue::{Availability, EncryptedFor, Field, Fields, Include, Operation, Spelling};

use super::language::Language;

/// The most documented values of a field that are shown in its row.
const MOST_VALUES: usize = 12;

pub(super) fn text(operation: Operation, include: Include, language: Language) -> String {
    let mut page = format!("{}\n{} {}\n", operation.title(), operation.verb(), operation.template());
    let mut row = |label: &'static str, value: String| {
        if !value.is_empty() {
            page.push_str(&format!("  {}: {value}\n", language.label(label)));
        }
    };
    row("base URL", operation.bases().collect::<Vec<_>>().join(" "));
    row("for", operation.modes().collect::<Vec<_>>().join(" "));
    row("group", operation.tags().collect::<Vec<_>>().join(" "));
    row("documents", operation.docs().take(3).collect::<Vec<_>>().join("\n    "));
    row("compared", operation.updated().unwrap_or_default().to_owned());
    row("status", operation.statuses().map(|status| status.to_string()).collect::<Vec<_>>().join(" "));
    match operation.availability() {
        Availability::Withdrawn(day) => row("withdrawn", day.to_owned()),
        Availability::Superseded => row("superseded", "✓".to_owned()),
        Availability::Restricted => row("restricted", "✓".to_owned()),
        _ => {}
    }
    row("use instead", operation.successors().collect::<Vec<_>>().join(" "));
    row("client certificate", if operation.needs_client_certificate() { "✓" } else { "" }.to_owned());
    for either in operation.either_or() {
        row("one of", format!("{} ({})", either.names().collect::<Vec<_>>().join(" "), either.place()));
    }
    for (section, fields) in operation.sections() {
        page.push_str(&format!("\n{}\n", language.label(section)));
        let mut rows = Vec::new();
        add_rows(fields, 1, language, &mut rows);
        page.push_str(&table(&rows));
    }
    for spelling in Spelling::ALL {
        if let Some(example) = operation.example(spelling, include) {
            page.push_str(&format!("\n{}\n", spelling.name()));
            page.push_str(&example.lines().map(|line| format!("  {line}\n")).collect::<String>());
        }
    }
    page.trim_end().to_owned()
}

/// Name, type, whether required, the rest.
type Row = [String; 4];

fn add_rows(fields: Fields, depth: usize, language: Language, rows: &mut Vec<Row>) {
    for field in fields.iter() {
        let name = format!("{}{}", "  ".repeat(depth), field.name());
        rows.push([
            name,
            field.type_name().to_owned(),
            required(field, language).to_owned(),
            remarks(field, language),
        ]);
        add_rows(field.fields(), depth + 1, language, rows);
    }
}

fn remarks(field: Field, language: Language) -> String {
    let mut remarks = limits(field, language);
    let values: Vec<_> = field.values().collect();
    if !values.is_empty() {
        let more = if values.len() > MOST_VALUES { " …" } else { "" };
        remarks.push(format!("{}{more}", values[..values.len().min(MOST_VALUES)].join(" | ")));
    }
    if !field.is_listed() {
        remarks.push(language.label("not on the present page").to_owned());
    }
    remarks.join("; ")
}

/// Whether a field is required; empty, if it is not.
pub(super) fn required(field: Field, language: Language) -> &'static str {
    match (field.is_required(), field.is_perhaps_required()) {
        (true, _) => language.label("required"),
        (_, true) => language.label("perhaps required"),
        _ => "",
    }
}

/// Encryption, length, range, number, form.
pub(super) fn limits(field: Field, language: Language) -> Vec<String> {
    let mut limits = Vec::new();
    match field.encrypted_for() {
        Some(EncryptedFor::Merchant) => limits.push(language.label("encrypted for you").to_owned()),
        Some(_) => limits.push(language.label("encrypted").to_owned()),
        None => {}
    }
    match (field.min_length(), field.max_length()) {
        (Some(least), Some(most)) => limits.push(format!("{least}–{most}")),
        (Some(least), None) => limits.push(format!("≥ {least}")),
        (None, Some(most)) => limits.push(format!("≤ {most}")),
        (None, None) => {}
    }
    match field.range() {
        (None, None) => {}
        (least, most) => {
            let shown = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
            limits.push(format!("{}..{}", shown(least), shown(most)));
        }
    }
    limits.extend(field.max_items().map(|most| format!("[≤ {most}]")));
    limits.extend(field.format().map(str::to_owned));
    limits
}

fn table(rows: &[Row]) -> String {
    let width = |column: usize| rows.iter().map(|row| columns(&row[column])).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width + 2 - columns(cell)));
        }
        line.push_str(&row[3]);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The width in a terminal: a Chinese character takes two columns.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum()
}

/// All facts, for programs.
pub(super) fn json(operation: Operation) -> Value {
    let availability = match operation.availability() {
        Availability::Withdrawn(day) => json!({"withdrawn": day}),
        Availability::Superseded => json!("superseded"),
        Availability::Restricted => json!("restricted"),
        _ => json!("current"),
    };
    let mut page = json!({
        "verb": operation.verb(),
        "template": operation.template(),
        "title": operation.title(),
        "bases": operation.bases().collect::<Vec<_>>(),
        "modes": operation.modes().collect::<Vec<_>>(),
        "tags": operation.tags().collect::<Vec<_>>(),
        "docs": operation.docs().collect::<Vec<_>>(),
        "statuses": operation.statuses().collect::<Vec<_>>(),
        "availability": availability,
        "successors": operation.successors().collect::<Vec<_>>(),
    });
    for (section, fields) in operation.sections() {
        page[section] = json_fields(fields);
    }
    page
}

fn json_fields(fields: Fields) -> Value {
    let entry = |field: Field| {
        let mut facts = Map::new();
        facts.insert("type".to_owned(), field.type_name().into());
        facts.insert("required".to_owned(), field.is_required().into());
        let encrypted = field.encrypted_for().map(|_| Value::Bool(true));
        let values: Vec<_> = field.values().collect();
        let optional = [
            ("min_length", field.min_length().map(Value::from)),
            ("max_length", field.max_length().map(Value::from)),
            ("format", field.format().map(Value::from)),
            ("encrypted", encrypted),
            ("values", (!values.is_empty()).then(|| values.into())),
            ("fields", (!field.fields().is_empty()).then(|| json_fields(field.fields()))),
        ];
        facts.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        (field.name().to_owned(), Value::Object(facts))
    };
    fields.iter().map(entry).collect::<Map<_, _>>().into()
}
