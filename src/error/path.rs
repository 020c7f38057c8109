//! Why a path is refused.

use super::Shown;

/// Why a path, or a value in it, is refused.
///
/// The PHP and Node SDKs send a changed or an empty value in most of these cases; see
/// `docs/porting-from-php.md`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A segment has capitals and is no camelCase word: a value, most likely, which the case rule would change.
    #[error(
        "the segment `{}` has capitals but is no camelCase word: pass a value as a variable, \
         `{{name}}` in the path and `.var(\"name\", …)`",
        Shown(segment)
    )]
    ValueAsSegment {
        /// The segment as written.
        segment: String,
    },
    /// Nothing was given for a variable of the template.
    #[error(
        "the variable `{name}` of `{}` has no value: give it with `.var(\"{name}\", …)`",
        Shown(template)
    )]
    MissingVariable {
        /// The variable's name.
        name: String,
        /// The template that wants it.
        template: String,
    },
    /// A value was given for a name that the template does not have.
    #[error("`{}` is neither an option nor a variable of `{}`", Shown(name), Shown(template))]
    UnknownVariable {
        /// The name as given.
        name: String,
        /// The template that does not have it.
        template: String,
    },
    /// A variable's value has a shape that RFC 6570 cannot expand.
    #[error(
        "the variable `{name}` must be a string, a number, a boolean, or a flat list or map of these; it is {found}"
    )]
    VariableValue {
        /// The variable's name.
        name: String,
        /// What the value is instead.
        found: String,
    },
    /// A segment is, or becomes, `.` or `..`, which HTTP clients and proxies resolve away.
    #[error("`{}` has the segment `{segment}`, which would be resolved away on its way", Shown(path))]
    DotSegment {
        /// The segment.
        segment: String,
        /// The whole path.
        path: String,
    },
    /// A segment is empty: a value that was lost, most likely.
    #[error(
        "`{}` has an empty segment: a value may be missing (an intended one is a variable, `{{empty}}`, \
         with an explicit \"\")",
        Shown(path)
    )]
    EmptySegment {
        /// The whole path.
        path: String,
    },
    /// A character cannot stand in a URL as it is.
    #[error(
        "`{}` has the character {character:?}, which cannot stand in a URL as it is: pass a value as a \
         variable, `{{name}}` in the path and `.var(\"name\", …)`, or with `.query(…)`",
        Shown(segment)
    )]
    UnsafeCharacter {
        /// The segment, or the query, as written.
        segment: String,
        /// The character.
        character: char,
    },
    /// `seg` takes one segment.
    #[error(
        "`{}` is more than one segment: use `.chain(…)` for a path, a variable for a value",
        Shown(segment)
    )]
    SlashInSegment {
        /// What was given as one segment.
        segment: String,
    },
    /// A path cannot go on behind its query.
    #[error("`{}` ends with a query: nothing can be chained behind it", Shown(path))]
    AfterQuery {
        /// The path with its query.
        path: String,
    },
    /// The text is no RFC 6570 template.
    #[error("`{}` is not an RFC 6570 template: {reason}", Shown(template))]
    Template {
        /// The template as normalised.
        template: String,
        /// What the template library found.
        reason: String,
    },
    /// The expanded path does not make a URL that can be requested.
    #[error("`{}` cannot be requested: {reason}", Shown(url))]
    Url {
        /// The URL, its query left out.
        url: String,
        /// Why it cannot be requested.
        reason: String,
    },
}
