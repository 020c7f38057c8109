//! The parts of the signed message, and the messages that result from a common mistake.

use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{mistake::Mistake, spellings::spellings};

/// The parts of the expected message.
#[derive(Clone, Copy)]
pub(crate) struct MessageParts<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) body: &'a [u8],
    /// The `Host` header.
    pub(crate) host: &'a str,
    /// The body as received. It differs from `body` only for an upload.
    pub(crate) raw_body: &'a [u8],
}

impl MessageParts<'_> {
    pub(crate) fn message(&self, line_end: &str) -> Vec<u8> {
        let MessageParts { method, target, timestamp, nonce, body, .. } = self;
        let head = [method, target, timestamp, nonce].map(|line| format!("{line}{line_end}")).concat();
        [head.as_bytes(), body, line_end.as_bytes()].concat()
    }

    /// Messages with exactly one mistake.
    pub(crate) fn variants(&self) -> impl Iterator<Item = (Mistake, Vec<u8>)> {
        let whole = self.message("\n");
        let lower = self.method.to_ascii_lowercase();
        let mut all = vec![
            (Mistake::NoFinalNewline, whole[..whole.len() - 1].to_vec()),
            (Mistake::CrLf, self.message("\r\n")),
            (Mistake::LowerCaseMethod, MessageParts { method: &lower, ..*self }.message("\n")),
            (
                Mistake::NonceBeforeTimestamp,
                MessageParts { timestamp: self.nonce, nonce: self.timestamp, ..*self }.message("\n"),
            ),
        ];
        all.push((Mistake::LiteralLineFeeds, self.message("\\n")));
        all.extend(converted(&whole));
        all.extend(hashed(&whole));
        if self.body.is_empty() {
            all.push((Mistake::NoEmptyBodyLine, whole[..whole.len() - 2].to_vec()));
        } else {
            all.push((Mistake::NoBody, MessageParts { body: b"", ..*self }.message("\n")));
        }
        all.extend(self.timestamps().map(|timestamp| {
            (Mistake::WrongTimestamp, MessageParts { timestamp: &timestamp, ..*self }.message("\n"))
        }));
        all.extend(
            self.targets()
                .map(|(mistake, target)| (mistake, MessageParts { target: &target, ..*self }.message("\n"))),
        );
        all.extend(
            self.bodies()
                .map(|(mistake, body)| (mistake, MessageParts { body: &body, ..*self }.message("\n"))),
        );
        all.into_iter()
    }

    /// The client read its clock twice.
    fn timestamps(&self) -> impl Iterator<Item = String> {
        let near = self.timestamp.parse::<i64>().ok().into_iter();
        near.flat_map(|time| [-2, -1, 1, 2].map(|off| time.saturating_add(off).to_string()))
    }

    fn targets(&self) -> impl Iterator<Item = (Mistake, String)> {
        let target = self.target;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decoded = percent_encoding::percent_decode_str(target).decode_utf8_lossy().into_owned();
        let mut pairs: Vec<&str> = query.split('&').collect();
        pairs.sort_unstable();
        let form: String = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&");
        let mut all = vec![
            (Mistake::FullUrl, format!("http://{}{target}", self.host)),
            (Mistake::FullUrl, format!("https://{}{target}", self.host)),
            (Mistake::FullUrl, format!("https://api.mch.weixin.qq.com{target}")),
            (Mistake::NoLeadingSlash, target.trim_start_matches('/').into()),
            (Mistake::DecodedTarget, decoded),
        ];
        if target.contains('?') {
            all.push((Mistake::NoQuery, path.into()));
            all.push((Mistake::DecodedTarget, format!("{path}?{form}")));
            all.push((Mistake::QueryOrder, format!("{path}?{}", pairs.join("&"))));
            all.push((Mistake::SpaceEncoding, format!("{path}?{}", query.replace("%20", "+"))));
            all.push((Mistake::SpaceEncoding, format!("{path}?{}", query.replace('+', "%20"))));
        }
        let with_query =
            |path: &str| format!("{path}{}", &target[target.find('?').unwrap_or(target.len())..]);
        match path.strip_suffix('/') {
            Some(bare) => all.push((Mistake::NoTrailingSlash, with_query(bare))),
            None => all.push((Mistake::TrailingSlash, with_query(&format!("{path}/")))),
        }
        match target.strip_suffix('?') {
            Some(bare) => all.push((Mistake::TrailingQuestionMark, bare.into())),
            None => all.push((Mistake::TrailingQuestionMark, format!("{target}?"))),
        }
        if target.contains('%') {
            all.push((Mistake::EncodedTwice, target.replace('%', "%25")));
            all.push((Mistake::LowerCaseEscapes, escapes(target, |digits| digits.to_ascii_lowercase())));
            all.push((Mistake::LowerCaseEscapes, escapes(target, |digits| digits.to_ascii_uppercase())));
        }
        if let Some(at) = path.find("/v3/").filter(|at| *at > 0) {
            all.push((Mistake::NoBasePath, target[at..].into()));
        }
        all.into_iter()
    }

    fn bodies(&self) -> impl Iterator<Item = (Mistake, Vec<u8>)> {
        let mut all = Vec::new();
        if self.raw_body != self.body {
            all.push((Mistake::WholeUploadBody, self.raw_body.to_vec()));
        }
        match self.body.strip_prefix(BOM) {
            Some(bare) => all.push((Mistake::ByteOrderMark, bare.to_vec())),
            None => all.push((Mistake::ByteOrderMark, [BOM, self.body].concat())),
        }
        if let Ok(value) = serde_json::from_slice::<Value>(self.body) {
            let mut without_nulls = value.clone();
            if drop_nulls(&mut without_nulls) {
                all.extend(
                    spellings(&without_nulls)
                        .into_iter()
                        .map(|text| (Mistake::NullsLeftOut, text.into_bytes())),
                );
            }
            all.extend(
                spellings(&value).into_iter().map(|text| (Mistake::ReserializedJson, text.into_bytes())),
            );
            let mut sorted = value;
            sorted.sort_all_objects();
            all.extend(
                spellings(&sorted).into_iter().map(|text| (Mistake::ReserializedJson, text.into_bytes())),
            );
        }
        all.into_iter()
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The whole message in another encoding.
fn converted(message: &[u8]) -> Vec<(Mistake, Vec<u8>)> {
    let Ok(text) = std::str::from_utf8(message) else { return Vec::new() };
    if text.is_ascii() {
        return Vec::new();
    }
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let ascii = text.chars().map(|character| if character.is_ascii() { character } else { '?' });
    // Java's `getBytes("ISO-8859-1")` keeps what Latin-1 has.
    let latin1 = text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'));
    vec![
        (Mistake::Gbk, gbk.into_owned()),
        (Mistake::QuestionMarks, ascii.collect::<String>().into_bytes()),
        (Mistake::QuestionMarks, latin1.collect()),
    ]
}

/// The digest in place of the message, raw or as text.
fn hashed(message: &[u8]) -> Vec<(Mistake, Vec<u8>)> {
    let digest = Sha256::digest(message);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let upper = hex.to_ascii_uppercase();
    [digest.to_vec(), hex.into_bytes(), upper.into_bytes()]
        .into_iter()
        .map(|message| (Mistake::HashedTwice, message))
        .collect()
}

/// The target with the digits of its escapes changed.
fn escapes(target: &str, change: impl Fn(&str) -> String) -> String {
    let mut parts = target.split('%');
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        changed.push_str(&format!("%{}{rest}", change(digits)));
    }
    changed
}

/// Removes members that are null, at any depth; whether there were any.
fn drop_nulls(value: &mut Value) -> bool {
    match value {
        Value::Object(map) => {
            let before = map.len();
            map.retain(|_, value| !value.is_null());
            let dropped = map.len() < before;
            map.values_mut().fold(dropped, |dropped, value| drop_nulls(value) || dropped)
        }
        Value::Array(list) => list.iter_mut().filter_map(|value| drop_nulls(value).then_some(())).count() > 0,
        _ => false,
    }
}
