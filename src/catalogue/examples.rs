//! A call in every spelling: Rust, PHP, Node, the shell.

use serde_json::{Value, json};

use super::operation::{Operation, OperationKind};
use super::skeleton::Include;

/// A way to write a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Spelling {
    /// `wx["v3/…"].post(…).await?`
    Index,
    /// `wx.chain("v3/…").post(…).await?`
    Chain,
    /// `wx.seg("v3").seg("…").post(…).await?`
    Segments,
    /// `chain!(wx->v3->…).post(…).await?`: PHP's line
    PhpLine,
    /// `chain!(wx.v3.…).post(…).await?`: Node's line
    NodeLine,
    /// `wx["v3/…"].post_sync(…)?`, or `.wait()?`
    Blocking,
    /// The PHP SDK.
    Php,
    /// The Node SDK.
    Node,
    /// The program `wxpay`.
    Shell,
    /// A line of `wxpay batch`.
    Batch,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Spelling; 10] = [
        Spelling::Index,
        Spelling::Chain,
        Spelling::Segments,
        Spelling::PhpLine,
        Spelling::NodeLine,
        Spelling::Blocking,
        Spelling::Php,
        Spelling::Node,
        Spelling::Shell,
        Spelling::Batch,
    ];

    /// Its name in a heading.
    pub fn name(self) -> &'static str {
        match self {
            Spelling::Index => "Rust, by index",
            Spelling::Chain => "Rust, declared",
            Spelling::Segments => "Rust, pure chain",
            Spelling::PhpLine => "Rust, PHP's line",
            Spelling::NodeLine => "Rust, Node's line",
            Spelling::Blocking => "Rust, blocking",
            Spelling::Php => "PHP",
            Spelling::Node => "Node",
            Spelling::Shell => "wxpay",
            Spelling::Batch => "wxpay batch",
        }
    }
}

/// What a call is made of.
pub(crate) struct Parts {
    /// The variables of the template.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    /// An object, or null.
    pub(crate) query: Value,
    pub(crate) body: Value,
    /// Pointers to the fields to encrypt.
    pub(crate) encrypted: Vec<String>,
}

