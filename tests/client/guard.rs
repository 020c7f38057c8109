//! A caller's mistake: a private key where a path, an id or a switch belongs, and control characters anywhere. Neither
//! may show in a `Debug`, a `Display`, a source or a trace.
//!
//! Each text is given to every setting and every public function that takes text, and everything that comes out is
//! searched.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wechatpay_chain::{Error, WeChatPayBuilder};

use crate::support;

mod places;

use places::everywhere;

/// Collects what is printed about one text.
struct Outputs<'a> {
    given: &'a str,
    all: Vec<(String, String)>,
    traced: Arc<Mutex<String>>,
}

impl Outputs<'_> {
    fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.all.push((what.to_owned(), format!("{value:?}")));
        self.all.push((what.to_owned(), format!("{value:#?}").replace("\n", " ")));
    }

    fn error(&mut self, what: &str, error: &(dyn std::error::Error + 'static)) {
        self.all.push((what.to_owned(), error.to_string()));
        self.debug(what, &error);
        let mut cause = error.source();
        while let Some(inner) = cause {
            self.all.push((format!("{what}: a source"), inner.to_string()));
            self.debug(&format!("{what}: a source"), &inner);
            cause = inner.source();
        }
        if let Some(Error::Config(e)) = error.downcast_ref::<Error>() {
            self.all.push((what.to_owned(), e.field().to_owned()));
        }
    }

    fn result<T: Debug>(&mut self, what: &str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.debug(what, &value);
                Some(value)
            }
            Err(error) => {
                self.error(what, &error);
                None
            }
        }
    }

    fn builder(&mut self, what: &str, builder: WeChatPayBuilder) {
        self.debug(what, &builder);
        if let Some(wx) = self.result(what, builder.build()) {
            let request = wx["v3/x/{id}"].get().var("id", "1");
            self.debug(what, &request);
            self.result(what, request.wait());
        }
    }
}

/// Keeps every span and event of the process, as text.
struct Everything(Arc<Mutex<String>>);

impl tracing::field::Visit for Everything {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        *self.0.lock().unwrap() += &format!("{}={value:?} ", field.name());
    }
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        *self.0.lock().unwrap() += &format!("{}={value} ", field.name());
    }
}

impl tracing::Subscriber for Everything {
    // The HTTP library's own events, at `debug`, name the hosts that it resolves.
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("wechatpay_chain")
    }
    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut Everything(Arc::clone(&self.0)));
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Everything(Arc::clone(&self.0)));
    }
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Everything(Arc::clone(&self.0)));
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Gives each text to everything, and what comes out to `check`: the text, what it was given to, and the output.
fn give(texts: &[String], check: impl Fn(&str, &str, &str)) {
    let traced = Arc::default();
    tracing::subscriber::set_global_default(Everything(Arc::clone(&traced))).unwrap();
    for text in texts {
        let mut out = Outputs { given: text, all: Vec::new(), traced: Arc::clone(&traced) };
        everywhere(&mut out);
        assert!(out.all.len() > 400, "{}", out.all.len());
        for (what, output) in &out.all {
            check(text, what, output);
        }
        let traced = std::mem::take(&mut *out.traced.lock().unwrap());
        assert!(traced.contains("template="), "nothing was traced");
        check(text, "a trace", &traced);
    }
}

/// Runs the test in a process of its own: its subscriber is that of all threads.
#[track_caller]
fn alone(test: &str) -> bool {
    const CHILD: &str = "WECHATPAY_TEST_GUARD";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let output = support::alone(module_path!(), test).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
    false
}

