//! Attacks by the thousand: what none of them may achieve is checked by facts that the client does not supply.

// Header counts, and JSON and bills made to fill the memory.
#[cfg(feature = "bill")]
mod bounds;
// Genuine messages, changed in every way.
mod forgeries;
// Signatures with another padding than PKCS#1 v1.5 prescribes.
mod padding;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wechatpay_chain::{Clock, WeChatPay};

use crate::support::{self, key};

/// The time of all messages.
const NOW: u64 = 1_795_000_000;
/// A second key of the platform.
const OTHER_ID: &str = "PUB_KEY_ID_0119000001092024010100000000000001";

struct StoppedClock;

impl Clock for StoppedClock {
    fn unix_seconds(&self) -> u64 {
        NOW
    }
}

fn pkcs8(name: &str) -> KeyPair {
    KeyPair::from_pkcs8(pem::parse(key(name)).unwrap().contents()).unwrap()
}

fn sign(pair: &KeyPair, message: &[u8]) -> String {
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
    STANDARD.encode(signature)
}

/// A client with the platform's certificate, and with a second key of the platform, which is returned.
fn client_with_two_keys() -> (WeChatPay, KeyPair) {
    let other = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let spki: aws_lc_rs::encoding::PublicKeyX509Der<'_> = other.public_key().as_der().unwrap();
    let public = pem::encode(&pem::Pem::new("PUBLIC KEY", spki.as_ref()));
    let builder = support::builder("http://127.0.0.1:9/").clock(StoppedClock);
    (builder.platform_key(OTHER_ID, public).build().unwrap(), other)
}
