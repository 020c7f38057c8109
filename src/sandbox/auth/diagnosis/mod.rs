//! What a client signed that signed something else.
//!
//! A signature does not tell its message, but it tells the digest of it: what the public key makes of it. The usual
//! mistakes are tried against that digest, so all of them together cost one RSA operation.

mod spellings;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rsa::{BigUint, RsaPublicKey, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use spellings::spellings;

/// A longer message is not tried in other spellings: there are some thirty of them.
const LONGEST: usize = 256 << 10;

/// Shown of what was signed, before and after the first byte that differs.
const BEFORE: usize = 24;
const AFTER: usize = 40;

/// What stands before a digest in a signature (RFC 8017, section 9.2).
const SHA256: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const OTHERS: [(&str, &[u8]); 4] = [
    ("MD5", b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"),
    ("SHA-1", b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
    ("SHA-384", b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"),
    ("SHA-512", b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"),
];

/// What can be said of a signature that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Diagnosis {
    /// It is no Base64.
    NotBase64,
    /// It holds no digest: another key made it, or another padding, or it was changed on the way.
    AnotherKey,
    /// The right key and padding, and another hash.
    AnotherHash(&'static str),
    /// A mistake that is known.
    Known(Difference),
    /// The right key and hash, and a message that is none of the known ones. The digests, in hex.
    Unknown { signed: String, expected: String },
    /// As `Unknown`, and too long to be tried.
    TooLong { signed: String, expected: String },
}

/// Where what was signed and what was expected part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) mistake: Mistake,
    /// The first byte that differs, from 0.
    pub(super) at: usize,
    /// What was signed there, from byte `start` on.
    pub(super) start: usize,
    pub(super) signed: Vec<u8>,
}

impl Difference {
    /// Where the part of the expected message ends that is shown beside `signed`.
    pub(super) fn end(&self) -> usize {
        self.at.saturating_add(AFTER)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    NoLastNewline,
    NoBodyLine,
    CarriageReturns,
    MethodInLowerCase,
    NonceBeforeTimestamp,
    OtherTimestamp,
    NoPrefix,
    WholeUrl,
    NoSlash,
    NoQuery,
    Decoded,
    SortedQuery,
    OtherSpace,
    NoBody,
    WholeUpload,
    OtherJson,
}

impl Mistake {
    /// In English and in Chinese: "what was signed …".
    pub(super) fn told(self) -> (&'static str, &'static str) {
        match self {
            Mistake::NoLastNewline => ("lacks the newline at the end", "末尾少了换行符"),
            Mistake::NoBodyLine => (
                "ends after the nonce: an empty body has a line, too",
                "到随机串就结束了：没有请求体也要有一个空行",
            ),
            Mistake::CarriageReturns => {
                ("has lines that end in CR LF, not in LF", "换行用了 CR LF，应当只用 LF")
            }
            Mistake::MethodInLowerCase => ("has the method in lower case", "请求方法写成了小写"),
            Mistake::NonceBeforeTimestamp => ("has the nonce before the timestamp", "随机串放在了时间戳前面"),
            Mistake::OtherTimestamp => {
                ("has another timestamp than Authorization", "时间戳与 Authorization 里的不一致")
            }
            Mistake::NoPrefix => ("lacks the path of the base URL", "路径少了 base URL 里的前缀"),
            Mistake::WholeUrl => {
                ("has the whole URL, not path and query only", "用了完整的 URL，应当只有路径和查询串")
            }
            Mistake::NoSlash => ("lacks the slash before the path", "路径开头少了斜杠"),
            Mistake::NoQuery => ("lacks the query", "少了查询串"),
            Mistake::Decoded => ("has path or query before their encoding", "路径或查询串是编码之前的"),
            Mistake::SortedQuery => ("has the query in another order", "查询参数的顺序不一样"),
            Mistake::OtherSpace => (
                "spells spaces in the query in another way (+ or %20)",
                "查询串里空格的编码不一样（+ 与 %20）",
            ),
            Mistake::NoBody => ("lacks the body", "少了请求体"),
            Mistake::WholeUpload => {
                ("has the whole upload, not its meta part only", "用了整个上传内容，应当只用 meta 部分")
            }
            Mistake::OtherJson => (
                "has the same JSON in another spelling: it was serialised twice",
                "请求体是同一个 JSON 的另一种写法：序列化了两次",
            ),
        }
    }
}

/// The parts of the message, as they were expected.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) nonce: &'a str,
    pub(super) body: &'a [u8],
    /// What came as the `Host`.
    pub(super) host: &'a str,
    /// The body as it came; another one for an upload only.
    pub(super) sent: &'a [u8],
}

pub(super) fn diagnose(key: &RsaPublicKey, expected: &Parts<'_>, signature: &str) -> Diagnosis {
    let Ok(signature) = STANDARD.decode(signature) else { return Diagnosis::NotBase64 };
    let Some(info) = recover(key, &signature) else { return Diagnosis::AnotherKey };
    let Some(signed) = info.strip_prefix(SHA256) else {
        let other = OTHERS.iter().find(|(_, prefix)| info.starts_with(prefix));
        return other.map_or(Diagnosis::AnotherKey, |(name, _)| Diagnosis::AnotherHash(name));
    };
    let message = expected.message("\n");
    let digests = || (hex(signed), hex(&Sha256::digest(&message)));
    if message.len() + expected.sent.len() > LONGEST {
        let (signed, expected) = digests();
        return Diagnosis::TooLong { signed, expected };
    }
    let found = expected.variants().find(|(_, variant)| Sha256::digest(variant)[..] == *signed);
    let Some((mistake, variant)) = found else {
        let (signed, expected) = digests();
        return Diagnosis::Unknown { signed, expected };
    };
    let same = message.iter().zip(&variant).take_while(|(one, other)| one == other).count();
    let start = same.saturating_sub(BEFORE);
    let end = variant.len().min(same + AFTER);
    Diagnosis::Known(Difference { mistake, at: same, start, signed: variant[start..end].to_vec() })
}

/// The digest with its prefix, out of the padding of PKCS#1 v1.5.
fn recover(key: &RsaPublicKey, signature: &[u8]) -> Option<Vec<u8>> {
    let number = BigUint::from_bytes_be(signature);
    if signature.len() != key.size() || number >= *key.n() {
        return None;
    }
    // A leading zero is no byte of a number.
    let padded = number.modpow(key.e(), key.n()).to_bytes_be();
    let rest = padded.strip_prefix(&[1])?;
    let filled = rest.iter().take_while(|byte| **byte == 0xff).count();
    let info = rest.get(filled..)?.strip_prefix(&[0])?;
    (filled >= 8 && padded.len() + 1 == key.size()).then(|| info.to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Parts<'_> {
    fn message(&self, end: &str) -> Vec<u8> {
        let Parts { method, target, timestamp, nonce, body, .. } = self;
        let head = [method, target, timestamp, nonce].map(|line| format!("{line}{end}")).concat();
        [head.as_bytes(), body, end.as_bytes()].concat()
    }

    /// What else may have been signed. Each has one mistake.
    fn variants(&self) -> impl Iterator<Item = (Mistake, Vec<u8>)> {
        let whole = self.message("\n");
        let lower = self.method.to_ascii_lowercase();
        let mut all = vec![
            (Mistake::NoLastNewline, whole[..whole.len() - 1].to_vec()),
            (Mistake::CarriageReturns, self.message("\r\n")),
            (Mistake::MethodInLowerCase, Parts { method: &lower, ..*self }.message("\n")),
            (
                Mistake::NonceBeforeTimestamp,
                Parts { timestamp: self.nonce, nonce: self.timestamp, ..*self }.message("\n"),
            ),
        ];
        if self.body.is_empty() {
            all.push((Mistake::NoBodyLine, whole[..whole.len() - 2].to_vec()));
        } else {
            all.push((Mistake::NoBody, Parts { body: b"", ..*self }.message("\n")));
        }
        all.extend(self.timestamps().map(|timestamp| {
            (Mistake::OtherTimestamp, Parts { timestamp: &timestamp, ..*self }.message("\n"))
        }));
        all.extend(
            self.targets()
                .map(|(mistake, target)| (mistake, Parts { target: &target, ..*self }.message("\n"))),
        );
        all.extend(
            self.bodies().map(|(mistake, body)| (mistake, Parts { body: &body, ..*self }.message("\n"))),
        );
        all.into_iter()
    }

    /// Of a clock that was looked at twice.
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
            (Mistake::WholeUrl, format!("http://{}{target}", self.host)),
            (Mistake::WholeUrl, format!("https://{}{target}", self.host)),
            (Mistake::WholeUrl, format!("https://api.mch.weixin.qq.com{target}")),
            (Mistake::NoSlash, target.trim_start_matches('/').into()),
            (Mistake::Decoded, decoded),
        ];
        if target.contains('?') {
            all.push((Mistake::NoQuery, path.into()));
            all.push((Mistake::Decoded, format!("{path}?{form}")));
            all.push((Mistake::SortedQuery, format!("{path}?{}", pairs.join("&"))));
            all.push((Mistake::OtherSpace, format!("{path}?{}", query.replace("%20", "+"))));
            all.push((Mistake::OtherSpace, format!("{path}?{}", query.replace('+', "%20"))));
        }
        if let Some(at) = path.find("/v3/").filter(|at| *at > 0) {
            all.push((Mistake::NoPrefix, target[at..].into()));
        }
        all.into_iter()
    }

    fn bodies(&self) -> impl Iterator<Item = (Mistake, Vec<u8>)> {
        let mut all = Vec::new();
        if self.sent != self.body {
            all.push((Mistake::WholeUpload, self.sent.to_vec()));
        }
        if let Ok(value) = serde_json::from_slice::<Value>(self.body) {
            all.extend(spellings(&value).into_iter().map(|text| (Mistake::OtherJson, text.into_bytes())));
            let mut sorted = value;
            sorted.sort_all_objects();
            all.extend(spellings(&sorted).into_iter().map(|text| (Mistake::OtherJson, text.into_bytes())));
        }
        all.into_iter()
    }
}

impl Diagnosis {
    /// One sentence.
    pub(super) fn english(&self) -> String {
        match self {
            Diagnosis::NotBase64 => "the signature is no Base64".into(),
            Diagnosis::AnotherKey => {
                "the signature was not made with the merchant's key in PKCS#1 v1.5 padding".into()
            }
            Diagnosis::AnotherHash(name) => format!("the signature is over {name}, expected SHA-256"),
            Diagnosis::Known(difference) => {
                format!(
                    "what was signed {}; the first byte that differs is {}",
                    difference.mistake.told().0,
                    difference.at
                )
            }
            Diagnosis::Unknown { .. } => {
                "the key is right; what was signed is another message, and none of the usual mistakes".into()
            }
            Diagnosis::TooLong { .. } => {
                "the key is right; what was signed is another message, too long to look for the mistake"
                    .into()
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({ "message": self.english() });
        match self {
            Diagnosis::Known(difference) => {
                json["first_difference"] = difference.at.into();
                json["signed_from"] = difference.start.into();
                json["signed"] = String::from_utf8_lossy(&difference.signed).into();
            }
            Diagnosis::Unknown { signed, expected } | Diagnosis::TooLong { signed, expected } => {
                json["signed_sha256"] = signed.as_str().into();
                json["expected_sha256"] = expected.as_str().into();
            }
            _ => {}
        }
        json
    }
}
