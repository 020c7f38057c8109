//! Diagnoses a signature that does not match.
//!
//! The public key recovers the digest of the signed message from the signature. The digests of messages with a common
//! mistake, or with two of them, are compared with it: a mistake that is named was certainly made.

mod changes;
mod convert;
mod message;
mod mistake;
mod search;
mod signature;
mod spellings;
mod targets;

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use rsa::{PublicKey, traits::PublicKeyParts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use message::MessageParts;
use mistake::Mistake;
use search::Outcome;
use signature::{Content, SPELLINGS, TWICE};

/// The bytes of the signed message to show before and after the first difference.
const CONTEXT_BEFORE: usize = 24;
const CONTEXT_AFTER: usize = 40;

/// The keys that a signature could be made with.
pub(crate) struct Keys<'a> {
    pub(crate) merchant: &'a PublicKey,
    /// The platform's, with their serials: a test that mixed up its key files signs with one of them.
    pub(crate) platform: &'a [(String, PublicKey)],
}

/// A finding, in English and in Chinese.
type Finding = (Cow<'static, str>, Cow<'static, str>);

/// Why a signature does not match. The names of the fields are part of the state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Diagnosis {
    /// What is wrong with the signature itself.
    signature: Vec<Finding>,
    /// What is known of the message that it covers.
    message: Covered,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Covered {
    /// The signature does not show it.
    Unreadable,
    Expected,
    /// A message with common mistakes.
    Mistaken(Difference),
    /// Another message. The digests are hex.
    Other {
        searched: bool,
        /// Whether the body that was sent looks as if its text was lost before.
        garbled: bool,
        digests: Option<(String, String)>,
    },
}

/// The first difference between the signed and the expected message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    mistakes: Vec<Mistake>,
    /// The offset of the first byte that differs.
    pub(crate) at: usize,
    /// The offset of `signed`.
    pub(crate) start: usize,
    /// The signed message around the difference.
    pub(crate) signed: Vec<u8>,
}

impl Difference {
    fn new(mistakes: Vec<Mistake>, expected: &[u8], signed: &[u8]) -> Difference {
        let at = expected.iter().zip(signed).take_while(|(one, other)| one == other).count();
        let start = at.saturating_sub(CONTEXT_BEFORE);
        let end = signed.len().min(at + CONTEXT_AFTER);
        Difference { mistakes, at, start, signed: signed[start..end].to_vec() }
    }

    /// The end of the matching part of the expected message.
    pub(crate) fn end(&self) -> usize {
        self.at.saturating_add(CONTEXT_AFTER)
    }
}

pub(crate) fn diagnose(keys: &Keys<'_>, expected: &MessageParts<'_>, signature: &str) -> Diagnosis {
    let mut wrong = Vec::new();
    let Some((content, platform)) = recover(keys, signature, &mut wrong) else {
        if wrong.is_empty() {
            wrong.push(unreadable(keys, signature));
        }
        return Diagnosis { signature: wrong, message: Covered::Unreadable };
    };
    if let Some(serial) = platform {
        wrong.push((
            format!("the signature was made with the platform's key {serial}, expected the merchant's key")
                .into(),
            format!("签名用了平台的私钥 {serial}，应使用商户API私钥").into(),
        ));
    }
    let outcome = search::search(expected, &content);
    let found = matches!(outcome, Outcome::Found(..));
    wrong.extend(signature::unusual(&content, found));
    if !found && !content.is_certain() {
        return Diagnosis { signature: wrong, message: Covered::Unreadable };
    }
    let message = match outcome {
        Outcome::Found(mistakes, _) if mistakes.is_empty() => Covered::Expected,
        Outcome::Found(mistakes, message) => {
            Covered::Mistaken(Difference::new(mistakes, &expected.message(), &message))
        }
        outcome => Covered::Other {
            searched: matches!(outcome, Outcome::NotFound),
            garbled: is_garbled(expected.body),
            digests: digests(&content, expected),
        },
    };
    Diagnosis { signature: wrong, message }
}

/// The content of the signature, and the serial if the key is the platform's. A wrong spelling is noted.
fn recover(keys: &Keys<'_>, text: &str, wrong: &mut Vec<Finding>) -> Option<(Content, Option<String>)> {
    let by_any = |signature: &[u8]| {
        let merchant = Content::recover(keys.merchant, signature).map(|content| (content, None));
        merchant.or_else(|| {
            keys.platform.iter().find_map(|(serial, key)| {
                // By chance, one signature in thousands looks like PSS with a wrong key.
                let content = Content::recover(key, signature).filter(Content::is_certain)?;
                Some((content, Some(serial.clone())))
            })
        })
    };
    if let Some(signature) = signature::read(text)
        && let Some(found) = by_any(&signature)
    {
        return Some(found);
    }
    std::iter::once(&TWICE).chain(&SPELLINGS).find_map(|spelling| {
        let found = by_any(&spelling.read(text)?)?;
        wrong.push((
            format!("the signature is written {}, expected standard Base64", spelling.english).into(),
            format!("签名写成了{}，应为标准 Base64", spelling.chinese).into(),
        ));
        Some(found)
    })
}

