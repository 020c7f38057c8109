//! The form of the files in `data/`: each fault with its line, for whoever adds or corrects an operation.

use std::collections::HashSet;

use super::Catalogue;

const OPERATIONS: &str = include_str!("data/operations.txt");
const NOTIFICATIONS: &str = include_str!("data/notifications.txt");

/// What the lines of one file may be.
struct Form {
    /// Lines of a record that have a value; `true`: any number of them.
    values: &'static [(&'static str, bool)],
    /// Lines that are only there or not.
    flags: &'static [&'static str],
    sections: &'static [&'static str],
    /// The two words of a head, in the order by which records are sorted.
    order: for<'a> fn(&'a str, &'a str) -> (&'a str, &'a str),
    /// The fault of a head.
    head: fn(&str, &str) -> Option<&'static str>,
}

const OF_OPERATIONS: Form = Form {
    values: &[
        ("title", false),
        ("also", false),
        ("tag", true),
        ("mode", false),
        ("base", false),
        ("base-too", true),
        ("url", false),
        ("docs", true),
        ("kind", false),
        ("status", false),
        ("updated", false),
        ("withdrawn", false),
        ("instead", true),
        ("either", true),
    ],
    flags: &["restricted", "superseded", "client-certificate", "no-nonce"],
    sections: &["path", "query", "headers", "form", "body", "response", "failure"],
    order: |verb, template| (template, verb),
    head: |verb, template| {
        let is_variable =
            |segment: &str| segment.len() > 2 && segment.starts_with('{') && segment.ends_with('}');
        match verb {
            "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => {}
            _ => return Some("a record begins with GET, POST, PUT, PATCH or DELETE"),
        }
        if !template.starts_with("v3/") && !template.starts_with("v2/") {
            return Some("the template begins with `v3/` or `v2/`");
        }
        let mut segments = template.split('/');
        let is_fit = |segment: &str| !segment.contains(['{', '}', ' ', '?']) || is_variable(segment);
        (!segments.all(is_fit)).then_some("a variable is a whole segment: `{name}`")
    },
};

const OF_NOTIFICATIONS: Form = Form {
    values: &[
        ("title", false),
        ("docs", true),
        ("event-type", false),
        ("original-type", false),
        ("resource-type", false),
    ],
    flags: &[],
    sections: &["resource", "body"],
    order: |version, event| (version, event),
    head: |version, event| {
        let is_fit = matches!(version, "v2" | "v3") && !event.is_empty() && !event.contains(' ');
        (!is_fit).then_some("a record begins with `v3` or `v2` and the event")
    },
};

/// A field whose lines are being read: the names below it, and whether it can have any.
struct Level {
    names: HashSet<String>,
    can_have_fields: bool,
}