#[test]
fn no_wrapping_of_a_private_key_shows_anywhere() {
    if !alone("no_wrapping_of_a_private_key_shows_anywhere") {
        return;
    }
    // A key that is configured nowhere else. `openssl` made it, and `pem` reads it: neither is the library's own.
    let pem = support::key("platform_key.pem");
    let der = pem::parse(&pem).unwrap().into_contents();
    let base64 = STANDARD.encode(&der);
    let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = base64.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let middle = &base64[401..1001];
    let texts = [
        pem.clone(),
        pem.replace('\n', " "),
        pem.replace('\n', "\\n"),
        pem.replace("PRIVATE", "PUBLIC"),
        base64.clone(),
        base64.replace('+', "-").replace('/', "_"),
        format!("\"{base64}\""),
        format!("file://{pem}"),
        format!("file:///{base64}"),
        format!("private.pkcs9://{base64}"),
        encoded.clone(),
        percent.clone(),
        hex.clone(),
        hex.to_uppercase(),
        middle.to_owned(),
        middle.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect(),
        middle.as_bytes().chunks(8).map(|eight| String::from_utf8_lossy(eight) + " ").collect(),
        STANDARD.encode(&pem),
    ];
    // 16 characters in a row, of the key itself and of each text without its line breaks and header.
    let mut pieces = std::collections::HashSet::new();
    let header: Vec<&str> = pem.lines().filter(|line| line.contains("---")).collect();
    for text in texts.iter().chain([&base64]) {
        let mut bare = text.replace('\n', "").replace("\\n", "");
        for line in &header {
            bare = bare.replace(line, "").replace(&line.replace("PRIVATE", "PUBLIC"), "");
        }
        let bare: Vec<char> = bare.trim_start_matches(|c: char| "file:/\"".contains(c)).chars().collect();
        pieces.extend(bare.windows(16).map(|piece| piece.iter().collect::<String>()));
    }
    for known in ["private.pkcs9://", "-----END PRIVATE"] {
        pieces.remove(known);
    }
    give(&texts, |text, what, output| {
        let outputs = [output.to_owned(), output.replace([' ', '\n', '"'], ""), output.replace("\\n", "")];
        for output in &outputs {
            let characters: Vec<(usize, char)> = output.char_indices().collect();
            for window in characters.windows(17) {
                let piece = &output[window[0].0..window[16].0];
                assert!(!pieces.contains(piece), "{what} shows `{piece}` of {text:?}: {output}");
            }
        }
    });
}

/// What is not in `places.rs` is not searched: each public function that takes text is there, or its text is no setting.
#[test]
fn no_function_that_takes_text_is_forgotten() {
    const ELSEWHERE: &[&str] = &[
        "get",       // of a bill's row: a column's name
        "reject",    // a reply's text for the platform
        "reject_v2", // the same
        "str",       // of a response: a pointer
    ];
    let (places, src) = (include_str!("guard/places.rs"), format!("{}/src", env!("CARGO_MANIFEST_DIR")));
    let (mut folders, mut found) = (vec![std::path::PathBuf::from(src)], 0);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                // The program has a test of its own, the sandbox gets no secrets, and the catalogue returns its own facts.
                let skipped = ["src/bin", "src/sandbox", "src/catalogue"];
                if !skipped.iter().any(|folder| path.ends_with(folder)) {
                    folders.push(path);
                }
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for function in source.split("\n    pub ").skip(1) {
                let Some(function) = function.trim_start_matches("async ").strip_prefix("fn ") else {
                    continue;
                };
                let head = &function[..function.find(['{', ';']).unwrap()];
                let (name, rest) = head.split_once(['(', '<']).unwrap();
                let arguments = rest.rsplit_once("->").map_or(rest, |(arguments, _)| arguments);
                let takes_text =
                    ["str", "String", "Value", "Path", "AsRef"].iter().any(|text| arguments.contains(text));
                if takes_text && !ELSEWHERE.contains(&name) {
                    let (method, function) = (format!(".{name}("), format!("::{name}("));
                    let is_tried = places.contains(&method) || places.contains(&function);
                    assert!(is_tried, "{}: `{name}` is not in places.rs", path.display());
                    found += 1;
                }
            }
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn no_control_character_shows_anywhere() {
    if !alone("no_control_character_shows_anywhere") {
        return;
    }
    let bad = "\0\u{7}\u{8}\t\r\n\u{b}\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{200e}\u{2028}\u{202e}\u{2066}\u{feff}";
    let mut texts: Vec<String> = bad.chars().map(|character| format!("a{character}[2Jb")).collect();
    texts.push(format!("https://a{bad}b/"));
    give(&texts, |text, what, output| {
        let shown = output.chars().find(|character| bad.contains(*character));
        assert_eq!(shown, None, "{what} of {text:?}: {output:?}");
    });
}
