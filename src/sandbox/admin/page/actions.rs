//! The actions of the page's forms.

use std::borrow::Cow;

use http::StatusCode;
use url::form_urlencoded;

use crate::sandbox::{
    admin::control::{self, AdminError, RuleRequest, bad_request},
    http::sandbox_error::SandboxError,
    keys::keyring::Rotation,
    model::payer_actions,
    server::platform::Platform,
};

/// The fields of a form. Of a repeated name, the last one counts.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Form<'_> {
    fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A field that can be empty.
    fn optional(&self, name: &str) -> Option<String> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty()).map(String::from)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, AdminError> {
        let parse = |text: String| {
            text.parse().map_err(|_| bad_request(format!("`{name}` must be a number, found {text:?}")))
        };
        self.optional(name).map(parse).transpose()
    }
}

/// Returns the section of the page that shows the change.
pub(crate) fn perform(platform: &Platform, body: Option<&[u8]>) -> Result<&'static str, AdminError> {
    let body =
        body.ok_or_else(|| AdminError(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large".into()))?;
    let form = Form(form_urlencoded::parse(body).collect());
    match form.get("do") {
        "play" => {
            let (action, scope, number) = (form.get("part"), form.get("scope"), form.get("number"));
            platform.perform(|engine| payer_actions::perform_in_scope(engine, action, scope, number))?;
            Ok("resources")
        }
        "add-fault" => {
            let rule = control::fault_rule(rule_request(&form)?)?;
            platform.faults.lock().add(rule).map_err(|e| bad_request(e.to_string()))?;
            Ok("faults")
        }
        "remove-fault" => {
            let number = form.number("number")?.ok_or_else(|| bad_request("`number` is missing".into()))?;
            platform.faults.lock().remove(number);
            Ok("faults")
        }
        "clear-faults" => {
            platform.faults.lock().clear();
            Ok("faults")
        }
        "rotate-certificate" => keys(platform.keyring.rotate(Rotation::Certificate).map(drop)),
        "rotate-public-key" => keys(platform.keyring.rotate(Rotation::PublicKey).map(drop)),
        "sign-with" => keys(platform.keyring.sign_with(form.get("serial"))),
        "retire" => keys(platform.keyring.retire(form.get("serial"))),
        "advance" => {
            control::advance_clock(platform, form.get("period"))?;
            Ok("clock")
        }
        "skew" => {
            platform.clock.set_skew(form.number("seconds")?.unwrap_or(0));
            Ok("clock")
        }
        other => Err(bad_request(format!("unknown action {other:?}"))),
    }
}

fn keys(changed: Result<(), SandboxError>) -> Result<&'static str, AdminError> {
    changed.map(|()| "keys").map_err(|e| bad_request(e.to_string()))
}

fn rule_request(form: &Form<'_>) -> Result<RuleRequest, AdminError> {
    let fault = match form.optional("value") {
        Some(value) => format!("{}={value}", form.get("fault")),
        None => form.get("fault").into(),
    };
    Ok(RuleRequest {
        fault,
        nth: form.number("nth")?,
        share: form.number("share")?,
        path: form.optional("path"),
        times: form.number("times")?,
        on: form.optional("on"),
    })
}
