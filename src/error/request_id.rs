//! The `Request-ID` of a response, in messages.

use std::fmt;

use super::Message;

/// The `Request-ID` of a response, in brackets after a message.
pub(crate) struct RequestId<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, " (Request-ID {})", Message(id)),
            None => Ok(()),
        }
    }
}
