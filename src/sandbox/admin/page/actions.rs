//! What the page's forms do.

use std::borrow::Cow;

use http::StatusCode;
use url::form_urlencoded;

use super::super::{
    Rotation,
    control::{self, Refused, Rule, bad},
    platform::Platform,
};

/// A form as it was sent; of a name that is there twice, the last one.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Form<'_> {
    fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A field that may be left empty.
    fn given(&self, name: &str) -> Option<String> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty()).map(String::from)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Refused> {
        let parse =
            |text: String| text.parse().map_err(|_| bad(format!("`{name}` takes a number, not {text:?}")));
        self.given(name).map(parse).transpose()
    }
}

/// Gives back the section where the change shows.
pub(super) fn act(platform: &Platform, body: Option<&[u8]>) -> Result<&'static str, Refused> {
    let body = body.ok_or_else(|| Refused(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large".into()))?;
    let form = Form(form_urlencoded::parse(body).collect());
    match form.get("do") {
        "play" => {
            let played = platform.play(form.get("part"), form.get("scope"), form.get("number"));
            played.map_err(|refusal| {
                let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
                Refused(status, format!("{}: {}", refusal.code, refusal.message))
            })?;
            Ok("resources")
        }
        "add-fault" => {
            let rule = control::rule(rule(&form)?)?;
            platform.faults().add(rule).map_err(|e| bad(e.to_string()))?;
            Ok("faults")
        }
        "remove-fault" => {
            let number = form.number("number")?.ok_or_else(|| bad("`number` is missing".into()))?;
            platform.faults().remove(number);
            Ok("faults")
        }
        "clear-faults" => {
            platform.faults().clear();
            Ok("faults")
        }
        "rotate-certificate" => keys(platform.rotate(Rotation::Certificate).map(drop)),
        "rotate-public-key" => keys(platform.rotate(Rotation::PublicKey).map(drop)),
        "sign-with" => keys(platform.sign_with(form.get("serial"))),
        "retire" => keys(platform.retire(form.get("serial"))),
        "skew" => {
            platform.clock.set_skew(form.number("seconds")?.unwrap_or(0));
            Ok("clock")
        }
        other => Err(bad(format!("there is nothing to do by the name of {other:?}"))),
    }
}

fn keys(changed: Result<(), super::super::SandboxError>) -> Result<&'static str, Refused> {
    changed.map(|()| "keys").map_err(|e| bad(e.to_string()))
}

fn rule(form: &Form<'_>) -> Result<Rule, Refused> {
    let fault = match form.given("value") {
        Some(value) => format!("{}={value}", form.get("fault")),
        None => form.get("fault").into(),
    };
    Ok(Rule {
        fault,
        nth: form.number("nth")?,
        share: form.number("share")?,
        path: form.given("path"),
        times: form.number("times")?,
        on: form.given("on"),
    })
}
