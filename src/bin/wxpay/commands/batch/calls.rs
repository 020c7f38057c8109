//! The input: JSON lines, read one at a time, and twice: for validation and for sending.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use wechatpay_chain::{Prepared, Request, WeChatPay};

use crate::apiv2;
use crate::complete_file::is_standard_stream;
use crate::failure::{Failure, describe_in_line, hint_in_line, usage_error};
use crate::text::{Excerpt, ShownPath, io_text, json_reason};

/// The library's limit for a response.
const MAX_LINE_BYTES: u64 = 8 << 20;

/// The limit of input that is copied, in bytes.
const MAX_COPY_BYTES: u64 = 4 << 30;

/// Identifies a call: its `id`, or else its line number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Line(u64),
    Name(String),
}

impl Id {
    /// For a list of ids.
    pub(super) fn short(&self) -> String {
        match self {
            Id::Line(line) => format!("line {line}"),
            Id::Name(name) if name.chars().count() > 64 => {
                format!("{:.64}…", name.escape_debug().to_string())
            }
            Id::Name(name) => name.escape_debug().to_string(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Line(line) => write!(f, "the call on line {line}"),
            Id::Name(name) => write!(f, "the call {}", Excerpt(name)),
        }
    }
}

/// A line of the input.
pub(super) struct Call {
    pub(super) line: u64,
    pub(super) id: Id,
    /// Of the line, to detect that it has changed.
    pub(super) digest: String,
    fields: Fields,
    method: Method,
    timeout: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    id: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    vars: Map<String, Value>,
    #[serde(default)]
    query: Map<String, Value>,
    /// As written, so that numbers keep their digits.
    body: Option<Box<RawValue>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    encrypt: Vec<String>,
    /// APIv2: whether the call presents the merchant's certificate.
    #[serde(default)]
    client_certificate: bool,
    /// Seconds.
    timeout: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// In any letter case.
    fn parse(name: &str) -> Result<Method, String> {
        match name.to_ascii_uppercase().as_str() {
            "GET" => Ok(Method::Get),
            "POST" => Ok(Method::Post),
            "PUT" => Ok(Method::Put),
            "PATCH" => Ok(Method::Patch),
            "DELETE" => Ok(Method::Delete),
            _ => Err(format!("`method`: expected GET, POST, PUT, PATCH or DELETE, found {}", Excerpt(name))),
        }
    }
}

impl Call {
    fn parse(line: u64, text: &[u8]) -> Result<Call, String> {
        let fields: Fields = serde_json::from_slice(text).map_err(|e| {
            // The parser's line number is always 1.
            let reason = json_reason(&e);
            match reason.strip_prefix("line 1, ").and_then(|rest| rest.split_once(": ")) {
                Some((column, what)) => format!("{what}, {column}"),
                None => reason,
            }
        })?;
        let timeout = match fields.timeout.map(|seconds| (seconds, Duration::try_from_secs_f64(seconds))) {
            None => None,
            Some((_, Ok(timeout))) => Some(timeout),
            Some((seconds, Err(_))) => return Err(format!("`timeout`: expected seconds, found {seconds}")),
        };
        let id = match &fields.id {
            None => Id::Line(line),
            Some(name) if name.is_empty() => return Err("`id` is empty".to_owned()),
            Some(name) => Id::Name(name.clone()),
        };
        let digest = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let method = Method::parse(&fields.method)?;
        if fields.client_certificate && !apiv2::is_path(&fields.path) {
            return Err("`client_certificate`: is for APIv2, whose paths begin with `v2/`".to_owned());
        }
        let call = Call { line, id, digest, fields, method, timeout };
        if let Some(number) =
            call.body_as_value().as_ref().filter(|_| call.is_apiv2()).and_then(apiv2::inexact_number)
        {
            let reason = format!("`body` has the number {number}, whose digits may have changed");
            return Err(format!("{reason}: {}", apiv2::WRITE_AS_TEXT));
        }
        Ok(call)
    }

    fn body_as_value(&self) -> Option<Value> {
        self.fields.body.as_ref().map(|body| serde_json::from_str(body.get()).unwrap_or_default())
    }

    /// A GET can be repeated without harm.
    pub(super) fn is_get(&self) -> bool {
        self.method == Method::Get
    }

    pub(super) fn verb(&self) -> &'static str {
        match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.fields.path
    }

    pub(super) fn is_apiv2(&self) -> bool {
        apiv2::is_path(&self.fields.path)
    }

    pub(super) fn encrypts(&self) -> bool {
        !self.fields.encrypt.is_empty()
    }

    /// A new request for each attempt, with the same numbers and the same body.
    pub(super) fn request(&self, wx: &WeChatPay) -> Request {
        let Fields { path, vars, query, body, headers, encrypt, client_certificate, .. } = &self.fields;
        let chain = wx.chain("").literal(path);
        let mut request = match self.method {
            Method::Get => chain.get(),
            Method::Post => chain.post(Value::Null),
            Method::Put => chain.put(Value::Null),
            Method::Patch => chain.patch(Value::Null),
            Method::Delete => chain.delete(),
        };
        for (name, value) in vars {
            request = request.var(name, value.clone());
        }
        if !query.is_empty() {
            request = request.query(query.clone());
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = match body.as_ref().map(|body| body.get()) {
            None => request,
            // Encryption needs a parsed value, and APIv2 the fields of its XML.
            Some(text) if self.encrypts() || self.is_apiv2() => {
                request.json(serde_json::from_str::<Value>(text).unwrap_or_default())
            }
            Some(text) => {
                let own = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
                request.body(own.map_or("application/json", |(_, value)| value), text.to_owned())
            }
        };
        let pointers: Vec<_> = encrypt.iter().map(String::as_str).collect();
        request = request.encrypt(&pointers);
        if *client_certificate {
            request = request.client_certificate();
        }
        match self.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        }
    }
}

