//! Variables, parameters and fields of the operation that is called. A field is named as the command line takes it:
//! `reason=`, `amount[total]:=`, `goods[0][id]=`, `/amount/total:=`, `mchid==` for the query.

use clap_complete::engine::CompletionCandidate as Candidate;
use wechatpay_chain::catalogue::{Catalogue, Field, FieldType, Fields, Include};

use super::call::Call;
use super::values::{file_after_at, starting};

/// No document has objects nested deeper.
const DEEPEST: usize = 12;

/// `--var NAME=VALUE`
pub(super) fn path_variables(call: &Call, typed: &str) -> Vec<Candidate> {
    call.operation()
        .map(|operation| pairs(operation.path_variables(), call, "var", typed))
        .unwrap_or_default()
}

/// `-q NAME=VALUE`
pub(super) fn query(call: &Call, typed: &str) -> Vec<Candidate> {
    call.operation().map(|operation| pairs(operation.query(), call, "query", typed)).unwrap_or_default()
}

/// `--field NAME=VALUE` of an upload.
pub(super) fn form(call: &Call, typed: &str) -> Vec<Candidate> {
    call.operation().map(|operation| pairs(operation.form(), call, "fields", typed)).unwrap_or_default()
}

/// `-H 'NAME: VALUE'`
pub(super) fn headers(call: &Call, typed: &str) -> Vec<Candidate> {
    let headers = call.operation().map(|operation| operation.headers().iter().collect()).unwrap_or_default();
    let named = in_order(headers).into_iter().map(|field| (format!("{}:", field.name()), field));
    described(named.filter(|(name, _)| name.starts_with(typed)))
}

/// `--encrypt POINTER|NAME`
pub(super) fn encrypted(call: &Call, typed: &str) -> Vec<Candidate> {
    let Some(operation) = call.operation() else { return Vec::new() };
    let query = operation.query();
    let names =
        query.iter().filter(|field| field.encrypted_for().is_some()).map(|field| field.name().to_owned());
    let all = operation.encrypted_pointers(Include::All).into_iter().chain(names);
    starting(typed, all.filter(|pointer| call.values("encrypt").all(|given| given != pointer)))
}

/// `--decrypt POINTER`
pub(super) fn decrypted(call: &Call, typed: &str) -> Vec<Candidate> {
    let mut all = Vec::new();
    if let Some(operation) = call.operation() {
        add_encrypted(operation.response(), "", 0, &mut all);
    }
    starting(typed, all.into_iter().filter(|pointer| call.values("decrypt").all(|given| given != pointer)))
}

fn add_encrypted(fields: Fields, above: &str, depth: usize, all: &mut Vec<String>) {
    for field in fields.iter().filter(|_| depth < DEEPEST) {
        let pointer = format!("{above}/{}{}", field.name(), if field.is_list() { "/*" } else { "" });
        if field.encrypted_for().is_some() {
            all.push(pointer.clone());
        }
        add_encrypted(field.fields(), &pointer, depth + 1, all);
    }
}

/// The arguments of `get`: `NAME==VALUE`.
pub(super) fn query_fields(call: &Call, typed: &str) -> Vec<Candidate> {
    let Some(operation) = call.operation() else { return Vec::new() };
    if let Some((name, value)) = typed.split_once("==") {
        return operation
            .query()
            .get(name)
            .map(|field| values(field, &format!("{name}=="), value))
            .unwrap_or_default();
    }
    let given: Vec<_> = given_query(call).collect();
    let named = in_order(operation.query().iter().filter(|field| !given.contains(&field.name())).collect());
    let named = named.into_iter().map(|field| (format!("{}==", field.name()), field));
    described(named.filter(|(name, _)| name.starts_with(typed)))
}

/// The arguments of the other verbs: fields of the body, and parameters of the query.
pub(super) fn body_fields(call: &Call, typed: &str) -> Vec<Candidate> {
    let Some(operation) = call.operation() else { return Vec::new() };
    let Some((name, value)) = typed.split_once('=') else {
        let given: Vec<_> = call.values("fields").filter_map(given_field).collect();
        let mut found = Body { fields: operation.body(), given }.candidates(typed);
        found.extend(query_fields(call, typed));
        return found;
    };
    if value.starts_with('=') {
        return query_fields(call, typed);
    }
    let (plain, is_json) = name.strip_suffix(':').map_or((name, false), |name| (name, true));
    if value.starts_with('@') {
        let files = file_after_at(call, value).into_iter();
        return files.map(|file| file.add_prefix(format!("{name}="))).collect();
    }
    let Some(field) = field_at(operation.body(), &Name::parse(plain).tokens) else { return Vec::new() };
    if !is_json {
        return values(field, &format!("{name}="), value);
    }
    let is_text = matches!(field.field_type(), FieldType::String);
    let all: Vec<String> = match field.field_type() {
        FieldType::Boolean => vec!["true".to_owned(), "false".to_owned()],
        _ if is_text => field.values().map(|value| format!("\"{value}\"")).collect(),
        _ => field.values().map(str::to_owned).collect(),
    };
    starting(value, all).into_iter().map(|value| value.add_prefix(format!("{name}="))).collect()
}