/// All faults of a text, each as `LINE: FAULT`.
fn faults(text: &str, form: &Form) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut keys, mut levels) = (HashSet::new(), Vec::<Level>::new());
    let mut earlier: Option<(&str, &str)> = None;
    for (number, line) in text.lines().enumerate() {
        let mut say = |fault: String| faults.push(format!("{}: {fault}: `{line}`", number + 1));
        let content = line.trim_start_matches(' ');
        let depth = line.len() - content.len();
        if content.is_empty()
            || content.starts_with(char::is_whitespace)
            || content.ends_with(char::is_whitespace)
        {
            say("no empty line, no tab and no blank at the end".to_owned());
            continue;
        }
        let (first, rest) = content.split_once(' ').unwrap_or((content, ""));
        match depth {
            0 => {
                if let Some(fault) = (form.head)(first, rest) {
                    say(fault.to_owned());
                }
                let own = (form.order)(first, rest);
                if earlier.is_some_and(|earlier| earlier > own) {
                    say("the records are sorted: by template, then verb; notifications by event".to_owned());
                }
                earlier = Some(own);
                (keys, levels) = (HashSet::new(), Vec::new());
            }
            1 if form.sections.contains(&content) => {
                if !keys.insert(content) {
                    say("stands twice in its record".to_owned());
                }
                levels = vec![Level { names: HashSet::new(), can_have_fields: true }];
            }
            1 => {
                let known = form.values.iter().find(|(name, _)| *name == first);
                let fault = match known {
                    Some((_, is_list)) if !rest.is_empty() => {
                        if !is_list && !keys.insert(first) {
                            say("stands twice in its record".to_owned());
                        }
                        value_fault(first, rest)
                    }
                    Some(_) => Some("a value is missing"),
                    None if form.flags.contains(&content) => None,
                    None => Some("no line of a record and no section has this name"),
                };
                if let Some(fault) = fault {
                    say(fault.to_owned());
                }
                if !levels.is_empty() {
                    say("the lines of a record stand before its sections".to_owned());
                }
            }
            _ => {
                levels.truncate(depth - 1);
                let is_below = levels.len() == depth - 1;
                match levels.last_mut().filter(|_| is_below) {
                    None => {
                        say("is below nothing: a field has one space more than what it belongs to".to_owned())
                    }
                    Some(level) => {
                        if !level.can_have_fields {
                            say("is below a field that has none: give that one the type object".to_owned());
                        }
                        let name = first.trim_end_matches(['!', '?']);
                        if !level.names.insert(name.to_owned()) {
                            say("stands twice in its place".to_owned());
                        }
                    }
                }
                if let Some(fault) = field_fault(first, rest) {
                    say(fault);
                }
                let (kind, marks) = rest.split_once(' ').unwrap_or((rest, ""));
                let can_have_fields = matches!(kind.trim_end_matches("[]"), "object" | "json")
                    || ["format=urlencoded", "format=ciphertext"].iter().any(|form| marks.contains(form));
                levels.push(Level { names: HashSet::new(), can_have_fields });
            }
        }
    }
    faults
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([4, 2, 2])
        && parts.concat().bytes().all(|byte| byte.is_ascii_digit())
}

/// What is wrong with the value of a line of a record.
fn value_fault(name: &str, value: &str) -> Option<&'static str> {
    let modes = ["merchant", "partner", "platform", "institution", "global"];
    let is_path = |template: &str| template.starts_with("v3/") || template.starts_with("v2/");
    match name {
        "mode" if !value.split(' ').all(|mode| modes.contains(&mode)) => {
            Some("a mode is merchant, partner, platform, institution or global")
        }
        "base" | "base-too" if !(value.starts_with("https://") && value.ends_with('/')) => {
            Some("a base URL begins with `https://` and ends with `/`")
        }
        "docs"
            if !(value.starts_with('/') || value.starts_with("https://"))
                || value.contains(['{', '}', ' ']) =>
        {
            Some("the address of a document is a path on pay.weixin.qq.com, or begins with `https://`")
        }
        "kind" if !["xml", "upload", "download", "redirect"].contains(&value) => {
            Some("a kind is xml, upload, download or redirect; for JSON there is no line")
        }
        "status" if !value.split(' ').all(|status| matches!(status.parse(), Ok(200..=399_u16))) => {
            Some("a status is a number from 200 to 399")
        }
        "updated" | "withdrawn" if !is_date(value) => Some("a date is written 2026-01-31"),
        "instead" if !is_path(value.split_once(' ').map_or(value, |(_, template)| template)) => {
            Some("a successor is a template, with its verb before it or not")
        }
        "either" if value.split(' ').count() < 3 => Some("needs the place and at least two names"),
        _ => None,
    }
}

const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "object", "file", "json"];
/// The marks with a value, and those that have none.
const VALUED: [&str; 8] = ["min", "max", "range", "items", "format", "default", "encrypted", "variant"];
const VARIANTS: [&str; 5] = ["merchant", "partner", "combined", "parking", "global"];
const BARE: [&str; 5] = ["encrypted", "with-encrypted", "automatic", "alternatives", "unlisted"];

