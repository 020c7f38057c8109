//! The library's errors in the words of whoever typed: options in the shell, members of a line in a batch.

use std::error::Error as StdError;
use std::io;

use wechatpay_chain::{Error, error::PathError};

use crate::files;
use crate::outcome::{Outcome, platform_keys_cause};
use crate::text::{Excerpt, Message, io_text, shown_template};
use crate::variables;

/// Where a request was typed.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Shell,
    /// A line of a batch.
    Line,
}

impl Place {
    fn variable(self, name: &str) -> String {
        match self {
            Place::Shell => format!("`--var {name}=VALUE`"),
            Place::Line => format!("`\"vars\": {{\"{name}\": …}}`"),
        }
    }

    fn query(self) -> &'static str {
        match self {
            Place::Shell => "`-q NAME=VALUE`",
            Place::Line => "`\"query\": {…}`",
        }
    }

    fn client_certificate(self) -> &'static str {
        match self {
            Place::Shell => "add --client-certificate",
            Place::Line => "add `\"client_certificate\": true`",
        }
    }

    /// The place of a setter of the library.
    fn setter(self, name: &str) -> Option<&'static str> {
        Some(match (self, name) {
            (Place::Shell, "retry") => "--retry",
            (Place::Shell, "timeout") => "--timeout",
            (Place::Shell, "query") => "-q",
            (Place::Shell, "headers") => "-H",
            (Place::Shell, "content_type") => "-H Content-Type",
            (Place::Shell, "json" | "xml") => "the body",
            (Place::Shell, "encrypt") => "--encrypt",
            (Place::Shell, "media") => "FILE",
            (Place::Shell, "media.meta") => "--meta",
            (Place::Shell, "media.mime") => "--type",
            (Place::Shell, "save_to") => "-o",
            (Place::Shell, "chain") => "PATH",
            (Place::Line, "content_type") => "`headers`",
            (Place::Line, "json" | "xml") => "`body`",
            (Place::Line, "chain") => "`path`",
            _ => return None,
        })
    }
}

/// How the library says that a call of APIv2 must present the merchant's certificate.
const CERTIFICATE_SETTER: &str = "add `.client_certificate()` to the call (PHP's `security`)";

/// The fault of an error and how to fix it, for the shell.
pub(crate) fn describe(error: &Error) -> String {
    fault(error, Place::Shell)
}

/// [`describe`] for a call of a batch.
pub(crate) fn describe_in_line(error: &Error) -> String {
    fault(error, Place::Line)
}

/// How to fix an error in a line of a batch, if the program knows.
pub(crate) fn hint_in_line(error: &Error) -> Option<String> {
    fix(error, Place::Line)
}

/// How to fix an error in the shell, if the program knows.
pub(crate) fn hint(error: &Error) -> Option<String> {
    fix(error, Place::Shell).or_else(|| {
        Some(match error {
            Error::Api(_) if Outcome::of_error(error) == Outcome::Limited => {
                "repeat it later; --retry N waits as the platform asks".to_owned()
            }
            Error::NotReady(_) => "run the same command again later".to_owned(),
            _ => return None,
        })
    })
}

/// The hint for a write that was sent and whose result is unknown.
pub(crate) const UNKNOWN_WRITE: &str = "query it by its order or refund number before you repeat it; a repeat must have the same numbers and the same \
     body";

/// The message of an error, with the detail and the causes that its `Display` leaves out, where they say more.
fn fault(error: &Error, place: Place) -> String {
    let mut text = match error {
        Error::Path(path) => path_fault(path),
        Error::Config(e) => {
            let (name, rest) = e.field().split_at(e.field().find('[').unwrap_or(e.field().len()));
            let named = match (place.setter(name), place, name.strip_prefix("headers.")) {
                (Some(option), ..) => format!("{option}{rest}"),
                (None, Place::Shell, Some(header)) => format!("-H {}", Excerpt(header)),
                // As the program writes the name of a parameter of the query for the library.
                (None, Place::Shell, None) if name.starts_with('?') => {
                    format!("--encrypt {}", Excerpt(name.trim_start_matches('?')))
                }
                (None, ..) => format!("`{}`", Message(e.field())),
            };
            format!("{named} {}", Message(e.reason()))
        }
        Error::Api(api) => {
            // What the path may mean is the hint.
            let mut plain = (**api).clone();
            plain.did_you_mean.clear();
            match api.detail.is_null() {
                true => plain.to_string(),
                false => format!("{plain}, detail: {}", api.detail),
            }
        }
        _ => error.to_string(),
    };
    if let Error::Transport(_) = error {
        text = text.replace(CERTIFICATE_SETTER, place.client_certificate());
    }
    let mut innermost = None;
    let mut cause = StdError::source(error);
    while let Some(inner) = cause {
        match library_error(inner) {
            Some(own) => text = format!("{text}: {own}"),
            // Of the causes in other libraries, the last one is specific.
            None => innermost = Some(inner),
        }
        cause = inner.source();
    }
    match innermost {
        Some(cause) if says_more(cause, &text) => match cause.downcast_ref::<io::Error>() {
            Some(e) => format!("{text} ({})", io_text(e)),
            None => format!("{text} ({cause})"),
        },
        _ => text,
    }
}

