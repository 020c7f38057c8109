//! The JSON parser's error as the source of ours.

use std::error::Error;
use std::fmt;

use serde_json::error::Category;

/// Which kind of error it was. The parser's own text quotes the values that it read, which may be personal data; and
/// where and why it stopped is in our own message.
#[derive(Debug)]
struct JsonSource(Category);

impl fmt::Display for JsonSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Category::Io => "JSON that cannot be read",
            Category::Syntax => "a JSON syntax error",
            Category::Data => "JSON of another shape",
            Category::Eof => "JSON that ends too early",
        })
    }
}

impl Error for JsonSource {}

/// The source of an error whose message has the [`json_reason`](super::json_reason).
pub(crate) fn json_source(error: &serde_json::Error) -> Box<dyn Error + Send + Sync> {
    Box::new(JsonSource(error.classify()))
}