/// `--set POINTER=TEXT` of a notification.
pub(super) fn of_resource(call: &Call, typed: &str) -> Vec<Candidate> {
    let Some(event) = call.value("event").and_then(Catalogue::notification) else { return Vec::new() };
    match typed.split_once('=') {
        Some((name, value)) => {
            let field = field_at(event.resource(), &Name::parse(name.trim_end_matches(':')).tokens);
            field.map(|field| values(field, &format!("{name}="), value)).unwrap_or_default()
        }
        None => {
            let given: Vec<_> = call.values("set").filter_map(given_field).collect();
            Body { fields: event.resource(), given }.candidates(if typed.is_empty() { "/" } else { typed })
        }
    }
}

/// `NAME=`, or what follows it.
fn pairs(fields: Fields, call: &Call, argument: &str, typed: &str) -> Vec<Candidate> {
    if let Some((name, value)) = typed.split_once('=') {
        return fields.get(name).map(|field| values(field, &format!("{name}="), value)).unwrap_or_default();
    }
    let mut given: Vec<_> =
        call.values(argument).map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    if argument == "query" {
        given.extend(given_query(call));
    }
    let is_open = |field: &Field| !given.contains(&field.name()) && field.field_type() != FieldType::File;
    let named = in_order(fields.iter().filter(is_open).collect());
    let named = named.into_iter().map(|field| (format!("{}=", field.name()), field));
    described(named.filter(|(name, _)| name.starts_with(typed)))
}

fn values(field: Field, before: &str, typed: &str) -> Vec<Candidate> {
    let booleans: &[&str] = if field.field_type() == FieldType::Boolean { &["true", "false"] } else { &[] };
    let all = field.values().chain(booleans.iter().copied());
    starting(typed, all).into_iter().map(|value| value.add_prefix(before)).collect()
}

/// The parameters of the query that are given in any way.
fn given_query(call: &Call) -> impl Iterator<Item = &str> {
    let fields = call.values("fields").filter_map(|text| Some(text.split_once("==")?.0));
    fields.chain(call.values("query").map(|pair| pair.split('=').next().unwrap_or_default()))
}

/// The tokens of a field of the body that is given.
fn given_field(text: &str) -> Option<Vec<String>> {
    let (name, value) = text.split_once('=')?;
    (!value.starts_with('=')).then(|| Name::parse(name.strip_suffix(':').unwrap_or(name)).tokens)
}

/// A name, cut into tokens: `amount[total]`, `/amount/total`, and what is typed of either. An index is a token of its own.
struct Name<'a> {
    tokens: Vec<String>,
    is_pointer: bool,
    /// The last token, which may be typed in part, and the text before it.
    before: &'a str,
}

impl Name<'_> {
    fn parse(text: &str) -> Name<'_> {
        let token = |token: &str| token.trim_end_matches(']').to_owned();
        let is_pointer = text.starts_with('/');
        let separator = if is_pointer { '/' } else { '[' };
        let before = &text[..text.rfind(separator).map_or(0, |at| at + 1)];
        let tokens = text.strip_prefix('/').unwrap_or(text).split(separator).map(token).collect();
        Name { tokens, is_pointer, before }
    }
}

fn is_index(token: &str) -> bool {
    token.is_empty() || token == "-" || token.bytes().all(|byte| byte.is_ascii_digit())
}

/// The field of a name.
fn field_at(fields: Fields, tokens: &[String]) -> Option<Field> {
    let (first, rest) = tokens.split_first()?;
    let field = fields.get(first)?;
    let rest = match rest {
        [index, rest @ ..] if field.is_list() && is_index(index) => rest,
        rest => rest,
    };
    if rest.is_empty() { Some(field) } else { field_at(field.fields(), rest) }
}

/// The fields of a body, and those that are given.
struct Body {
    fields: Fields,
    given: Vec<Vec<String>>,
}

