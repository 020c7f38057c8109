//! The routes: the scripted ones, and those of the catalogue.

use http::Method;
use serde_json::Value;

use super::{
    Answer, SandboxError,
    answer::Ready,
    catalogue::{self, Need, Row},
    check::{Arrived, media_type},
    flow, multipart,
    platform::Platform,
    refusal::Refusal,
    scripts::Recipe,
    template::{Template, Vars},
};

/// A route of the user's.
pub(super) struct Script {
    pub(super) method: Method,
    pub(super) template: Template,
    pub(super) answer: Scripted,
}

pub(super) enum Scripted {
    Fixed(Ready),
    /// With values of the request in it.
    Filled(Recipe),
}

impl Script {
    pub(super) fn answer(&self, call: &Call<'_>) -> Result<Ready, Refusal> {
        match &self.answer {
            Scripted::Fixed(ready) => Ok(ready.clone()),
            Scripted::Filled(recipe) => recipe.answer(call),
        }
    }
}

/// `http` takes any token for a verb, so `get` would only never match.
pub(super) fn verb(text: &str) -> Result<Method, String> {
    let upper = text.bytes().all(|byte| byte.is_ascii_uppercase());
    let verb = Method::from_bytes(text.as_bytes()).ok().filter(|_| upper);
    verb.ok_or_else(|| format!("expected a verb in upper case, found {text:?}"))
}

/// A route of the sandbox's own.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) template: Template,
    row: &'static Row,
    /// Whether this is the service provider's form of the path.
    partner: bool,
}

/// What a handler may look at: every value decoded, every needed field present.
pub(crate) struct Call<'a> {
    pub(super) platform: &'a Platform,
    pub(super) body: &'a Value,
    /// Whether the path is the service provider's form.
    pub(super) partner: bool,
    request: &'a Arrived,
    vars: Vars,
    query: Vars,
}

impl Route {
    pub(super) fn all() -> Result<Vec<Route>, SandboxError> {
        let forms = |row: &'static Row| {
            std::iter::once((row.template, false)).chain(row.partner.map(|template| (template, true)))
        };
        catalogue::rows()
            .flat_map(|row| forms(row).map(move |(template, partner)| Route::new(row, template, partner)))
            .collect()
    }

    fn new(row: &'static Row, template: &'static str, partner: bool) -> Result<Route, SandboxError> {
        let bad = |problem| SandboxError::Script { route: template.into(), problem };
        Ok(Route {
            method: row.method.clone(),
            template: Template::parse(template).map_err(bad)?,
            row,
            partner,
        })
    }

    pub(super) fn answer(&self, call: Call<'_>) -> Result<Answer, Refusal> {
        let call = Call { partner: self.partner, ..call };
        let uploads = self.row.needs.iter().any(Need::is_file);
        let expected = if uploads { "multipart/form-data" } else { "application/json" };
        if !call.request.body.is_empty() && media_type(&call.request.headers) != expected {
            return Err(Refusal::param("header", "Content-Type", &format!("expected {expected}")));
        }
        self.row.needs.iter().try_for_each(|need| need.check(&call))?;
        flow::answer(&call, &self.row.act)
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(platform: &'a Platform, request: &'a Arrived, vars: Vars, body: &'a Value) -> Call<'a> {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Call { platform, body, partner: false, request, vars, query }
    }

    /// A value of the template, `""` if it has no such variable.
    pub(super) fn var(&self, name: &str) -> &str {
        find(&self.vars, name)
    }

    /// A value of the query, `""` if it is not there.
    pub(super) fn query(&self, name: &str) -> &str {
        find(&self.query, name)
    }

    /// A value of the query.
    pub(super) fn query_if_there(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The sub-merchant, `""` if none is named.
    pub(super) fn scope(&self) -> &str {
        match self.query("sub_mchid") {
            "" => self.text("/sub_mchid", ""),
            mchid => mchid,
        }
    }

    /// The bytes of the body.
    pub(super) fn size(&self) -> usize {
        self.request.body.len()
    }

    /// A header, `""` if it is not there once.
    pub(super) fn header(&self, name: &str) -> &str {
        self.request.single(name).unwrap_or("")
    }

    /// The media type and the bytes of an upload's part `file`.
    pub(super) fn file(&self) -> Result<(&str, &[u8]), Refusal> {
        let content_type = self.request.single("content-type").unwrap_or("");
        multipart::file(content_type, &self.request.body).map_err(|why| Refusal::param("body", "/file", &why))
    }

    /// A text of the body, or this one.
    pub(super) fn text<'b>(&'b self, pointer: &str, otherwise: &'b str) -> &'b str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or(otherwise)
    }
}

fn find<'a>(pairs: &'a Vars, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}