/// Whether a value of `enum=` ends with a mark. A value may have a blank: `PARKING SPACE`.
fn is_mark_after(value: &str) -> bool {
    let last = value.rsplit_once(' ').map_or("", |(_, last)| last);
    BARE.contains(&last) || last.split_once('=').is_some_and(|(mark, _)| VALUED.contains(&mark))
}

/// What is wrong with the line of a field.
fn field_fault(head: &str, rest: &str) -> Option<String> {
    let name = head.strip_suffix(['!', '?']).unwrap_or(head);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte)) {
        return Some("a name has letters, digits, `_` and `-`, then perhaps `!` or `?`".to_owned());
    }
    let (marks, values) =
        rest.split_once(" enum=").map_or((rest, None), |(marks, values)| (marks, Some(values)));
    let mut words = marks.split(' ');
    let kind = words.next().unwrap_or_default();
    if !TYPES.contains(&kind.trim_end_matches("[]")) || kind.ends_with("[][]") {
        return Some(format!("a type is {}, with `[]` for a list", TYPES.join(", ")));
    }
    for word in words {
        let (mark, value) = word.split_once('=').map_or((word, None), |(mark, value)| (mark, Some(value)));
        let number = |text: &str| text.is_empty() || text.parse::<i64>().is_ok();
        let is_fit = match (mark, value) {
            ("min" | "max" | "items", Some(value)) => value.parse::<usize>().is_ok(),
            ("range", Some(value)) => {
                value != ".." && value.split_once("..").is_some_and(|(low, high)| number(low) && number(high))
            }
            ("variant", Some(value)) => value.split(',').all(|variant| VARIANTS.contains(&variant)),
            ("encrypted", Some(value)) => matches!(value, "merchant" | "bank"),
            (mark, Some(value)) => VALUED.contains(&mark) && !value.is_empty(),
            (mark, None) => BARE.contains(&mark),
        };
        if !is_fit {
            return Some(format!("no mark is written `{word}`"));
        }
    }
    let mut seen = HashSet::new();
    let mut values = values.into_iter().flat_map(|values| values.split('|'));
    values
        .any(|value| value.trim().is_empty() || is_mark_after(value) || !seen.insert(value))
        .then(|| "`enum=` comes last, and has each value once, with `|` between two".to_owned())
}

#[test]
fn the_files_have_the_form_that_the_code_reads() {
    for (name, text, form) in
        [("operations", OPERATIONS, &OF_OPERATIONS), ("notifications", NOTIFICATIONS, &OF_NOTIFICATIONS)]
    {
        let faults = faults(text, form);
        assert!(faults.is_empty(), "src/catalogue/data/{name}.txt:\n{}", faults.join("\n"));
    }
}

/// What a template, an `instead` and an `either` name exists.
#[test]
fn every_reference_leads_somewhere() {
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for operation in Catalogue::operations() {
        let (verb, template) = (operation.verb(), operation.template());
        let line = OPERATIONS.lines().position(|line| line == format!("{verb} {template}")).unwrap() + 1;
        let mut say = |fault: String| faults.push(format!("{line}: {verb} {template}: {fault}"));
        if !seen.insert((verb, template, operation.base())) {
            say("stands twice".to_owned());
        }
        if operation.title().is_empty() {
            say("has no title".to_owned());
        }
        let variables: Vec<&str> =
            template.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')).collect();
        let listed: Vec<&str> = operation.path_variables().iter().map(|field| field.name()).collect();
        for name in variables.iter().filter(|name| !listed.contains(name)) {
            say(format!("the section `path` lacks the variable `{name}`"));
        }
        for name in listed.iter().filter(|name| !variables.contains(name)) {
            say(format!("the template has no variable `{name}`"));
        }
        for successor in operation.successors() {
            let (verb, path) = successor.split_once(' ').unwrap_or(("", successor));
            if !Catalogue::at(path).iter().any(|other| verb.is_empty() || other.verb() == verb) {
                say(format!("no record has the successor `{successor}`"));
            }
        }
        for either in operation.either_or() {
            let (first, object) = either.place().split_once('.').unwrap_or((either.place(), ""));
            let section = operation.sections().find(|(name, _)| *name == first).map(|(_, fields)| fields);
            let mut objects = object.split('.').filter(|name| !name.is_empty());
            let fields = objects.try_fold(section, |fields, name| {
                fields.and_then(|fields| fields.get(name)).map(|object| Some(object.fields()))
            });
            let fields = fields.flatten();
            for name in either.names().filter(|name| fields.is_none_or(|fields| fields.get(name).is_none())) {
                say(format!("`either`: there is no field `{name}` in `{}`", either.place()));
            }
        }
    }
    assert!(faults.is_empty(), "src/catalogue/data/operations.txt:\n{}", faults.join("\n"));
}