fn unreadable(keys: &Keys<'_>, text: &str) -> Finding {
    let Some(signature) = signature::read(text) else {
        return ("the signature is not Base64".into(), "签名不是有效的 Base64".into());
    };
    let (found, expected) = (signature.len(), keys.merchant.size());
    if found != expected {
        return (
            format!(
                "the signature was not made with the merchant's key: it has {found} bytes, expected {expected}"
            )
            .into(),
            format!("签名不是由商户API私钥生成的：长度为 {found} 字节，应为 {expected} 字节").into(),
        );
    }
    (
        "the signature was not made with the merchant's key in PKCS#1 v1.5 padding".into(),
        "签名不是由商户API私钥（PKCS#1 v1.5 填充）生成的：私钥错误、填充方式错误，或签名在传输中被改动"
            .into(),
    )
}

/// Question marks in a row, or replacement characters: what a conversion to another encoding leaves of Chinese. What was
/// signed before it cannot be recovered.
fn is_garbled(body: &[u8]) -> bool {
    ["??", "\u{fffd}"].iter().any(|lost| body.windows(lost.len()).any(|window| window == lost.as_bytes()))
}

/// Of the signed and of the expected message.
fn digests(content: &Content, expected: &MessageParts<'_>) -> Option<(String, String)> {
    let Content::Digest("SHA-256", _, signed) = content else { return None };
    Some((hex(signed), hex(digest(&SHA256, &expected.message()).as_ref())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Diagnosis {
    /// One sentence in English, for the error message.
    pub(crate) fn english(&self) -> String {
        let key = if self.signature.is_empty() { "the key is right, but " } else { "" };
        let message = match &self.message {
            Covered::Unreadable | Covered::Expected => None,
            Covered::Mistaken(difference) => {
                let mistakes = difference.mistakes.iter().map(|mistake| mistake.description().0);
                let mistakes = mistakes.collect::<Vec<_>>().join(" and ");
                Some(format!("the signed message {mistakes}; the first different byte is {}", difference.at))
            }
            Covered::Other { garbled: true, .. } => Some(format!(
                "{key}another message was signed; the body was sent with question marks where text was lost: send UTF-8"
            )),
            Covered::Other { searched: true, .. } => Some(format!(
                "{key}another message was signed, without any common mistake: compare its five lines, timestamp and \
                 nonce first"
            )),
            Covered::Other { searched: false, .. } => {
                Some(format!("{key}another message was signed; it is too long to try every common mistake"))
            }
        };
        let signature = self.signature.iter().map(|(english, _)| english.to_string());
        signature.chain(message).collect::<Vec<_>>().join("; also, ")
    }

    /// The same in Chinese, for the page.
    pub(crate) fn chinese(&self) -> String {
        let key = if self.signature.is_empty() { "私钥正确，但" } else { "" };
        let message = match &self.message {
            Covered::Unreadable | Covered::Expected => None,
            Covered::Mistaken(difference) => {
                let mistakes = difference.mistakes.iter().map(|mistake| mistake.description().1);
                Some(format!("签名串：{}", mistakes.collect::<Vec<_>>().join("；")))
            }
            Covered::Other { garbled: true, .. } => {
                Some(format!("{key}签名的是另一段内容；发送的请求体中文字变成了问号：应发送 UTF-8"))
            }
            Covered::Other { searched: true, .. } => {
                Some(format!("{key}签名的是另一段内容，且不属于常见错误：请逐行对照，先看时间戳和随机串"))
            }
            Covered::Other { searched: false, .. } => {
                Some(format!("{key}签名的是另一段内容；内容过长，未逐一排查"))
            }
        };
        let signature = self.signature.iter().map(|(_, chinese)| chinese.to_string());
        signature.chain(message).collect::<Vec<_>>().join("；另外，")
    }

    pub(crate) fn difference(&self) -> Option<&Difference> {
        match &self.message {
            Covered::Mistaken(difference) => Some(difference),
            _ => None,
        }
    }

    /// The SHA-256 of the signed and of the expected message, where no mistake explains the difference.
    pub(crate) fn digests(&self) -> Option<(&str, &str)> {
        match &self.message {
            Covered::Other { digests: Some((signed, expected)), .. } => Some((signed, expected)),
            _ => None,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({ "message": self.english() });
        if let Some(difference) = self.difference() {
            json["first_difference"] = difference.at.into();
            json["signed_from"] = difference.start.into();
            json["signed"] = String::from_utf8_lossy(&difference.signed).into();
        }
        if let Some((signed, expected)) = self.digests() {
            json["signed_sha256"] = signed.into();
            json["expected_sha256"] = expected.into();
        }
        json
    }
}
