//! Conversions of the whole message: another charset, a digest in its place.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{hex, message::MessageParts, mistake::Mistake};

type Conversion = fn(&[u8]) -> Vec<u8>;

/// The digest in place of the message: raw, and as text.
pub(super) const HASHES: [Conversion; 4] = [
    |message| digest(&SHA256, message).as_ref().to_vec(),
    |message| hex(digest(&SHA256, message).as_ref()).into_bytes(),
    |message| hex(digest(&SHA256, message).as_ref()).to_ascii_uppercase().into_bytes(),
    |message| STANDARD.encode(digest(&SHA256, message)).into_bytes(),
];

const FROM_UTF8: [(Mistake, Conversion); 4] = [
    (Mistake::Gbk, |message| encoding_rs::GBK.encode(&String::from_utf8_lossy(message)).0.into_owned()),
    (Mistake::QuestionMarks, |message| narrow(message, 0x7f)),
    // Java's `getBytes("ISO-8859-1")` keeps what Latin-1 has.
    (Mistake::QuestionMarks, |message| narrow(message, 0xff)),
    (Mistake::Utf8Twice, |message| {
        message.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
    }),
];

const FROM_GBK: [(Mistake, Conversion); 1] = [(Mistake::SentAsGbk, |message| {
    encoding_rs::GBK.decode_without_bom_handling(message).0.into_owned().into()
})];

/// The conversions that change something.
pub(super) fn of_charset(parts: &MessageParts<'_>) -> &'static [(Mistake, Conversion)] {
    match std::str::from_utf8(parts.body) {
        // Escapes in the target are ASCII, but another mistake may decode them.
        Ok(text) if text.is_ascii() && !parts.target.contains('%') => &[],
        Ok(_) => &FROM_UTF8,
        Err(_) => &FROM_GBK,
    }
}

/// Question marks for the characters above `last`.
fn narrow(message: &[u8], last: u8) -> Vec<u8> {
    let byte = |character| u8::try_from(u32::from(character)).ok().filter(|byte| *byte <= last);
    String::from_utf8_lossy(message).chars().map(|character| byte(character).unwrap_or(b'?')).collect()
}
