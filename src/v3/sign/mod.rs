//! What is signed, and how the signature travels: the five-line message and the `Authorization` header.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task;

use crate::error::Error;
use crate::runtime::blocking;
use crate::signer::{self, MerchantKey, Signer};

/// The authentication scheme of APIv3.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

const NONCE_LENGTH: usize = 32;

/// The message that a request's signature covers (PROTOCOL, Request): five lines, the last one ended too.
pub(crate) fn message(method: &str, target: &str, timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let length = method.len() + target.len() + timestamp.len() + nonce.len() + body.len() + 5;
    let mut message = Vec::with_capacity(length);
    for line in [method.as_bytes(), target.as_bytes(), timestamp.as_bytes(), nonce.as_bytes(), body] {
        message.extend_from_slice(line);
        message.push(b'\n');
    }
    message
}

/// The value of the `Authorization` header.
pub(crate) fn authorization(
    mchid: &str,
    nonce: &str,
    signature: &str,
    timestamp: &str,
    serial: &str,
) -> String {
    const FIELDS: [&str; 6] =
        [" mchid=\"", "\",serial_no=\"", "\",timestamp=\"", "\",nonce_str=\"", "\",signature=\"", "\""];
    let values = [mchid, serial, timestamp, nonce, signature, ""];
    let length = SCHEME.len() + FIELDS.iter().chain(&values).map(|s| s.len()).sum::<usize>();
    let mut header = String::with_capacity(length);
    header.push_str(SCHEME);
    for (field, value) in FIELDS.iter().zip(values) {
        header.push_str(field);
        header.push_str(value);
    }
    header
}

/// A nonce: 32 characters of `[0-9A-Za-z]`, from the system's random numbers.
pub(crate) fn nonce() -> Result<String, Error> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut nonce = String::with_capacity(NONCE_LENGTH);
    let mut random = [0; NONCE_LENGTH + 16];
    while nonce.len() < NONCE_LENGTH {
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| Error::config("nonce", "cannot be made: no random numbers"))?;
        // A byte of 248 and above is left out, so that all 62 characters are equally likely.
        let fair = random.iter().filter(|b| **b < 248).map(|b| ALPHABET[usize::from(*b) % 62] as char);
        nonce.extend(fair.take(NONCE_LENGTH - nonce.len()));
    }
    Ok(nonce)
}

/// A pay-sign's message: the fields as lines, each one ended.
pub(crate) fn lines(fields: &[&str]) -> Vec<u8> {
    fields.iter().flat_map(|field| [field.as_bytes(), b"\n"]).flatten().copied().collect()
}

/// The merchant's identity: who signs, and with what.
pub(crate) struct Identity {
    pub(crate) mchid: String,
    pub(crate) serial: String,
    pub(crate) key: MerchantKey,
    load: Load,
}

impl Identity {
    pub(crate) fn new(mchid: String, serial: String, key: MerchantKey) -> Identity {
        Identity { mchid, serial, key, load: Load::default() }
    }

    /// Announces a call for as long as the guard lives.
    pub(crate) fn begin_call(&self) -> InFlight<'_> {
        InFlight::new(&self.load)
    }

    /// The signature of `message` in base64, made on this thread if the key is local.
    pub(crate) async fn sign(&self, message: Vec<u8>) -> Result<String, Error> {
        match &self.key {
            MerchantKey::Local(key) => signer::sign_locally(key, &message),
            MerchantKey::Remote(signer) => sign_remotely(&**signer, message).await,
        }
    }

    /// The `Authorization` value for `stamp`. With `call`, a local signature leaves this thread when others wait for
    /// it: an RSA signature keeps a core busy for about 0.4 ms.
    pub(crate) async fn authorize(
        &self,
        stamp: &Stamp,
        call: Option<&InFlight<'_>>,
    ) -> Result<HeaderValue, Error> {
        let signature = match &self.key {
            MerchantKey::Local(key) if call.is_some_and(InFlight::shares_its_thread) => {
                let (key, message) = (Arc::clone(key), stamp.message.clone());
                blocking::on_signing_thread(move || signer::sign_locally(&key, &message)).await??
            }
            MerchantKey::Local(key) => signer::sign_locally(key, &stamp.message)?,
            MerchantKey::Remote(signer) => sign_remotely(&**signer, stamp.message.clone()).await?,
        };
        let text = authorization(&self.mchid, &stamp.nonce, &signature, &stamp.timestamp, &self.serial);
        let mut header = HeaderValue::try_from(text)
            .map_err(|_| Error::config("mchid or serial", "has a character that no HTTP header can hold"))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

async fn sign_remotely(signer: &dyn Signer, message: Vec<u8>) -> Result<String, Error> {
    let signature = signer.sign(message).await;
    let signature = signature.map_err(|e| signer::failed("a signer that failed", Some(e)))?;
    // 2048 to 8192 bits: anything else is no RSA signature, base64 that should have been bytes, say.
    if !(256..=1024).contains(&signature.len()) {
        return Err(signer::failed(&format!("a signature of {} bytes", signature.len()), None));
    }
    Ok(STANDARD.encode(signature))
}

/// What one attempt signs: made afresh for each.
#[derive(Clone)]
pub(crate) struct Stamp {
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) message: Vec<u8>,
}

/// The calls in flight, by the task that polls them. Two in one task (`join!`) run on one thread, and signing
/// there would hold the other up; two tasks of a multi-thread runtime are spread over its threads already.
#[derive(Default)]
struct Load(Mutex<HashMap<Poller, usize>>);

/// What polls a call: a task, or a thread that runs a future of its own (`block_on`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Poller {
    Task(task::Id),
    Thread(ThreadId),
}

impl Poller {
    fn current() -> Poller {
        task::try_id().map_or_else(|| Poller::Thread(thread::current().id()), Poller::Task)
    }
}

impl Load {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Poller, usize>> {
        // The map is whole between any two statements, so a panic elsewhere cannot have broken it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call in flight.
pub(crate) struct InFlight<'a> {
    load: &'a Load,
    poller: Poller,
    by_this_poller: usize,
    pollers: usize,
}

impl<'a> InFlight<'a> {
    fn new(load: &'a Load) -> Self {
        let poller = Poller::current();
        let mut map = load.lock();
        let calls = map.entry(poller).or_insert(0);
        *calls += 1;
        let by_this_poller = *calls;
        let pollers = map.len();
        drop(map);
        InFlight { load, poller, by_this_poller, pollers }
    }

    fn shares_its_thread(&self) -> bool {
        if self.by_this_poller > 1 {
            return true;
        }
        let one_thread = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
        self.pollers > 1 && Handle::try_current().is_ok_and(one_thread)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut map = self.load.lock();
        if let Some(calls) = map.get_mut(&self.poller) {
            *calls -= 1;
            if *calls == 0 {
                map.remove(&self.poller);
            }
        }
    }
}

#[cfg(test)]
mod tests;