impl Operation {
    /// The call, to be copied and filled in. `None` if it cannot be written so: a segment with a digit after `-` is no
    /// name in PHP.
    ///
    /// ```
    /// use wechatpay_chain::catalogue::{Catalogue, Include, Spelling};
    ///
    /// let close = Catalogue::find("POST", "v3/pay/transactions/out-trade-no/{out_trade_no}/close").ok_or("")?;
    /// let line = close.example(Spelling::PhpLine, Include::Required).ok_or("")?;
    /// assert!(line.starts_with("chain!(wx->v3->pay->transactions->outTradeNo->_out_trade_no_->close)"));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn example(&self, spelling: Spelling, include: Include) -> Option<String> {
        let names = self.template().split('/').filter_map(|segment| segment.strip_prefix('{'));
        let mut query = self.query_skeleton(include);
        if spelling == Spelling::Shell {
            // Nothing stands after `name==`, also for a number.
            query
                .as_object_mut()
                .into_iter()
                .flat_map(|query| query.values_mut())
                .for_each(|value| *value = "".into());
        }
        let parts = Parts {
            variables: names.map(|name| (name.trim_end_matches('}').to_owned(), String::new())).collect(),
            headers: Vec::new(),
            query,
            body: self.body_skeleton(include),
            encrypted: self.encrypted_pointers(include),
        };
        self.written(spelling, &parts)
    }

    /// The call with these values.
    pub(crate) fn written(&self, spelling: Spelling, parts: &Parts) -> Option<String> {
        let template = self.template();
        match spelling {
            Spelling::Index => Some(self.rust(&format!("wx[{template:?}]"), parts, ".await?;")),
            Spelling::Chain => Some(self.rust(&format!("wx.chain({template:?})"), parts, ".await?;")),
            Spelling::Segments => {
                let segments: Vec<_> =
                    template.split('/').map(|segment| format!(".seg({segment:?})")).collect();
                Some(self.rust(&format!("wx{}", segments.concat()), parts, ".await?;"))
            }
            Spelling::PhpLine => {
                let line = names_of(template, "_", "_")?.join("->");
                Some(self.rust(&format!("chain!(wx->{line})"), parts, ".await?;"))
            }
            Spelling::NodeLine => {
                let line = names_of(template, "_", "_")?.join(".");
                Some(self.rust(&format!("chain!(wx.{line})"), parts, ".await?;"))
            }
            Spelling::Blocking => Some(self.rust(&format!("wx[{template:?}]"), parts, ".wait()?;")),
            Spelling::Php => Some(self.php(parts)),
            Spelling::Node => Some(self.node(parts)),
            Spelling::Shell => Some(self.shell(parts)),
            Spelling::Batch => (self.kind() != OperationKind::Upload).then(|| self.batch(parts)),
        }
    }

    fn rust(&self, chain: &str, parts: &Parts, end: &str) -> String {
        let verb = self.verb().to_ascii_lowercase();
        let is_upload = self.kind() == OperationKind::Upload;
        let argument = match (verb.as_str(), &parts.body) {
            ("get" | "delete", _) => String::new(),
            (_, Value::Null) => "Value::Null".to_owned(),
            _ if is_upload => "Value::Null".to_owned(),
            (_, body) => format!("json!({})", rust_json(body)),
        };
        let mut call = format!("{chain}.{verb}({argument})");
        if verb == "delete" && !parts.body.is_null() {
            call.push_str(&format!("\n    .json(json!({}))", rust_json(&parts.body)));
        }
        for (name, value) in &parts.variables {
            call.push_str(&format!("\n    .var({name:?}, {value:?})"));
        }
        for (name, value) in &parts.headers {
            call.push_str(&format!("\n    .header({name:?}, {value:?})"));
        }
        if !parts.query.is_null() {
            call.push_str(&format!("\n    .query(json!({}))", rust_json(&parts.query)));
        }
        if is_upload {
            call.push_str("\n    .media(Media::file(\"picture.jpg\"))");
        }
        if !parts.encrypted.is_empty() {
            call.push_str(&format!("\n    .encrypt(&{:?})", parts.encrypted));
        }
        if self.needs_client_certificate() {
            call.push_str("\n    .client_certificate()");
        }
        let separator = if call.contains("\n    .") { "\n    " } else { "" };
        format!("{call}{separator}{end}")
    }

    fn php(&self, parts: &Parts) -> String {
        let chain = match names_of(self.template(), "_", "_") {
            Some(names) => format!("$instance->{}", names.join("->")),
            None => format!("$instance->chain('{}')", self.template()),
        };
        let text = |text: &String| php_array(&Value::from(text.as_str()), 1);
        let mut options: Vec<(String, String)> =
            parts.variables.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        if !parts.headers.is_empty() {
            let headers: Value = parts.headers.iter().cloned().collect();
            options.push(("headers".to_owned(), php_array(&headers, 1)));
        }
        if !parts.query.is_null() {
            options.push(("query".to_owned(), php_array(&parts.query, 1)));
        }
        if self.kind() == OperationKind::Upload {
            options.push(("body".to_owned(), "$media->getStream()".to_owned()));
            options.push(("headers".to_owned(), "['content-type' => $media->getContentType()]".to_owned()));
        } else if !parts.body.is_null() {
            let key = if self.is_v2() { "xml" } else { "json" };
            options.push((key.to_owned(), php_array(&parts.body, 1)));
        }
        if self.needs_client_certificate() {
            options.push(("security".to_owned(), "true".to_owned()));
        }
        let options: Vec<_> =
            options.iter().map(|(name, value)| format!("    '{name}' => {value},\n")).collect();
        let argument = if options.is_empty() { String::new() } else { format!("[\n{}]", options.concat()) };
        format!("{chain}->{}({argument});", self.verb().to_ascii_lowercase())
    }

    fn node(&self, parts: &Parts) -> String {
        let chain = match names_of(self.template(), "$", "$") {
            Some(names) => format!("wxpay.{}", names.join(".")),
            None => format!("wxpay[{:?}]", self.template()),
        };
        let verb = self.verb().to_ascii_lowercase();
        let mut config: Vec<String> = Vec::new();
        if !parts.query.is_null() {
            config.push(format!("params: {}", indented(&parts.query, 2)));
        }
        if verb == "delete" && !parts.body.is_null() {
            config.push(format!("data: {}", indented(&parts.body, 2)));
        }
        if !parts.headers.is_empty() {
            let headers: Value = parts.headers.iter().cloned().collect();
            config.push(format!("headers: {}", indented(&headers, 2)));
        }
        config.extend(parts.variables.iter().map(|(name, value)| match value.as_str() {
            "" => format!("{name}: ''"),
            value => format!("{name}: {}", Value::from(value)),
        }));
        let config = match config.is_empty() {
            true => String::new(),
            false => format!("{{\n  {},\n}}", config.join(",\n  ")),
        };
        let body = match (verb.as_str(), &parts.body) {
            ("get" | "delete", _) => String::new(),
            _ if self.kind() == OperationKind::Upload => "form".to_owned(),
            (_, Value::Null) => "{}".to_owned(),
            (_, body) => indented(body, 0),
        };
        let arguments: Vec<_> = [body, config].into_iter().filter(|argument| !argument.is_empty()).collect();
        format!("await {chain}.{verb}({})", arguments.join(", "))
    }

    fn shell(&self, parts: &Parts) -> String {
        let upload = self.kind() == OperationKind::Upload;
        let verb = if upload { "upload picture.jpg".to_owned() } else { self.verb().to_ascii_lowercase() };
        let mut words = vec!["wxpay".to_owned(), verb, format!("'{}'", self.template())];
        words.extend(parts.variables.iter().map(|(name, value)| format!("--var {name}={}", shell(value))));
        if let Value::Object(query) = &parts.query {
            words.extend(query.iter().map(|(name, value)| match value {
                Value::String(text) => format!("{name}=={}", shell(text)),
                other => format!("{name}=={}", shell(&other.to_string())),
            }));
        }
        words.extend(
            parts.headers.iter().map(|(name, value)| format!("-H {}", shell(&format!("{name}: {value}")))),
        );
        words.extend(parts.encrypted.iter().map(|pointer| format!("--encrypt '{pointer}'")));
        if !parts.body.is_null() && !upload {
            words.push(format!("-d '{}'", parts.body.to_string().replace('\'', r"'\''")));
        }
        words.join(" ")
    }

    fn batch(&self, parts: &Parts) -> String {
        let mut line = json!({"id": "1", "method": self.verb(), "path": self.template()});
        let variables: Value = parts.variables.iter().cloned().collect();
        let members = [
            ("vars", variables, parts.variables.is_empty()),
            ("query", parts.query.clone(), parts.query.is_null()),
            ("body", parts.body.clone(), parts.body.is_null()),
            ("encrypt", json!(parts.encrypted), parts.encrypted.is_empty()),
        ];
        for (name, value, _) in members.into_iter().filter(|(_, _, is_empty)| !is_empty) {
            line[name] = value;
        }
        line.to_string()
    }
}