impl Body {
    fn candidates(&self, typed: &str) -> Vec<Candidate> {
        let name = Name::parse(typed);
        let Some((begun, above)) = name.tokens.split_last() else { return Vec::new() };
        let fields = match above {
            [] => self.fields,
            above => match field_at(self.fields, above) {
                // `goods[`: its index first.
                Some(list) if list.is_list() && !above.last().is_some_and(|token| is_index(token)) => {
                    if !is_index(begun) {
                        return Vec::new();
                    }
                    let index = if begun.is_empty() { "0" } else { begun };
                    let mut above = above.to_vec();
                    above.push(index.to_owned());
                    let before =
                        format!("{}{index}{}", name.before, if name.is_pointer { "/" } else { "][" });
                    return self.of(list.fields(), &above, &before, name.is_pointer, "");
                }
                Some(object) => object.fields(),
                None => return Vec::new(),
            },
        };
        self.of(fields, above, name.before, name.is_pointer, begun)
    }

    /// The fields of an object whose names begin as it is typed. If only one object fits, those in it.
    fn of(
        &self,
        fields: Fields,
        above: &[String],
        before: &str,
        is_pointer: bool,
        begun: &str,
    ) -> Vec<Candidate> {
        let typed = format!("{before}{begun}");
        let mut fitting: Vec<(String, Field)> = in_order(fields.iter().collect())
            .into_iter()
            .map(|field| (name_of(field, above.is_empty(), before, is_pointer), field))
            .filter(|(name, field)| name.starts_with(&typed) && self.is_open(*field, above, 0))
            .collect();
        if let [(name, only)] = &mut fitting[..]
            && !only.fields().is_empty()
            && above.len() < DEEPEST
        {
            let index = only.is_list().then(|| "0".to_owned());
            let above = [above, &[only.name().to_owned()], index.as_slice()].concat();
            return self.of(only.fields(), &above, name, is_pointer, "");
        }
        described(fitting.into_iter())
    }

    /// Whether anything of a field is not given yet. To a list more can be added.
    fn is_open(&self, field: Field, above: &[String], depth: usize) -> bool {
        if field.is_automatic() || field.name().contains('$') || depth > DEEPEST {
            return false;
        }
        let is_given = |given: &Vec<String>| {
            given.len() == above.len() + 1
                && given.starts_with(above)
                && given.last().is_some_and(|last| last == field.name())
        };
        if self.given.iter().any(is_given) {
            return false;
        }
        if field.is_list() || field.fields().is_empty() {
            return true;
        }
        let mut within = above.to_vec();
        within.push(field.name().to_owned());
        field.fields().iter().any(|field| self.is_open(field, &within, depth + 1))
    }
}

/// How a field is written, up to its value or to the next name.
fn name_of(field: Field, is_first: bool, before: &str, is_pointer: bool) -> String {
    let is_text = matches!(field.field_type(), FieldType::String | FieldType::Json | FieldType::File);
    let is_object = field.field_type() == FieldType::Object && !field.fields().is_empty();
    let sign = if is_text { "=" } else { ":=" };
    let name = format!("{before}{}", field.name());
    if is_pointer {
        let list = if field.is_list() { if is_object { "/0" } else { "/-" } } else { "" };
        return format!("{name}{list}{}", if is_object { "/" } else { sign });
    }
    let name = if is_first { name } else { format!("{name}]") };
    match (field.is_list(), is_object) {
        (true, true) => format!("{name}[0]["),
        (true, false) => format!("{name}[]{sign}"),
        (false, true) => format!("{name}["),
        (false, false) => format!("{name}{sign}"),
    }
}

/// The required fields first; those that the present documents do not list last.
fn in_order(mut fields: Vec<Field>) -> Vec<Field> {
    fields.sort_by_key(|field| match (field.is_required(), field.is_perhaps_required(), field.is_listed()) {
        (true, ..) => 0,
        (_, true, _) => 1,
        (.., true) => 2,
        _ => 3,
    });
    fields
}

fn described(named: impl Iterator<Item = (String, Field)>) -> Vec<Candidate> {
    named.map(|(name, field)| Candidate::new(name).help(Some(about(field).into()))).collect()
}

/// Its type, whether it is required, its length.
fn about(field: Field) -> String {
    let required = match (field.is_required(), field.is_perhaps_required()) {
        (true, _) => ", required",
        (_, true) => ", perhaps required",
        _ => "",
    };
    let length = field.max_length().map(|most| format!(", ≤ {most}")).unwrap_or_default();
    let encrypted = if field.encrypted_for().is_some() { ", encrypted" } else { "" };
    format!("{}{required}{length}{encrypted}", field.type_name())
}
