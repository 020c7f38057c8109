//! Paths of documented operations, a segment at a time.

use clap_complete::engine::CompletionCandidate as Candidate;
use wechatpay_chain::catalogue::{Availability, Catalogue, Operation, OperationKind};

use super::call::Call;
use super::values;

/// The paths of the verb, or all.
pub(super) fn of_verb(call: &Call, typed: &str) -> Vec<Candidate> {
    let verb = call.verb();
    paths(typed, |operation| verb.as_deref().is_none_or(|verb| operation.verb() == verb))
}

/// The paths to which a file is uploaded.
pub(super) fn of_uploads(_: &Call, typed: &str) -> Vec<Candidate> {
    paths(typed, |operation| operation.kind() == OperationKind::Upload)
}

/// `[VERB] PATH`.
pub(super) fn with_verb(call: &Call, typed: &str) -> Vec<Candidate> {
    match call.value("path") {
        Some(verb) => paths(typed, |operation| operation.verb().eq_ignore_ascii_case(verb)),
        None => {
            let mut all = paths(typed, |_| true);
            all.extend(values::verbs(call, typed));
            all
        }
    }
}

fn paths(typed: &str, is_meant: impl Fn(&Operation) -> bool) -> Vec<Candidate> {
    let (base, path) = split_base(typed);
    let begun = path.rfind('/').map_or(0, |at| at + 1);
    let (above, begun) = path.split_at(begun);
    let above_segments: Vec<&str> = above.split_terminator('/').collect();
    // A segment that is typed may be the value of a variable, if no document has it as it is.
    let mut found = Found::default();
    for literally in [true, false] {
        for operation in Catalogue::operations().filter(&is_meant) {
            let mut segments = operation.template().split('/');
            let fits = |typed: &&str| {
                segments.next().is_some_and(|segment| match segment.starts_with('{') {
                    true => segment == *typed || !literally && !typed.is_empty(),
                    false => segment == *typed,
                })
            };
            if !above_segments.iter().all(fits) {
                continue;
            }
            if let Some(next) = segments.next().filter(|next| next.starts_with(begun)) {
                found.add(next, segments.next().is_none().then_some(operation));
            }
        }
        if !found.0.is_empty() {
            break;
        }
    }
    found.candidates(&format!("{base}{above}"))
}

/// What is before the path of a template: the base URL or a slash.
fn split_base(typed: &str) -> (&str, &str) {
    let is_url = typed.starts_with("https://") || typed.starts_with("http://");
    let path = match is_url {
        true => ["/v3/", "/v2/"]
            .iter()
            .filter_map(|version| typed.find(version))
            .min()
            .map_or(typed.len(), |at| at + 1),
        false => usize::from(typed.starts_with('/')),
    };
    typed.split_at(path)
}

/// The next segments, in the order of the catalogue; a path that ends there, and one that goes on.
#[derive(Default)]
struct Found(Vec<(&'static str, Option<Operation>)>);

impl Found {
    fn add(&mut self, segment: &'static str, operation: Option<Operation>) {
        // Operations of one path follow each other, and so do most of a segment.
        let same = |(known, end): &&(&str, Option<Operation>)| {
            *known == segment && end.is_some() == operation.is_some()
        };
        if self.0.iter().rev().find(same).is_none() {
            self.0.push((segment, operation));
        }
    }

    fn candidates(self, above: &str) -> Vec<Candidate> {
        let candidate = |(segment, operation): (&str, Option<Operation>)| match operation {
            None => Candidate::new(format!("{above}{segment}/")),
            Some(operation) => {
                let mark = match operation.availability() {
                    Availability::Withdrawn(_) => " (withdrawn)",
                    Availability::Superseded => " (superseded)",
                    _ => "",
                };
                let help = format!("{}{mark}", operation.title());
                Candidate::new(format!("{above}{segment}")).help(Some(help.into()))
            }
        };
        self.0.into_iter().map(candidate).collect()
    }
}