/// The segments as names of PHP or Node: `outTradeNo`, `_out_trade_no_`. `None` if one cannot be written so.
fn names_of(template: &str, before: &str, after: &str) -> Option<Vec<String>> {
    template
        .split('/')
        .map(|segment| {
            if let Some(name) = segment.strip_prefix('{') {
                return Some(format!("{before}{}{after}", name.trim_end_matches('}')));
            }
            let mut words = segment.split('-');
            let mut name =
                words.next().filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))?.to_owned();
            for word in words {
                let first = word.chars().next().filter(char::is_ascii_lowercase)?;
                // A word of one letter is not told apart from the next one.
                name.push(first.to_ascii_uppercase());
                name.push_str(word.get(1..).filter(|rest| !rest.is_empty())?);
            }
            Some(name)
        })
        .collect()
}

/// JSON with the indentation of a second line of a call.
fn indented(value: &Value, spaces: usize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.replace('\n', &format!("\n{}", " ".repeat(spaces)))
}

fn rust_json(value: &Value) -> String {
    match value {
        // One member fits on the line.
        Value::Object(map)
            if map.len() == 1 && !map.values().any(|value| value.is_object() || value.is_array()) =>
        {
            rust_escapes(&value.to_string()).replacen("\":", "\": ", 1)
        }
        _ => {
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            rust_escapes(&text).replace("\n  ", "\n    ")
        }
    }
}

/// JSON's escapes of control characters as Rust's.
fn rust_escapes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut characters = json.chars();
    while let Some(character) = characters.next() {
        text.push(character);
        if character != '\\' {
            continue;
        }
        match characters.next() {
            Some('b') => text.push_str("u{8}"),
            Some('f') => text.push_str("u{c}"),
            Some('u') => {
                let code: String = characters.by_ref().take(4).collect();
                text.push_str(&format!("u{{{code}}}"));
            }
            other => text.extend(other),
        }
    }
    text
}

/// Quotes for a POSIX shell, if the text needs them.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn php_array(value: &Value, depth: usize) -> String {
    let (inside, end) = ("    ".repeat(depth + 1), "    ".repeat(depth));
    match value {
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(name, value)| format!("{inside}'{name}' => {},\n", php_array(value, depth + 1)));
            format!("[\n{}{end}]", members.collect::<String>())
        }
        Value::Array(list) => {
            let elements = list.iter().map(|value| format!("{inside}{},\n", php_array(value, depth + 1)));
            format!("[\n{}{end}]", elements.collect::<String>())
        }
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        other => other.to_string(),
    }
}
