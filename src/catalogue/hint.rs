//! What the documents say about a call that differs from it.

use std::fmt;

use super::operation::{Availability, Operation};
use super::suggest::Suggestion;
use crate::error::Excerpt;

/// One thing in a call that the documents do not have so. A hint is never an error: the documents have slips.
///
/// `Display` says it in one line, the fix first.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
/// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
/// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
/// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
/// # use serde_json::json;
/// use wechatpay_chain::catalogue::{FieldProblem, Hint};
///
/// let order = json!({"appid": "wx1", "mchid": "1900000109", "out_trade_no": "P12345", "description": "茶",
///     "notify_url": "https://example.com/notify", "amount": {"total": "1"}});
/// for hint in wx["v3/pay/transactions/native"].post(order).check()? {
///     let Hint::Field(hint) = &hint else { panic!("{hint}") };
///     assert_eq!((hint.place, hint.field.as_str()), ("body", "/amount/total"));
///     assert!(matches!(hint.problem, FieldProblem::WrongType { expected: "integer", found: "string" }));
///     assert!(hint.is_reliable());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Hint {
    /// No document has this path.
    UnknownPath {
        /// What may be meant, the nearest first.
        suggestions: Vec<Suggestion>,
    },
    /// The path is documented with another verb.
    OtherVerb {
        /// The documented operations of the path.
        documented: Vec<Operation>,
    },
    /// The path is documented for another base URL.
    OtherBase {
        /// The operation.
        operation: Operation,
    },
    /// The operation is withdrawn, or another one has taken its place.
    Outdated {
        /// The operation.
        operation: Operation,
    },
    /// A field is at fault.
    Field(FieldHint),
}

/// One field of a call that the documents do not have so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldHint {
    /// Where it is: `body`, `query`, `headers`.
    pub place: &'static str,
    /// The field: a JSON pointer (`/amount/total`; empty: the body itself), or the name of a parameter or header.
    pub field: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldProblem {
    /// It is required, and missing.
    Missing,
    /// It, or one of these, is required, and none is there.
    MissingOneOf(Vec<&'static str>),
    /// It is null; the platform wants it left out.
    Null,
    /// The documents have no such field.
    Unknown {
        /// A documented field of nearly the same name.
        near: Option<&'static str>,
    },
    /// Its JSON type is another.
    WrongType {
        /// The documented type: `integer`, `object[]` …
        expected: &'static str,
        /// The type that it has.
        found: &'static str,
    },
    /// It must be encrypted, and is not.
    NotEncrypted,
    /// It is longer or shorter than documented, in characters or elements.
    Length {
        /// The least and the greatest.
        allowed: (usize, usize),
        /// Its length.
        found: usize,
    },
    /// It is less or more than documented.
    Range {
        /// The least and the greatest.
        allowed: (i64, i64),
    },
    /// It is not among the documented values, a list that is often incomplete.
    OtherValue {
        /// The documented values.
        documented: Vec<&'static str>,
    },
}

impl Hint {
    /// What it is about: the same for each element of a list, whatever its value.
    pub(super) fn subject(&self) -> String {
        match self {
            Hint::Field(FieldHint { place, field, problem }) => {
                let is_name = |segment: &&str| segment.parse::<usize>().is_err();
                let names: Vec<&str> = field.split('/').filter(is_name).collect();
                format!("{place} {} {:?}", names.join("/"), std::mem::discriminant(problem))
            }
            other => other.to_string(),
        }
    }

    /// A name for programs: `unknown_path`, `other_verb`, `other_base`, `outdated`, or that of the field's
    /// [problem](FieldProblem), such as `missing`.
    pub fn kind(&self) -> &'static str {
        match self {
            Hint::UnknownPath { .. } => "unknown_path",
            Hint::OtherVerb { .. } => "other_verb",
            Hint::OtherBase { .. } => "other_base",
            Hint::Outdated { .. } => "outdated",
            Hint::Field(hint) => match hint.problem {
                FieldProblem::Missing => "missing",
                FieldProblem::MissingOneOf(_) => "missing_one_of",
                FieldProblem::Null => "null",
                FieldProblem::Unknown { .. } => "unknown_field",
                FieldProblem::WrongType { .. } => "wrong_type",
                FieldProblem::NotEncrypted => "not_encrypted",
                FieldProblem::Length { .. } => "length",
                FieldProblem::Range { .. } => "range",
                FieldProblem::OtherValue { .. } => "other_value",
            },
        }
    }

    /// The documented operations that it names.
    pub fn operations(&self) -> Vec<Operation> {
        match self {
            Hint::UnknownPath { suggestions } => suggestions.iter().map(Suggestion::operation).collect(),
            Hint::OtherVerb { documented } => documented.clone(),
            Hint::OtherBase { operation } | Hint::Outdated { operation } => vec![*operation],
            Hint::Field(_) => Vec::new(),
        }
    }
}