#[test]
fn a_fault_is_told_with_its_line() {
    const RIGHT: &str = "POST v3/a/{id}\n title 标题\n docs /doc/1\n path\n  id! string\n body\n  a! object\n   b string max=3 enum=X|Y\n";
    assert!(faults(RIGHT, &OF_OPERATIONS).is_empty());
    for (right, wrong, line, fault) in [
        ("POST ", "post ", 1, "begins with GET"),
        ("v3/a", "/v3/a", 1, "begins with `v3/`"),
        ("{id}", "x{id}", 1, "whole segment"),
        (" title", " titel", 2, "has this name"),
        (" title 标题", " title", 2, "value is missing"),
        (" docs", "\tdocs", 3, "no tab"),
        ("/doc/1", "doc/1", 3, "address"),
        ("/doc/1", "/doc/1}", 3, "address"),
        (" docs", " title", 3, "twice"),
        (" path", " paths", 4, "has this name"),
        ("  id!", "   id!", 5, "below nothing"),
        ("id! string", "id! text", 5, "a type is"),
        ("id! string", "id!! string", 5, "a name has"),
        (" body\n", " body\n mode merchant\n", 7, "before its sections"),
        ("a! object", "a! string", 8, "below a field that has none"),
        ("max=3", "max=three", 8, "no mark is written `max=three`"),
        ("max=3", "longest=3", 8, "no mark is written"),
        ("max=3", "encrypted=me", 8, "no mark is written"),
        ("max=3 enum=X|Y", "enum=X|Y max=3", 8, "`enum=` comes last"),
        ("max=3 enum=X|Y", "enum=X|Y automatic", 8, "`enum=` comes last"),
        ("X|Y", "X|X", 8, "each value once"),
        ("Y\n", "Y\n   b string\n", 9, "twice in its place"),
        ("Y\n", "Y\n\n", 9, "no empty line"),
        ("Y\n", "Y\nGET v3/a\n", 9, "sorted"),
        ("docs /doc/1", "mode shop", 3, "a mode is"),
        ("docs /doc/1", "kind json", 3, "a kind is"),
        ("docs /doc/1", "status 700", 3, "a status is"),
        ("docs /doc/1", "updated 2026-1-1", 3, "a date is"),
        ("docs /doc/1", "base api.mch.weixin.qq.com", 3, "a base URL"),
        ("docs /doc/1", "instead refunds", 3, "a successor is"),
        ("docs /doc/1", "either body", 3, "needs the place"),
    ] {
        assert!(RIGHT.contains(right), "{right}");
        let found = faults(&RIGHT.replacen(right, wrong, 1), &OF_OPERATIONS);
        let expected = |found: &String| found.starts_with(&format!("{line}: ")) && found.contains(fault);
        assert!(found.iter().any(expected), "{wrong}: {found:?}");
    }
    assert!(!faults("v4 A\n title x\n", &OF_NOTIFICATIONS).is_empty());
    assert!(!faults("v3 A\n path\n", &OF_NOTIFICATIONS).is_empty());
}
