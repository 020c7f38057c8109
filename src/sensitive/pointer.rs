//! JSON pointers (RFC 6901), in which `*` stands for every element of an array.

use serde_json::Value;

use crate::error::{Error, Excerpt, kind_of};

/// The unescaped tokens of a pointer.
pub(crate) fn tokens(pointer: &str) -> Result<Vec<String>, Error> {
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(Error::config(pointer, "is not a JSON pointer, which begins with `/` (RFC 6901)"));
    };
    Ok(path.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

/// Replaces each string at a pointer.
pub(super) struct Walk<'a> {
    pointer: &'a str,
    /// Whether a null is skipped.
    optional: bool,
    change: &'a mut dyn FnMut(&str) -> Result<String, Error>,
    /// The number of replaced strings.
    pub(super) changed: usize,
    /// Why the pointer cannot fit this kind of document, if it cannot.
    pub(super) lost: Option<String>,
    below_list: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        pointer: &'a str,
        optional: bool,
        change: &'a mut dyn FnMut(&str) -> Result<String, Error>,
    ) -> Walk<'a> {
        Walk { pointer, optional, change, changed: 0, lost: None, below_list: false }
    }

    pub(super) fn visit(&mut self, value: &mut Value, tokens: &[String]) -> Result<(), Error> {
        let Some((token, rest)) = tokens.split_first() else { return self.replace(value) };
        match value {
            Value::Null => {}
            Value::Array(items) if token == "*" => {
                let outside = std::mem::replace(&mut self.below_list, true);
                for item in items {
                    self.visit(item, rest)?;
                }
                self.below_list = outside;
            }
            Value::Array(items) => match token.parse::<usize>() {
                Ok(index) => {
                    if let Some(item) = items.get_mut(index) {
                        self.visit(item, rest)?;
                    }
                }
                Err(_) => self.lose(format!("has {} where the body has an array", Excerpt(token))),
            },
            Value::Object(fields) => match fields.get_mut(token) {
                Some(field) => self.visit(field, rest)?,
                // The elements of a list may lack a field; so may the body lack the last one.
                None if token == "*" => self.lose("has `*` where the body has an object".to_owned()),
                None if self.below_list || rest.is_empty() => {}
                None => self.lose(format!("matches nothing: the body has no {} there", Excerpt(token))),
            },
            other => {
                let found = kind_of(other);
                self.lose(format!("has {} where the body has {found}", Excerpt(token)));
            }
        }
        Ok(())
    }

    fn replace(&mut self, value: &mut Value) -> Result<(), Error> {
        match value {
            Value::String(text) => {
                *text = (self.change)(text)?;
                self.changed += 1;
                Ok(())
            }
            Value::Null if self.optional => Ok(()),
            other => {
                let reason = format!("must point to a string; it points to {}", kind_of(other));
                Err(Error::config(self.pointer, reason))
            }
        }
    }

    fn lose(&mut self, reason: String) {
        self.lost.get_or_insert(reason);
    }
}
