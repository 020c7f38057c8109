//! A pool of messages that the platform signed, and operators that change, mix and cut them. A message may be accepted
//! only if the platform signed exactly its timestamp, nonce and body with the key that it names: the set of these is the
//! oracle, so the test knows nothing about how a signature is verified.
//!
//! `WECHATPAY_ATTACKS=10000000 cargo test --release --all-features --test client forgeries` tries ten million.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use wechatpay_chain::{Error, VerifyReason, WeChatPay};

use super::{NOW, OTHER_ID, client_with_two_keys, pkcs8, sign};
use crate::support::{PLATFORM_SERIAL, has, key_path, openssl_sign};

/// A message on its way: header lines in order, and a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Message {
    timestamp: Vec<u8>,
    nonce: Vec<u8>,
    serial: Vec<u8>,
    signature: Vec<u8>,
    body: Vec<u8>,
    /// Header lines besides the four, or a second time.
    more: Vec<(&'static str, Vec<u8>)>,
    /// Headers that are left out.
    without: Vec<&'static str>,
}

const TIMESTAMP: &str = "Wechatpay-Timestamp";
const NONCE: &str = "Wechatpay-Nonce";
const SERIAL: &str = "Wechatpay-Serial";
const SIGNATURE: &str = "Wechatpay-Signature";

impl Message {
    fn headers(&self) -> Vec<(&'static str, &[u8])> {
        let four = [
            (TIMESTAMP, &self.timestamp),
            (NONCE, &self.nonce),
            (SERIAL, &self.serial),
            (SIGNATURE, &self.signature),
        ];
        let four = four.into_iter().filter(|(name, _)| !self.without.contains(name));
        four.chain(self.more.iter().map(|(name, value)| (*name, value)))
            .map(|(name, value)| (name, value.as_slice()))
            .collect()
    }

    /// The message as an HTTP server hands it over; `None` if no server would.
    fn header_map(&self) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        for (name, value) in self.headers() {
            map.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value).ok()?);
        }
        Some(map)
    }
}

/// What the platform signed: timestamp, nonce, body, and the key's serial.
type Signed = (Vec<u8>, Vec<u8>, Vec<u8>, String);

/// A number in hex, or a key id: in whatever spelling.
fn serial_number(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).to_ascii_uppercase();
    text.trim().trim_start_matches("0X").replace(':', "").trim_start_matches('0').to_owned()
}

fn signed_parts(message: &Message) -> Signed {
    let Message { timestamp, nonce, body, serial, .. } = message;
    // Blanks around a value are not part of it (RFC 9110 section 5.5).
    let value = |text: &[u8]| text.trim_ascii().to_vec();
    (value(timestamp), value(nonce), body.clone(), serial_number(serial))
}

struct Random(u64);

impl Random {
    /// Xorshift (Marsaglia 2003).
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

fn bodies() -> Vec<Vec<u8>> {
    let resource = json!({"algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode([7; 64]), "nonce": "JiRoi3NoM000",
        "associated_data": "transaction", "original_type": "transaction"});
    let notification = |id: &str, event: &str| {
        json!({"id": id, "create_time": "2026-11-20T08:00:00+08:00", "resource_type": "encrypt-resource",
            "event_type": event, "summary": "支付成功", "resource": resource})
    };
    [
        String::new(),
        "{}".to_owned(),
        json!({"code_url": "weixin://wxpay/bizpayurl?pr=abc"}).to_string(),
        json!({"out_trade_no": "P1", "trade_state": "SUCCESS", "amount": {"total": 100}}).to_string(),
        json!({"out_trade_no": "P1", "trade_state": "NOTPAY", "amount": {"total": 100}}).to_string(),
        notification("1", "TRANSACTION.SUCCESS").to_string(),
        notification("2", "REFUND.SUCCESS").to_string(),
        "时间,金额\r\n`1,`1.00\r\n".to_owned(),
        "1795000000\nNONCE\n{}\n".to_owned(),
        "{\"a\":1}\n{\"b\":2}\n".to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}

/// Messages signed by both keys, some of them with `openssl`.
fn pool(other: &aws_lc_rs::rsa::KeyPair) -> Vec<Message> {
    let platform = pkcs8("platform_key.pem");
    let mut pool = Vec::new();
    for (at, body) in bodies().into_iter().enumerate() {
        for (serial, pair) in [(PLATFORM_SERIAL, &platform), (OTHER_ID, other)] {
            let timestamp = (NOW + 100 - 20 * at as u64).to_string();
            let nonce = format!("BW99mCrQI0FFWb5GKOhEwduVhoXmA{at:03}");
            let message = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", &body, b"\n"].concat();
            let signature = match serial == PLATFORM_SERIAL && at % 4 == 0 && has("openssl") {
                true => openssl_sign(key_path("platform_key.pem").as_ref(), &message),
                false => sign(pair, &message),
            };
            pool.push(Message {
                timestamp: timestamp.into_bytes(),
                nonce: nonce.into_bytes(),
                serial: serial.as_bytes().to_vec(),
                signature: signature.into_bytes(),
                body: body.clone(),
                more: vec![("Wechatpay-Signature-Type", b"WECHATPAY2-SHA256-RSA2048".to_vec())],
                without: Vec::new(),
            });
        }
    }
    pool
}

/// The bytes of a message: any of the five parts.
fn part<'m>(message: &'m mut Message, random: &mut Random) -> &'m mut Vec<u8> {
    match random.below(5) {
        0 => &mut message.timestamp,
        1 => &mut message.nonce,
        2 => &mut message.serial,
        3 => &mut message.signature,
        _ => &mut message.body,
    }
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = *random.pick(b"\0 \t\n\r0+/=-_aAzZ9{}\x7f\xff"),
        2 => bytes.insert(at, *random.pick(b"\0 \t\n\r0+/=-_aA9")),
        3 if at < bytes.len() => {
            bytes.remove(at);
        }
        4 => bytes.truncate(at),
        5 => {
            let piece = bytes[at..].to_vec();
            bytes.extend(piece);
        }
        6 => bytes.rotate_left(at),
        _ => bytes.make_ascii_lowercase(),
    }
}

