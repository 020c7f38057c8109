//! The platform's refusals, grouped for the summary.

use std::collections::HashMap;

use serde::Serialize;
use wechatpay_chain::{Error, Response};

use super::calls::Id;

/// Further groups are counted together.
const MAX_GROUPS: usize = 50;
/// The ids that a group names.
const IDS: usize = 3;
/// Characters of a message.
const MAX_MESSAGE: usize = 200;

/// The platform's reason for not carrying out a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: &str) -> Refusal {
        Refusal { code: cut(code), message: cut(message) }
    }

    pub(super) fn of(result: &Result<Response, Error>) -> Refusal {
        match result {
            Err(Error::Api(api)) => Refusal::new(&api.code, &api.message),
            _ => Refusal::default(),
        }
    }
}

/// The platform's text goes to the terminal: without control characters.
fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect()
}

/// Refusals with the same code and message.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) count: u64,
    /// The first ones.
    pub(super) ids: Vec<Id>,
}

#[derive(Default)]
pub(super) struct Refusals {
    groups: HashMap<Refusal, (u64, Vec<Id>)>,
    /// Refusals of groups beyond the limit.
    others: u64,
}

impl Refusals {
    pub(super) fn add(&mut self, id: &Id, refusal: Refusal) {
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&refusal) {
            self.others += 1;
            return;
        }
        let (count, ids) = self.groups.entry(refusal).or_default();
        *count += 1;
        if ids.len() < IDS {
            ids.push(id.clone());
        }
    }

    /// The groups, the largest first.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .map(|(Refusal { code, message }, (count, ids))| Group {
                code: code.clone(),
                message: message.clone(),
                count: *count,
                ids: ids.clone(),
            })
            .collect();
        groups.sort_by(|a, b| (b.count, &a.code, &a.message).cmp(&(a.count, &b.code, &b.message)));
        if self.others > 0 {
            let message = "other refusals".to_owned();
            groups.push(Group { code: String::new(), message, count: self.others, ids: Vec::new() });
        }
        groups
    }
}
