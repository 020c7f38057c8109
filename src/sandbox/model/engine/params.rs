use serde_json::Value;

use super::super::{clock, refusal::Refusal, routes::Call};

/// The largest amount in cents. Sums of amounts stay far from the end of an `i64`.
const LARGEST: i64 = 100_000_000_000;

/// What a request must have. Fields are JSON pointers into the body, or names in the query.
pub(crate) enum Need {
    /// A text of at most this many characters.
    Text(&'static str, usize),
    /// The same, if it is there.
    May(&'static str, usize),
    /// A number of the merchant's: this many of `0-9A-Za-z_-|*@`.
    Number(&'static str, usize, usize),
    /// A whole number above zero, in cents.
    Cents(&'static str),
    /// A whole number, zero too.
    CentsOrNone(&'static str),
    /// `CNY`, if it is there.
    Currency(&'static str),
    /// An `http` or `https` URL of at most 255 characters, without a query.
    Url(&'static str),
    /// The same, if it is there.
    MayUrl(&'static str),
    /// A time as RFC 3339 has it, if it is there.
    Time(&'static str),
    /// The merchant's own id.
    Mchid(&'static str),
    OneOf(&'static str, &'static [&'static str]),
    /// An array with this many elements, each with these fields.
    List(&'static str, usize, usize, &'static [Need]),
    Either(&'static str, &'static str),
    Query(&'static str),
    QueryMchid(&'static str),
    /// The part `file` of a `multipart/form-data` body.
    File,
    All(&'static [Need]),
    /// For the merchant's own form of the path.
    Direct(&'static [Need]),
    /// For the service provider's form.
    Partner(&'static [Need]),
}

impl Need {
    pub(crate) fn check(&self, call: &Call<'_>) -> Result<(), Refusal> {
        match *self {
            Need::Query(name) if call.query(name).is_empty() => Err(missing("query", name)),
            Need::Query(_) => Ok(()),
            Need::QueryMchid(name) => match call.query(name) {
                "" => Err(missing("query", name)),
                mchid => own(call, "query", name, mchid),
            },
            Need::File => call.file().map(|_| ()),
            Need::All(needs) => needs.iter().try_for_each(|need| need.check(call)),
            Need::Direct(needs) if !call.partner => needs.iter().try_for_each(|need| need.check(call)),
            Need::Partner(needs) if call.partner => needs.iter().try_for_each(|need| need.check(call)),
            Need::Direct(_) | Need::Partner(_) => Ok(()),
            _ => self.look(call, "", call.body),
        }
    }

    /// Whether the part `file` is needed.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Need::File)
    }

    /// Looks into the body, or into an element of it that stands `at` this pointer.
    fn look(&self, call: &Call<'_>, at: &str, value: &Value) -> Result<(), Refusal> {
        let wrong = |field: &str, issue: &str| Err(Refusal::param("body", &format!("{at}{field}"), issue));
        let absent = |field: &str| Err(missing("body", &format!("{at}{field}")));
        let there = |field: &str| value.pointer(field).filter(|value| !value.is_null());
        match *self {
            Need::Text(field, most) => match there(field) {
                Some(Value::String(text)) if text.is_empty() => absent(field),
                Some(Value::String(text)) if text.chars().count() > most => {
                    wrong(field, &format!("longer than {most} characters"))
                }
                Some(Value::String(_)) => Ok(()),
                None => absent(field),
                Some(_) => wrong(field, "expected a text"),
            },
            Need::May(field, _) | Need::MayUrl(field) if there(field).is_none_or(|text| text == "") => Ok(()),
            Need::May(field, most) => Need::Text(field, most).look(call, at, value),
            Need::MayUrl(field) => Need::Url(field).look(call, at, value),
            Need::Number(field, least, most) => {
                Need::Text(field, most).look(call, at, value)?;
                let text = there(field).and_then(Value::as_str).unwrap_or("");
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
                if text.len() < least {
                    wrong(field, &format!("shorter than {least} characters"))
                } else if !text.bytes().all(fits) {
                    wrong(field, "expected letters, digits and _-|* only")
                } else {
                    Ok(())
                }
            }
            Need::Cents(field) => match there(field) {
                None => absent(field),
                Some(value) if value.as_i64().is_some_and(|cents| (1..=LARGEST).contains(&cents)) => Ok(()),
                Some(value) if value.as_i64().is_some_and(|cents| cents > LARGEST) => {
                    wrong(field, &format!("more than {LARGEST}"))
                }
                Some(_) => wrong(field, "expected a whole number above zero"),
            },
            Need::CentsOrNone(field) => match there(field) {
                None => absent(field),
                Some(value) if value.as_i64().is_some_and(|cents| (0..=LARGEST).contains(&cents)) => Ok(()),
                Some(_) => wrong(field, &format!("expected a whole number from 0 to {LARGEST}")),
            },
            Need::Currency(field) => match there(field) {
                Some(value) if value != "CNY" => wrong(field, "expected CNY"),
                _ => Ok(()),
            },
            Need::Url(field) => {
                Need::Text(field, 255).look(call, at, value)?;
                let text = there(field).and_then(Value::as_str).unwrap_or("");
                match url::Url::parse(text) {
                    Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                        wrong(field, "expected a URL that begins with https:// or http://")
                    }
                    Ok(url) if url.query().is_some() => wrong(field, "expected a URL without a query"),
                    Ok(_) => Ok(()),
                    Err(_) => wrong(field, "expected a URL"),
                }
            }
            Need::Time(field) => match there(field) {
                Some(value) if value.as_str().and_then(clock::unix).is_none() => {
                    wrong(field, "expected a time as 2018-06-08T10:34:56+08:00")
                }
                _ => Ok(()),
            },
            Need::Mchid(field) => {
                Need::Text(field, 32).look(call, at, value)?;
                own(call, "body", &format!("{at}{field}"), there(field).and_then(Value::as_str).unwrap_or(""))
            }
            Need::OneOf(field, values) => {
                Need::Text(field, 64).look(call, at, value)?;
                let text = there(field).and_then(Value::as_str).unwrap_or("");
                if values.contains(&text) {
                    return Ok(());
                }
                wrong(field, &format!("expected one of {}", values.join(", ")))
            }
            Need::List(field, least, most, needs) => match there(field) {
                None if least == 0 => Ok(()),
                None => absent(field),
                Some(Value::Array(list)) if (least..=most).contains(&list.len()) => {
                    list.iter().enumerate().try_for_each(|(index, element)| {
                        let at = format!("{at}{field}/{index}");
                        needs.iter().try_for_each(|need| need.look(call, &at, element))
                    })
                }
                Some(_) => wrong(field, &format!("expected an array of {least} to {most}")),
            },
            Need::Either(one, other) => {
                let (first, second) = (
                    Need::Text(one, 128).look(call, at, value),
                    Need::Text(other, 128).look(call, at, value),
                );
                match (first, second) {
                    (Ok(()), _) | (_, Ok(())) => Ok(()),
                    (Err(refusal), _) if there(other).is_none() => Err(refusal),
                    (_, refusal) => refusal,
                }
            }
            Need::All(needs) => needs.iter().try_for_each(|need| need.look(call, at, value)),
            _ => Ok(()),
        }
    }
}

fn own(call: &Call<'_>, location: &str, field: &str, mchid: &str) -> Result<(), Refusal> {
    let signer = &call.platform.identity.mchid;
    if mchid == signer {
        return Ok(());
    }
    Err(Refusal::param(location, field, &format!("{mchid} is not the merchant who signed, {signer}")))
}

fn missing(location: &str, field: &str) -> Refusal {
    Refusal::param(location, field, "required, and missing or empty")
}
