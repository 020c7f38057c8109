//! The parameters of a bill request, which its response may repeat. A signature proves who sent a response, not to which
//! request: one that names other values belongs to another request.

use serde_json::Value;

use crate::error::Excerpt;
use crate::request::draft::Draft;

/// Names and values, as text.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// The variables of the path and the parameters of the query.
    pub(super) fn of(draft: &Draft) -> Asked {
        let variables = draft.vars.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?)));
        let literal = draft.template.split_once('?').map_or("", |(_, query)| query);
        let query = [literal, draft.query.text.as_str()].into_iter().flat_map(|query| {
            let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
            pairs.filter(|(_, value)| !value.contains('{'))
        });
        Asked(variables.chain(query).collect())
    }

    /// What a response says about another request, if it does.
    pub(super) fn contradiction(&self, response: &Value) -> Option<String> {
        self.0.iter().find_map(|(name, asked)| {
            let found = text(response.get(name)?)?;
            // A name that comes twice in the query has several values.
            let same =
                found.is_empty() || self.0.iter().any(|(other, value)| other == name && *value == found);
            (!same && !asked.is_empty()).then(|| {
                format!(
                    "belongs to another request: its {} is {}, not the one that was asked for",
                    Excerpt(name),
                    Excerpt(&found)
                )
            })
        })
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