/// Reads the input. [`rewind`](Calls::rewind) starts again from the first line.
pub(super) struct Calls {
    name: String,
    input: BufReader<File>,
    line: u64,
    text: Vec<u8>,
    /// Why there can be no call of APIv2.
    no_apiv2: Option<&'static str>,
}

impl Calls {
    pub(super) fn open(path: &Path) -> Result<Calls, Failure> {
        let from_stdin = is_standard_stream(path);
        let name = if from_stdin { "stdin".to_owned() } else { ShownPath(path).to_string() };
        let open = || match from_stdin {
            true => copy_to_temporary_file(&mut io::stdin().lock()),
            false => File::open(path).and_then(|mut file| match file.metadata()?.file_type() {
                kind if kind.is_file() => Ok(file),
                kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
                _ => copy_to_temporary_file(&mut file),
            }),
        };
        let file = open().map_err(|e| usage_error(format!("cannot read {name}: {}", io_text(&e))))?;
        Ok(Calls { name, input: BufReader::new(file), line: 0, text: Vec::new(), no_apiv2: None })
    }

    /// Refuses calls of APIv2, for this reason.
    pub(super) fn without_apiv2(self, reason: &'static str) -> Calls {
        Calls { no_apiv2: Some(reason), ..self }
    }

    pub(super) fn rewind(&mut self) -> Result<(), Failure> {
        self.line = 0;
        let rewound = self.input.rewind();
        rewound.map_err(|e| usage_error(format!("cannot read {} again: {}", self.name, io_text(&e))))
    }

    /// The next call. Empty lines are skipped.
    pub(super) fn next(&mut self) -> Result<Option<Call>, Failure> {
        loop {
            self.text.clear();
            self.line += 1;
            let read = (&mut self.input).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut self.text);
            match read {
                Err(e) => {
                    return Err(self.invalid(self.line, &format!("cannot read the line: {}", io_text(&e))));
                }
                Ok(0) => return Ok(None),
                Ok(length) if length as u64 > MAX_LINE_BYTES => {
                    return Err(
                        self.invalid(self.line, &format!("line too long (limit {MAX_LINE_BYTES} bytes)"))
                    );
                }
                Ok(_) => {}
            }
            let mut text = self.text.as_slice();
            if self.line == 1 {
                // Editors on Windows write a byte order mark.
                text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
            }
            let text = text.trim_ascii();
            if text.starts_with(b"[") {
                return Err(self.invalid(self.line, "expected an object, found an array").with_hint(
                    "write one call a line, for example with `jq -c '.[]' calls.json > calls.jsonl`",
                ));
            }
            if !text.is_empty() {
                return Call::parse(self.line, text)
                    .map(Some)
                    .map_err(|reason| self.invalid(self.line, &reason));
            }
        }
    }

    /// Checks everything that can be checked without sending the call.
    pub(super) fn check(&self, call: &Call, wx: &WeChatPay) -> Result<Prepared, Failure> {
        if let Some(reason) = self.no_apiv2.filter(|_| call.is_apiv2()) {
            return Err(self.invalid(call.line, &format!("`path` is one of APIv2, and {reason}")));
        }
        if call.encrypts() && !call.is_apiv2() && wx.platform_serials().is_empty() {
            // Automatic certificates: the call would wait for the first download, too.
            wx.refresh_certificates().wait()?;
        }
        match call.request(wx).prepare() {
            Ok(prepared) => Ok(prepared),
            Err(error) => {
                let failure = self.invalid(call.line, &describe_in_line(&error));
                Err(match hint_in_line(&error) {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                })
            }
        }
    }

    /// An error in a line.
    pub(super) fn invalid(&self, line: u64, reason: &str) -> Failure {
        usage_error(format!("{}: {reason}", self.place(line)))
    }

    /// A line, for messages.
    pub(super) fn place(&self, line: u64) -> String {
        format!("{}, line {line}", self.name)
    }
}

/// For input that cannot be read twice, such as a pipe. One that has no end, such as `/dev/zero`, must not fill the disk.
fn copy_to_temporary_file(source: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut buffer = vec![0; 64 << 10];
    let (mut total, mut line) = (0_u64, 0_u64);
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        total += read.len() as u64;
        line = match read.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => (read.len() - end - 1) as u64,
            None => line + read.len() as u64,
        };
        if line > MAX_LINE_BYTES {
            return Err(io::Error::other(format!("line too long (limit {MAX_LINE_BYTES} bytes)")));
        }
        if total > MAX_COPY_BYTES {
            let reason = format!("more than {} GiB: use a file instead of a pipe", MAX_COPY_BYTES >> 30);
            return Err(io::Error::other(reason));
        }
        file.write_all(read)?;
    }
    file.rewind()?;
    Ok(file)
}