/// Other spellings of the same or of nearly the same value.
fn respell(message: &mut Message, random: &mut Random) {
    let raw = STANDARD.decode(&message.signature).unwrap_or_default();
    match random.below(14) {
        0 => message.signature.retain(|byte| *byte != b'='),
        1 => {
            message.signature =
                String::from_utf8_lossy(&message.signature).replace('+', "-").replace('/', "_").into()
        }
        2 => message.signature = STANDARD.encode([&[0], &raw[..]].concat()).into(),
        3 => message.signature = STANDARD.encode(raw.iter().rev().copied().collect::<Vec<_>>()).into(),
        4 => message.signature.extend(b" "),
        5 => message.signature = [b"WECHATPAY/SIGNTEST/", &message.signature[..]].concat(),
        6 => message.timestamp.insert(0, *random.pick(b"0+- ")),
        7 => message.timestamp.extend(*random.pick(&[b".0", b"e0", b"  ", b"\n0"])),
        8 => message.body = [b"\xef\xbb\xbf", &message.body[..]].concat(),
        9 => message.body.extend(*random.pick(&[&b"\n"[..], b" ", b"\r\n", b"\0"])),
        10 => message.body = String::from_utf8_lossy(&message.body).replace("\r\n", "\n").into(),
        11 => message.serial.make_ascii_lowercase(),
        12 => message.serial = [b"0", &message.serial[..]].concat(),
        _ => {
            if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&message.body) {
                message.body = serde_json::to_vec_pretty(&json).unwrap();
            }
        }
    }
}

/// The lines of the signed message, split elsewhere.
fn shift(message: &mut Message, random: &mut Random) {
    match random.below(4) {
        0 => {
            let length = random.below(message.body.len().min(40) + 1);
            let moved: Vec<u8> = message.body.drain(..length).collect();
            message.nonce.push(b'\n');
            message.nonce.extend(moved);
        }
        1 => {
            let at = random.below(message.nonce.len() + 1);
            let mut moved = message.nonce.split_off(at);
            moved.push(b'\n');
            moved.append(&mut message.body);
            message.body = moved;
        }
        2 => {
            let at = random.below(message.timestamp.len() + 1);
            let mut moved = message.timestamp.split_off(at);
            moved.append(&mut message.nonce);
            message.nonce = moved;
        }
        _ => {
            let length = message.nonce.len().min(1);
            message.timestamp.extend(message.nonce.drain(..length));
        }
    }
}

/// Parts of another genuine message.
fn mix(message: &mut Message, pool: &[Message], random: &mut Random) {
    let other = random.pick(pool).clone();
    match random.below(7) {
        0 => message.timestamp = other.timestamp,
        1 => message.nonce = other.nonce,
        2 => message.serial = other.serial,
        3 => message.signature = other.signature,
        4 => message.body = other.body,
        5 => {
            let at = random.below(message.body.len() + 1);
            message.body.truncate(at);
            message.body.extend(&other.body[random.below(other.body.len() + 1)..]);
        }
        _ => {
            let at = random.below(message.signature.len() + 1);
            message.signature.truncate(at);
            message.signature.extend(other.signature.iter().skip(at));
        }
    }
}

fn change_headers(message: &mut Message, pool: &[Message], random: &mut Random) {
    let name = *random.pick(&[TIMESTAMP, NONCE, SERIAL, SIGNATURE]);
    let other = random.pick(pool);
    let value = match name {
        TIMESTAMP => &other.timestamp,
        NONCE => &other.nonce,
        SERIAL => &other.serial,
        _ => &other.signature,
    };
    match random.below(4) {
        0 => message.without.push(name),
        1 => message.more.push((name, value.clone())),
        2 => {
            message.without.push(name);
            message.more.push((name, value.clone()));
        }
        _ => message.more.insert(0, ("X-Wechatpay-Signature", value.clone())),
    }
}

