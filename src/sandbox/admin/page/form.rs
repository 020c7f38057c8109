//! Forms: their fields as submitted, their errors, and forms of a single button.

use std::borrow::Cow;

use http::StatusCode;
use maud::{Markup, html};
use url::form_urlencoded;

use super::{language::Language, text::line, view::View};

/// The fields of a form. Of a repeated name, the last one counts.
pub(crate) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Form<'a> {
        Form(form_urlencoded::parse(body).collect())
    }

    /// Without white space around it.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// A field that can be empty.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|text| !text.is_empty())
    }

    pub(crate) fn values(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }
}

/// Why a form was refused, in the language of the page.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The form that shows it; empty for one that belongs to no form with fields.
    pub(crate) form: &'static str,
    pub(crate) status: StatusCode,
    text: String,
    /// The fields as they were submitted.
    values: Vec<(String, String)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Problem {
        Problem { form: "", status, text: text.into(), values: Vec::new() }
    }

    pub(crate) fn too_large(l: Language) -> Problem {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, l.say("The form is too large.", "表单过大。"))
    }

    /// Of a form with fields, which keeps what was entered.
    pub(crate) fn of_form(form: &'static str, fields: &Form<'_>, text: impl Into<String>) -> Problem {
        Problem { form, values: fields.values(), ..Problem::new(StatusCode::BAD_REQUEST, text) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// The place of a form's error. The script leaves it alone until the next form is sent.
pub(crate) fn alert(form: &str, problem: Option<&Problem>) -> Markup {
    let problem = problem.filter(|problem| problem.form == form);
    html! {
        div #{ "problem-" (form) } role="alert" { @if let Some(problem) = problem {
            p .alert { (line(&problem.text, 500)) }
        } }
    }
}

/// A form with one button. `about` tells a screen reader what the button applies to.
pub(crate) fn button(view: &View, action: &str, fields: &[(&str, &str)], label: &str, about: &str) -> Markup {
    html! {
        form method="post" action=(view.address()) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button name="do" value=(action) {
                (label) @if !about.is_empty() { span .unseen { " " (line(about, 200)) } }
            }
        }
    }
}
