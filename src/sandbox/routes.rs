//! The routes: the scripted ones, and the table of those that are built in.

use http::Method;
use serde_json::Value;

use super::{
    Answer, SandboxError,
    answer::Ready,
    bills,
    check::{Arrived, media_type},
    handlers, multipart,
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
}

struct Row {
    method: Method,
    template: &'static str,
    needs: &'static [Need],
    handler: fn(&Call<'_>) -> Result<Answer, Refusal>,
}

/// A field that must be there; JSON pointers into the body, names in the query.
enum Need {
    Text(&'static str),
    /// A whole number above zero, in cents.
    Amount(&'static str),
    Either(&'static str, &'static str),
    Query(&'static str),
    /// The part `file` of a `multipart/form-data` body.
    File,
}

use Need::{Amount, Either, File, Query, Text};

static BUILT_IN: [Row; 10] = [
    Row {
        method: Method::POST,
        template: "v3/payscore/partner/permissions/terminate",
        needs: &[Text("/service_id"), Text("/appid"), Text("/sub_mchid"), Text("/reason")],
        handler: handlers::no_content,
    },
    Row {
        method: Method::POST,
        template: "v3/pay/transactions/native",
        needs: &[
            Text("/appid"),
            Text("/mchid"),
            Text("/description"),
            Text("/out_trade_no"),
            Text("/notify_url"),
            Amount("/amount/total"),
        ],
        handler: handlers::native,
    },
    Row {
        method: Method::GET,
        template: "v3/pay/transactions/id/{transaction_id}",
        needs: &[Query("mchid")],
        handler: handlers::transaction,
    },
    Row {
        method: Method::POST,
        template: "v3/security/echo",
        needs: &[Text("/echo_message")],
        handler: handlers::echo,
    },
    Row {
        method: Method::POST,
        template: "v3/refund/domestic/refunds",
        needs: &[
            Either("/out_trade_no", "/transaction_id"),
            Text("/out_refund_no"),
            Amount("/amount/refund"),
            Amount("/amount/total"),
            Text("/amount/currency"),
        ],
        handler: handlers::refund,
    },
    Row {
        method: Method::POST,
        template: "v3/merchant/media/upload",
        needs: &[Text("/filename"), Text("/sha256"), File],
        handler: handlers::upload,
    },
    Row {
        method: Method::GET,
        template: "v3/bill/tradebill",
        needs: &[Query("bill_date")],
        handler: bills::tell,
    },
    Row {
        method: Method::GET,
        template: "v3/bill/fundflowbill",
        needs: &[Query("bill_date")],
        handler: bills::tell,
    },
    Row {
        method: Method::GET,
        template: "v3/billdownload/file",
        needs: &[Query("token")],
        handler: bills::file,
    },
    Row { method: Method::GET, template: "v3/certificates", needs: &[], handler: handlers::certificates },
];

/// What a handler may look at: every value decoded, every needed field present.
pub(super) struct Call<'a> {
    pub(super) platform: &'a Platform,
    pub(super) body: &'a Value,
    request: &'a Arrived,
    vars: Vars,
    query: Vars,
}

impl Route {
    pub(super) fn all() -> Result<Vec<Route>, SandboxError> {
        BUILT_IN.iter().map(Route::new).collect()
    }

    fn new(row: &'static Row) -> Result<Route, SandboxError> {
        let template = Template::parse(row.template)
            .map_err(|problem| SandboxError::Script { route: row.template.into(), problem })?;
        Ok(Route { method: row.method.clone(), template, row })
    }

    pub(super) fn answer(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let uploads = self.row.needs.iter().any(|need| matches!(need, File));
        let expected = if uploads { "multipart/form-data" } else { "application/json" };
        if !call.request.body.is_empty() && media_type(&call.request.headers) != expected {
            return Err(Refusal::param("header", "Content-Type", &format!("expected {expected}")));
        }
        for need in self.row.needs {
            need.check(call)?;
        }
        (self.row.handler)(call)
    }
}

impl Need {
    fn check(&self, call: &Call<'_>) -> Result<(), Refusal> {
        match *self {
            Text(field) => match call.body.pointer(field) {
                Some(Value::String(text)) if !text.is_empty() => Ok(()),
                Some(Value::Null | Value::String(_)) | None => Err(missing("body", field)),
                Some(_) => Err(Refusal::param("body", field, "expected a text")),
            },
            Amount(field) => match call.body.pointer(field) {
                Some(Value::Null) | None => Err(missing("body", field)),
                Some(value) if value.as_i64().is_some_and(|cents| cents > 0) => Ok(()),
                Some(_) => Err(Refusal::param("body", field, "expected a whole number above zero")),
            },
            Either(one, other) => match (Text(one).check(call), Text(other).check(call)) {
                (Ok(()), _) | (_, Ok(())) => Ok(()),
                (Err(refusal), _) if call.body.pointer(other).is_none() => Err(refusal),
                (_, Err(refusal)) => Err(refusal),
            },
            Query(name) if call.query(name).is_empty() => Err(missing("query", name)),
            Query(_) => Ok(()),
            File => call.file().map(|_| ()),
        }
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(platform: &'a Platform, request: &'a Arrived, vars: Vars, body: &'a Value) -> Call<'a> {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Call { platform, body, request, vars, query }
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

    /// The path that was asked for.
    pub(super) fn path(&self) -> &str {
        self.request.target.split('?').next().unwrap_or("")
    }

    /// A header, `""` if it is not there once.
    pub(super) fn header(&self, name: &str) -> &str {
        self.request.single(name).unwrap_or("")
    }

    /// The bytes of an upload's part `file`.
    pub(super) fn file(&self) -> Result<&[u8], Refusal> {
        let content_type = self.request.single("content-type").unwrap_or("");
        multipart::part(content_type, &self.request.body, "file")
            .map_err(|why| Refusal::param("body", "/file", &why))
    }

    /// A text of the body, or this one.
    pub(super) fn text<'b>(&'b self, pointer: &str, otherwise: &'b str) -> &'b str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or(otherwise)
    }
}

fn find<'a>(pairs: &'a Vars, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn missing(location: &str, field: &str) -> Refusal {
    Refusal::param(location, field, "required, and missing or empty")
}
