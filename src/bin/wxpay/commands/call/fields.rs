//! The fields of the command line: `NAME=TEXT`, `NAME:=JSON`, `NAME==VALUE`. A name that is spelt for another tool is
//! refused with the right spelling, never sent as it is.

use serde_json::{Map, Value};

use crate::failure::{Failure, usage_error};
use crate::input::{self, AtSign};
use crate::text::Excerpt;

/// A hint.
const HEADER: &str = "a header is -H 'NAME: VALUE'";

/// What one argument sets.
pub(crate) enum Item {
    /// `NAME==VALUE`: a parameter of the query.
    Query(String, String),
    /// A field of the body.
    Field(Field),
}

pub(crate) struct Field {
    /// For messages.
    name: String,
    tokens: Vec<String>,
    /// A plain name is a member of an object; a JSON pointer may also begin in an array.
    in_object: bool,
    /// `NAME=TEXT`, not `NAME:=JSON`.
    is_text: bool,
    value: Value,
}

impl Item {
    pub(crate) fn parse(text: &str) -> Result<Item, Failure> {
        let Some((name, rest)) = text.split_once('=') else {
            let failure = usage_error(format!(
                "expected NAME=TEXT, NAME:=JSON or NAME==VALUE (query), found {}",
                Excerpt(text)
            ));
            return Err(if text.contains(':') { failure.with_hint(HEADER) } else { failure });
        };
        if name.is_empty() || name == ":" {
            return Err(usage_error(format!("the field {} has no name", Excerpt(text))));
        }
        let shown = format!("field {}", Excerpt(name));
        match (name.strip_suffix(':'), rest.strip_prefix('=')) {
            (Some(name), _) => {
                let (tokens, in_object) = tokens(name)?;
                let shown = format!("field {}", Excerpt(name));
                let value = input::json_value(&shown, rest)?;
                Ok(Item::Field(Field { name: name.to_owned(), tokens, in_object, is_text: false, value }))
            }
            (None, Some(_)) if name.starts_with('/') => Err(usage_error(format!(
                "{shown}: `==` sets a parameter of the query, whose name is not a JSON pointer"
            ))
            .with_hint("a text that begins with `=` is given as JSON, NAME:='\"=…\"'")),
            (None, Some(value)) => {
                Ok(Item::Query(name.to_owned(), input::text_value(&shown, value, AtSign::Query)?))
            }
            (None, None) => {
                let (tokens, in_object) = tokens(name)?;
                let value = Value::String(input::text_value(&shown, rest, AtSign::Field)?);
                Ok(Item::Field(Field { name: name.to_owned(), tokens, in_object, is_text: true, value }))
            }
        }
    }
}

impl Field {
    /// As a JSON pointer.
    pub(crate) fn pointer(&self) -> String {
        let escaped = |token: &String| format!("/{}", token.replace('~', "~0").replace('/', "~1"));
        self.tokens.iter().map(escaped).collect()
    }

    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    pub(crate) fn is_text(&self) -> bool {
        self.is_text
    }

    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    pub(super) fn set(self, body: &mut Value) -> Result<(), Failure> {
        if self.in_object && body.is_null() {
            *body = Value::Object(Map::new());
        }
        set_at(body, &self.tokens, self.value).map_err(|failure| match failure {
            Failure::Usage(reason) => usage_error(format!("field {}: {reason}", Excerpt(&self.name))),
            other => other,
        })
    }
}

/// The tokens of a name: a JSON pointer, `a[b][0][]`, or one plain name; and whether it begins in an object.
fn tokens(name: &str) -> Result<(Vec<String>, bool), Failure> {
    if let Some(pointer) = name.strip_prefix('/') {
        let token = |token: &str| token.replace("~1", "/").replace("~0", "~");
        return Ok((pointer.split('/').map(token).collect(), false));
    }
    let Some((base, brackets)) = name.split_once('[') else {
        return if is_plain(name) { Ok((vec![name.to_owned()], true)) } else { Err(not_plain(name)) };
    };
    let invalid = |reason: &str| usage_error(format!("field {}: {reason}", Excerpt(name)));
    let spelling = "expected a name such as amount[total], list[0][id] or list[]";
    let inner: Vec<_> = brackets.strip_suffix(']').ok_or_else(|| invalid(spelling))?.split("][").collect();
    let mut tokens = vec![base.to_owned()];
    for (at, token) in inner.iter().enumerate() {
        tokens.push(match *token {
            "" if at + 1 < inner.len() => {
                return Err(invalid(
                    "`[]` appends an element, and other tools do not agree to which one the next name belongs",
                )
                .with_hint("write its index, such as list[0][id]"));
            }
            "" => "-".to_owned(),
            token if is_plain(token) => token.to_owned(),
            _ => return Err(invalid(spelling)),
        });
    }
    match is_plain(base) {
        true => Ok((tokens, true)),
        false => Err(invalid(spelling)),
    }
}

/// No field of the platform has another character in its name.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// How to write what was probably meant.
fn not_plain(name: &str) -> Failure {
    let parts: Vec<_> = name.split(['.', '/', ':', '>', '-']).filter(|part| !part.is_empty()).collect();
    let mut hints = Vec::new();
    if let Some((first, rest)) = parts.split_first()
        && !rest.is_empty()
        && parts.iter().all(|part| is_plain(part))
    {
        let rest: String = rest.iter().map(|part| format!("[{part}]")).collect();
        hints.push(format!("write {} for a member of an object", Excerpt(&format!("{first}{rest}"))));
    }
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    hints.push(format!("write {} for exactly this name", Excerpt(&pointer)));
    match name {
        name if name.contains('@') => hints.push("a file is NAME=@FILE".to_owned()),
        name if name.contains(':') => hints.push(HEADER.to_owned()),
        _ => {}
    }
    usage_error(format!("field {}: a name has letters, digits, `_` and `-`", Excerpt(name)))
        .with_hint(hints.join("\n"))
}

