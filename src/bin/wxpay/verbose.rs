//! `-v` and `-vv`: the library's spans and events on stderr, in the form of `curl -v`, without the configured secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::text::Sanitized;

const LIBRARY: &str = "wechatpay_chain";
/// It has a part in `--sandbox`, but what is shown is the client's side.
const SANDBOX: &str = "wechatpay_chain::sandbox";
const MESSAGES: &str = "wechatpay_chain::messages";
/// What the documents have otherwise.
const HINTS: &str = "wechatpay_chain::hints";
/// Hints that the command prints itself, with or without `-v`.
const OF_COMMAND: [&str; 3] = ["unknown_path", "other_verb", "other_base"];
const CALL: &str = "wechatpay";

/// Shorter ones would hide parts of any text.
const MIN_SECRET: usize = 8;

/// The configured secrets, and each line of those that have several.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

static LEVEL: OnceLock<u8> = OnceLock::new();

/// Begins to print, with 1 the heads of messages, with 2 their headers and bodies, too.
pub(crate) fn start(level: u8) {
    if level > 0 && LEVEL.set(level).is_ok() {
        let subscriber = tracing_subscriber::registry().with(Printer { all: level > 1 });
        // The only one of the program.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

pub(crate) fn is_on() -> bool {
    LEVEL.get().is_some()
}

/// A text that is not printed from now on.
pub(crate) fn hide(secret: &str) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    for line in secret.split(['\n', '\r']).flat_map(|line| line.split("\\n")).map(str::trim) {
        if line.len() >= MIN_SECRET
            && !line.starts_with("-----")
            && !secrets.iter().any(|known| known == line)
        {
            secrets.push(line.to_owned());
        }
    }
}

/// Prints a line about the command itself.
pub(crate) fn note(text: &str) {
    if is_on() {
        print("* ", text);
    }
}

/// Prints the lines of a text, each behind a mark, in one write.
fn print(mark: &str, text: &str) {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"));
    let block: String = text.lines().map(|line| format!("{mark}{}\n", Sanitized(line))).collect();
    // A closed stderr is not an error.
    let _ = io::stderr().write_all(block.as_bytes());
}

struct Printer {
    all: bool,
}

/// The fields of a span or an event, as texts.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Printer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let target = metadata.target();
        let wanted = target.starts_with(LIBRARY)
            && !target.starts_with(SANDBOX)
            && (self.all || *metadata.level() < Level::TRACE);
        if wanted { Interest::always() } else { Interest::never() }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|span| span.name() == CALL) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(fields) = extensions.get::<Fields>() else { return };
        let attempts = fields.get("attempts");
        // A call that was given up has none.
        if attempts.is_empty() {
            return;
        }
        let ending = if attempts == "1" { "attempt" } else { "attempts" };
        let mut text = format!(
            "{} {}: {attempts} {ending} in {} ms",
            fields.get("method"),
            fields.get("template"),
            fields.get("duration_ms")
        );
        let request_id = fields.get("request_id");
        if !request_id.is_empty() {
            text.push_str(&format!(", Request-ID {request_id}"));
        }
        print("* ", &text);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.get("message");
        if event.metadata().target() == HINTS {
            if !OF_COMMAND.contains(&fields.get("kind")) {
                print("* ", &format!("{} {}: {message}", fields.get("method"), fields.get("template")));
            }
            return;
        }
        if event.metadata().target() != MESSAGES {
            let others = fields.0.iter().filter(|(name, _)| **name != "message");
            let others: String = others.map(|(name, value)| format!(", {name}: {value}")).collect();
            return print("* ", &format!("{message}{others}"));
        }
        let headers =
            fields.get("headers").lines().filter(|line| self.all || line.starts_with("request-id:"));
        let headers = headers.collect::<Vec<_>>().join("\n");
        match message {
            "request" => {
                let (method, path, host) = (fields.get("method"), fields.get("path"), fields.get("host"));
                print("> ", &format!("{method} {path} HTTP/1.1\nhost: {host}\n{headers}"));
            }
            "response" => print("< ", &format!("HTTP/1.1 {}\n{headers}", fields.get("status"))),
            "request body" if !fields.get("body").is_empty() => {
                print("> ", &format!("\n{}", fields.get("body")))
            }
            "response body" if !fields.get("body").is_empty() => {
                print("< ", &format!("\n{}", fields.get("body")));
            }
            _ => {}
        }
    }
}