fn path_fault(error: &PathError) -> String {
    match error {
        PathError::ValueAsSegment { segment } => {
            format!("the segment {} of the path looks like a value", Excerpt(segment))
        }
        PathError::MissingVariable { name, template } => {
            format!("the variable {} of {} has no value", Excerpt(name), Excerpt(&shown_template(template)))
        }
        PathError::UnknownVariable { name, template } => {
            format!("{} is not a variable of {}", Excerpt(name), Excerpt(&shown_template(template)))
        }
        PathError::UntrustedHost { url, found } => format!(
            "{} cannot be requested: its host is neither configured nor the platform's, so only a GET without body and \
             headers is sent there; this request has {}",
            Excerpt(&shown_template(url)),
            Message(found)
        ),
        PathError::InsecureHost { url } => {
            let url = shown_template(url);
            format!("{} cannot be requested: http:// is for this machine only", Excerpt(&url))
        }
        PathError::EmptySegment { path } => {
            format!("{} has an empty segment", Excerpt(&shown_template(path)))
        }
        PathError::UnsafeCharacter { segment, character } => {
            format!("{} has the character {character:?}, which is not allowed in a URL", Excerpt(segment))
        }
        _ => error.to_string(),
    }
}

fn fix(error: &Error, place: Place) -> Option<String> {
    let as_variable =
        |name: &str| format!("write {{{name}}} in the path, and its value as {}", place.variable(name));
    Some(match error {
        Error::Path(path) => match &**path {
            PathError::ValueAsSegment { .. } => as_variable("name"),
            PathError::MissingVariable { name, .. } => {
                format!("give it with {}", place.variable(&Message(name).to_string()))
            }
            PathError::UnknownVariable { .. } => format!("a parameter of the query is {}", place.query()),
            PathError::EmptySegment { .. } => {
                "a value may be missing; if it is meant to be empty, use a variable with an empty value"
                    .to_owned()
            }
            PathError::UntrustedHost { .. } => "for signed requests to another host: --base-url".to_owned(),
            PathError::InsecureHost { .. } => format!(
                "use https://; `{}=1`, or `{} = true` in a profile, permits http://",
                variables::ALLOW_HTTP,
                variables::key_of(variables::ALLOW_HTTP)
            ),
            PathError::UnsafeCharacter { .. } => {
                format!("{}; a parameter of the query is {}", as_variable("name"), place.query())
            }
            _ => return None,
        },
        Error::Config(e) => match (e.field(), e.advice().is_some(), place) {
            (field, true, Place::Shell) if field.starts_with('/') => {
                "a parameter of the query is named without a slash".to_owned()
            }
            ("save_to", true, Place::Shell) => "`-o -`, or no -o, is stdout".to_owned(),
            ("media", true, Place::Shell) => "name it with --name".to_owned(),
            (variables::AUTOMATIC_CERTIFICATES, true, _) => {
                "without a platform key, only a request that is sent downloads one".to_owned()
            }
            ("json", true, Place::Shell) => "send the value of its member `json` alone".to_owned(),
            ("json", true, Place::Line) => "write the value of its member `json` alone".to_owned(),
            // It names other settings, as the caller does.
            (field, true, _) if variables::names().any(|name| name == field) => {
                e.advice().unwrap_or_default().to_owned()
            }
            _ => return None,
        },
        Error::Api(api) if !api.did_you_mean.is_empty() => {
            format!("no document has this path; did you mean {}?", api.did_you_mean.join(", or "))
        }
        Error::PlatformKeys(keys) => match platform_keys_cause(keys) {
            Some(cause) => return fix(cause, place),
            None => return None,
        },
        _ => return None,
    })
}

fn library_error<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e Error> {
    cause.downcast_ref::<Error>()
}

/// Whether a cause is not in the message already, in the library's words.
fn says_more(cause: &(dyn StdError + 'static), message: &str) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, TimedOut, UnexpectedEof};
    if let Some(e) = cause.downcast_ref::<io::Error>()
        && (files::known_reason(e).is_some()
            || matches!(e.kind(), ConnectionRefused | ConnectionReset | TimedOut | UnexpectedEof))
    {
        return false;
    }
    let text = cause.to_string();
    text != "connection closed before message completed" && !message.contains(&text)
}