/// Sets the value at the tokens of a JSON pointer. Missing parents are created: an array for an index and for `-`, which is
/// the element after the last; else an object.
fn set_at(at: &mut Value, tokens: &[String], value: Value) -> Result<(), Failure> {
    let Some((token, rest)) = tokens.split_first() else {
        *at = value;
        return Ok(());
    };
    if at.is_null() {
        let is_index = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
        *at = match is_index || token == "-" {
            true => Value::Array(Vec::new()),
            false => Value::Object(Map::new()),
        };
    }
    match at {
        Value::Object(map) => set_at(map.entry(token.as_str()).or_insert(Value::Null), rest, value),
        Value::Array(list) => {
            let length = list.len();
            let index = if token == "-" { Some(length) } else { token.parse().ok() };
            match index.filter(|index| *index <= length) {
                Some(index) if index == length => {
                    let mut item = Value::Null;
                    set_at(&mut item, rest, value)?;
                    list.push(item);
                    Ok(())
                }
                Some(index) => list.get_mut(index).map_or(Ok(()), |item| set_at(item, rest, value)),
                None => Err(usage_error(format!(
                    "expected an array index up to {length} or `-`, found {}",
                    Excerpt(token)
                ))),
            }
        }
        _ => Err(usage_error(format!("cannot set {}: its parent is not an object or array", Excerpt(token)))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The message and the hint.
    fn text(failure: Failure) -> String {
        match failure {
            Failure::Hinted { failure, hint } => format!("{failure}\n{hint}"),
            failure => failure.to_string(),
        }
    }

    fn body(fields: &[&str]) -> Result<Value, String> {
        let mut value = Value::Null;
        for field in fields {
            match Item::parse(field).map_err(text)? {
                Item::Field(field) => field.set(&mut value).map_err(text)?,
                Item::Query(name, value) => return Err(format!("query {name} = {value}")),
            }
        }
        Ok(value)
    }

    #[test]
    fn fields_are_texts_json_and_pointers() {
        let fields = [
            "name=a=b:=c.d",
            "total:=1",
            "/a.b=dots",
            "/amount/total:=100",
            "amount[currency]=CNY",
            "/list/0/id=first",
            "list[]=last",
            "list[0][id]=changed",
            "/list/-:=null",
            "/a~1b=slash",
            "empty=",
            "类型=茶",
            "at=a@b",
        ];
        let expected = json!({
            "name": "a=b:=c.d", "total": 1, "a.b": "dots", "amount": {"total": 100, "currency": "CNY"},
            "list": [{"id": "changed"}, "last", null], "a/b": "slash", "empty": "", "类型": "茶", "at": "a@b",
        });
        assert_eq!(body(&fields), Ok(expected));
        assert_eq!(body(&["/0=a", "/-=b"]), Ok(json!(["a", "b"])));
        assert_eq!(body(&["0=a"]), Ok(json!({"0": "a"})));
        assert_eq!(body(&["page==2"]), Err("query page = 2".to_owned()));
        assert_eq!(body(&["list[0]==a=b"]), Err("query list[0] = a=b".to_owned()));
    }

    #[test]
    fn invalid_fields_are_refused() {
        for (field, part) in [
            ("name", "NAME=TEXT"),
            ("X-Id:1", "-H 'NAME: VALUE'"),
            ("=x", "has no name"),
            (":=1", "has no name"),
            ("==1", "has no name"),
            ("n:={", "expected JSON"),
            ("n:==2", "expected JSON"),
            ("/n==2", "not a JSON pointer"),
            ("/list/7=x", "array index up to 1"),
            ("list[7]=x", "array index up to 1"),
            ("new[1]=x", "array index up to 0"),
            ("/new/1=x", "array index up to 0"),
            ("/text/x=1", "its parent is not an object"),
            ("text[x]=1", "its parent is not an object"),
            ("amount.total:=1", "write `amount[total]`"),
            (".amount.total:=1", "write `amount[total]`"),
            ("amount/total:=1", "write `amount[total]`"),
            ("amount->total:=1", "write `amount[total]`"),
            ("a.b.c=1", "write `a[b][c]`"),
            ("a.b=1", "write `/a.b` for exactly this name"),
            ("a/b=1", "write `/a~1b` for exactly this name"),
            ("X-Id:a=b", "-H 'NAME: VALUE'"),
            ("file@a=b", "NAME=@FILE"),
            ("a b=1", "exactly this name"),
            ("a+=1", "exactly this name"),
            ("\"a\"=1", "exactly this name"),
            ("a[b=1", "amount[total]"),
            ("a[b]c=1", "amount[total]"),
            ("a]b[c]=1", "amount[total]"),
            ("a[b.c]=1", "amount[total]"),
            ("[b]=1", "amount[total]"),
            ("[]=1", "amount[total]"),
            ("list[][id]=1", "list[0][id]"),
        ] {
            let error = body(&["/list/-=1", "text=t", field]).unwrap_err();
            assert!(error.contains(part), "{field}: {error}");
        }
    }
}
