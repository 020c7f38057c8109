//! `PathError`: a path that cannot be requested.

use std::fmt;

use super::{Excerpt, Message, shown_template};

/// A path, or a value in it, that cannot be requested.
///
/// In most of these cases the PHP and Node SDKs send a changed or an empty value; see
/// [porting from PHP](crate::guide::porting_from_php).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A segment has capitals but is not a camelCase word. It is most likely a value, which the case rule would change.
    #[error(
        "the segment {} has capitals but is not a camelCase word: pass a value as a variable, \
         `{{name}}` in the path and `.var(\"name\", …)`",
        Excerpt(segment)
    )]
    ValueAsSegment {
        /// The segment as written.
        segment: String,
    },
    /// A variable of the template has no value.
    #[error(
        "the variable {} of {} has no value: give it with `.var(\"{}\", …)`, or as a key of the options array",
        Excerpt(name),
        Excerpt(&shown_template(template)),
        Message(name)
    )]
    MissingVariable {
        /// The variable's name.
        name: String,
        /// The template.
        template: String,
    },
    /// A value was given for a name that is not in the template.
    #[error("{} is neither an option nor a variable of {}", Excerpt(name), Excerpt(&shown_template(template)))]
    UnknownVariable {
        /// The name as given.
        name: String,
        /// The template.
        template: String,
    },
    /// A variable's value has a shape that RFC 6570 cannot expand.
    #[error(
        "the variable {} must be a string, a number, a boolean, or a flat list or map of these; it is {found}",
        Excerpt(name)
    )]
    VariableValue {
        /// The variable's name.
        name: String,
        /// The type of the value.
        found: String,
    },
    /// A segment is or expands to `.` or `..`, which HTTP clients and proxies resolve away.
    #[error("{} has the segment {}, which HTTP clients and proxies resolve away", Excerpt(&shown_template(path)), Excerpt(segment))]
    DotSegment {
        /// The segment.
        segment: String,
        /// The whole path.
        path: String,
    },
    /// A segment is empty, most likely because a value is missing.
    #[error(
        "{} has an empty segment: a value may be missing (for an intended one use a variable \
         with an explicit \"\")",
        Excerpt(&shown_template(path))
    )]
    EmptySegment {
        /// The whole path.
        path: String,
    },
    /// A character is not allowed in a URL.
    #[error(
        "{} has the character {character:?}, which is not allowed in a URL: pass a value as a \
         variable, `{{name}}` in the path and `.var(\"name\", …)`, or with `.query(…)`",
        Excerpt(segment)
    )]
    UnsafeCharacter {
        /// The segment or the query, as written.
        segment: String,
        /// The character.
        character: char,
    },
    /// `seg` takes one segment.
    #[error(
        "{} is more than one segment: use `.chain(…)` for a path, a variable for a value",
        Excerpt(segment)
    )]
    SlashInSegment {
        /// The text given as one segment.
        segment: String,
    },
    /// A path cannot be extended after its query.
    #[error("{} ends with a query: nothing can be chained after it", Excerpt(&shown_template(path)))]
    AfterQuery {
        /// The path with its query.
        path: String,
    },
    /// The text is not an RFC 6570 template.
    #[error("{} is not an RFC 6570 template: {}", Excerpt(&shown_template(template)), Message(reason))]
    Template {
        /// The template as normalised.
        template: String,
        /// The parser's reason.
        reason: String,
    },
    /// A host that is not configured gets a bare GET only, and this request has more.
    #[error(
        "{} cannot be requested: its host is neither configured nor the platform's, so only a GET without body and \
         headers is sent there; this request has {}. Should the host receive signed requests, allow it with \
         `allow_host` of the builder",
        Excerpt(&shown_template(url)),
        Message(found)
    )]
    UntrustedHost {
        /// The URL without its query.
        url: String,
        /// The first thing that such a host must not get.
        found: String,
    },
    /// `http://` to another machine: whoever is on the way reads the request and its signature.
    #[error(
        "{} cannot be requested: http:// is for this machine only. Use https://, or permit http:// with `allow_http` of \
         the builder",
        Excerpt(&shown_template(url))
    )]
    InsecureHost {
        /// The URL without its query.
        url: String,
    },
    /// The expanded path is not a URL that can be requested.
    #[error("{} cannot be requested: {}", Excerpt(&shown_template(url)), Message(reason))]
    Url {
        /// The URL without its query.
        url: String,
        /// The reason.
        reason: String,
    },
}

/// The name of the variant and the message: the fields are the caller's text.
impl fmt::Debug for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            PathError::ValueAsSegment { .. } => "ValueAsSegment",
            PathError::MissingVariable { .. } => "MissingVariable",
            PathError::UnknownVariable { .. } => "UnknownVariable",
            PathError::VariableValue { .. } => "VariableValue",
            PathError::DotSegment { .. } => "DotSegment",
            PathError::EmptySegment { .. } => "EmptySegment",
            PathError::UnsafeCharacter { .. } => "UnsafeCharacter",
            PathError::SlashInSegment { .. } => "SlashInSegment",
            PathError::AfterQuery { .. } => "AfterQuery",
            PathError::Template { .. } => "Template",
            PathError::UntrustedHost { .. } => "UntrustedHost",
            PathError::InsecureHost { .. } => "InsecureHost",
            PathError::Url { .. } => "Url",
        };
        f.debug_tuple(name).field(&Message(&self.to_string())).finish()
    }
}