/// Signed by keys that are not the platform's: the merchant's, and one of the attacker's.
fn sign_again(message: &mut Message, keys: &[aws_lc_rs::rsa::KeyPair], random: &mut Random) {
    let Message { timestamp, nonce, body, .. } = &*message;
    let text = [timestamp, &b"\n"[..], nonce, b"\n", body, b"\n"].concat();
    message.signature = sign(random.pick(keys), &text).into();
}

/// The message whose headers are those that count: later lines of the same name are a reason to refuse.
fn effective(message: &Message) -> Option<Message> {
    let mut effective = message.clone();
    for name in [TIMESTAMP, NONCE, SERIAL, SIGNATURE] {
        let headers = message.headers();
        let mut values = headers.iter().filter(|(other, _)| *other == name).map(|(_, value)| value.to_vec());
        let (value, more) = (values.next()?, values.next());
        if more.is_some() {
            return None;
        }
        match name {
            TIMESTAMP => effective.timestamp = value,
            NONCE => effective.nonce = value,
            SERIAL => effective.serial = value,
            _ => effective.signature = value,
        }
    }
    Some(effective)
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    bad_signature: AtomicUsize,
    refused: AtomicUsize,
}

fn attack(
    wx: &WeChatPay,
    pool: &[Message],
    keys: &[aws_lc_rs::rsa::KeyPair],
    seed: u64,
    attacks: usize,
    counts: &Counts,
) {
    let genuine: HashSet<Signed> = pool.iter().map(signed_parts).collect();
    let mut random = Random(seed | 1);
    for attack in 0..attacks {
        let mut message = random.pick(pool).clone();
        for _ in 0..=random.below(3) {
            match random.below(12) {
                0..4 => change_bytes(part(&mut message, &mut random), &mut random),
                4..6 => respell(&mut message, &mut random),
                6..9 => mix(&mut message, pool, &mut random),
                9 => shift(&mut message, &mut random),
                10 => change_headers(&mut message, pool, &mut random),
                // A signature takes ten times as long as its verification.
                _ if attack % 8 == 0 => sign_again(&mut message, keys, &mut random),
                _ => {}
            }
        }
        let is_genuine = effective(&message).is_some_and(|message| genuine.contains(&signed_parts(&message)));
        let shown = || {
            let parts =
                [&message.timestamp, &message.nonce, &message.serial, &message.signature, &message.body];
            format!("seed {seed}, attack {attack}: {:?}", parts.map(|part| String::from_utf8_lossy(part)))
        };
        if let Some(headers) = message.header_map() {
            match wx.verify(&headers, &message.body) {
                Ok(()) => {
                    assert!(is_genuine, "accepted: {}", shown());
                    counts.accepted.fetch_add(1, Ordering::Relaxed);
                }
                Err(Error::Verify(error)) => {
                    let is_bad = matches!(error.reason, VerifyReason::BadSignature { .. });
                    let count = if is_bad { &counts.bad_signature } else { &counts.refused };
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Err(other) => panic!("{other:?}: {}", shown()),
            }
        }
        // The same as a notification. Its ciphertext is none, so a genuine one ends with `Decrypt` or `Decode`.
        if attack % 16 == 0 {
            let notification = wx.notification(message.headers(), message.body.clone()).wait();
            let verified = !matches!(notification, Err(Error::Verify(_)));
            assert!(is_genuine || !verified, "accepted as a notification ({notification:?}): {}", shown());
        }
    }
}

#[test]
fn no_changed_message_is_accepted() {
    let attacks = std::env::var("WECHATPAY_ATTACKS").map_or(100_000, |attacks| attacks.parse().unwrap());
    let (wx, other) = client_with_two_keys();
    let pool = pool(&other);
    for message in &pool {
        assert!(wx.verify(&message.header_map().unwrap(), &message.body).is_ok());
    }
    let attacker = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let keys = [pkcs8("merchant_key.pem"), attacker];
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let counts = Counts::default();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (wx, pool, keys, counts) = (&wx, &pool, &keys, &counts);
            let share = attacks / threads + usize::from(thread < attacks % threads);
            scope.spawn(move || {
                attack(wx, pool, keys, seed.wrapping_add(0x9e37_79b9 * thread as u64), share, counts)
            });
        }
    });
    let [accepted, bad_signature, refused] =
        [counts.accepted, counts.bad_signature, counts.refused].map(AtomicUsize::into_inner);
    println!(
        "{attacks} messages: {accepted} unchanged in effect, {bad_signature} bad signatures, {refused} refused earlier"
    );
    // Most get as far as the signature, and some changes change nothing: the attack is no empty one.
    assert!(bad_signature > attacks / 4 && accepted > 0 && refused > attacks / 10);
}
