//! The parts of the signed message, and the messages that result from a common mistake.

use serde_json::Value;
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
        if let Ok(value) = serde_json::from_slice::<Value>(self.body) {
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