impl FieldHint {
    /// Whether the platform is likely to refuse the call: the mark is one that documents are seldom wrong about. Names at
    /// the top level, JSON types, null and fields in the clear are; lengths, values and what is deeper are not.
    pub fn is_reliable(&self) -> bool {
        match self.problem {
            FieldProblem::Missing => self.field.matches('/').count() <= 1,
            FieldProblem::MissingOneOf(_)
            | FieldProblem::Null
            | FieldProblem::WrongType { .. }
            | FieldProblem::NotEncrypted => true,
            FieldProblem::Unknown { .. }
            | FieldProblem::Length { .. }
            | FieldProblem::Range { .. }
            | FieldProblem::OtherValue { .. } => false,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::UnknownPath { suggestions } => {
                f.write_str("no document has this path")?;
                for (number, suggestion) in suggestions.iter().take(3).enumerate() {
                    let operation = suggestion.operation();
                    f.write_str(if number == 0 { "; did you mean " } else { ", or " })?;
                    write!(f, "{} `{}`", operation.verb(), operation.template())?;
                }
                f.write_str(if suggestions.is_empty() { "" } else { "?" })
            }
            Hint::OtherVerb { documented } => {
                let verbs: Vec<_> = documented.iter().map(Operation::verb).collect();
                write!(f, "the documents have this path with {}", verbs.join(", "))
            }
            Hint::OtherBase { operation } => {
                write!(f, "the documents have this path at {}", operation.base())
            }
            Hint::Outdated { operation } => {
                let successors: Vec<_> = operation.successors().map(|path| format!("`{path}`")).collect();
                if !successors.is_empty() {
                    write!(f, "use {}: ", successors.join(" or "))?;
                }
                match operation.availability() {
                    Availability::Withdrawn(day) => write!(f, "this operation was withdrawn on {day}"),
                    _ => f.write_str("this operation is superseded"),
                }
            }
            Hint::Field(hint) => hint.fmt(f),
        }
    }
}

impl fmt::Display for FieldHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldHint { place, field, problem } = self;
        if let (FieldProblem::WrongType { expected, found }, true) = (problem, field.is_empty()) {
            return write!(f, "the {place} is of the type {expected}; found: {found}");
        }
        let field = Pointer(field);
        let what = match *place {
            "query" => "the query parameter",
            "headers" => "the header",
            _ => "the field",
        };
        match problem {
            FieldProblem::Missing => write!(f, "add {what} {field}: it is required"),
            FieldProblem::MissingOneOf(names) => {
                write!(f, "add one of `{}`: one is required in {field}", names.join("`, `"))
            }
            FieldProblem::Null => write!(f, "leave {what} {field} out: it is null"),
            FieldProblem::Unknown { near: Some(near) } => {
                write!(f, "did you mean `{near}`? No document has {what} {field}")
            }
            FieldProblem::Unknown { near: None } => write!(f, "no document has {what} {field}"),
            FieldProblem::WrongType { expected, found } => {
                write!(f, "{what} {field} is of the type {expected}; found: {found}")
            }
            FieldProblem::NotEncrypted => write!(f, "encrypt {what} {field}: it is in the clear"),
            FieldProblem::Length { allowed: (0, most), found } => {
                write!(f, "{what} {field} has at most {most} characters or elements; found: {found}")
            }
            FieldProblem::Length { allowed: (least, usize::MAX), found } => {
                write!(f, "{what} {field} has at least {least} characters or elements; found: {found}")
            }
            FieldProblem::Length { allowed: (least, most), found } => {
                write!(f, "{what} {field} has {least} to {most} characters or elements; found: {found}")
            }
            FieldProblem::Range { allowed: (least, i64::MAX) } => {
                write!(f, "{what} {field} is a number from {least}")
            }
            FieldProblem::Range { allowed: (i64::MIN, most) } => {
                write!(f, "{what} {field} is a number up to {most}")
            }
            FieldProblem::Range { allowed: (least, most) } => {
                write!(f, "{what} {field} is a number from {least} to {most}")
            }
            FieldProblem::OtherValue { documented } => {
                write!(f, "{what} {field} has another value than the documented {}", documented.join(", "))
            }
        }
    }
}

/// The field of a hint: a documented one as it is, a caller's text as an excerpt.
struct Pointer<'a>(&'a str);

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More than any documented pointer has.
        const LONGEST: usize = 240;
        /// A key may be a word of this length.
        const LONGEST_WORD: usize = 30;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '/');
        let mut words = self.0.split(['/', '_']);
        match self.0.len() <= LONGEST
            && self.0.chars().all(is_plain)
            && words.all(|word| word.len() <= LONGEST_WORD)
        {
            true => write!(f, "`{}`", self.0),
            false => Excerpt(self.0).fmt(f),
        }
    }
}
