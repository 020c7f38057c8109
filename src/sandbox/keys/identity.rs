//! The three key pairs of a sandbox and the names they go by. Parsed once, at the start.

use std::{sync::Arc, thread};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::Unspecified,
    rand::{self, SystemRandom},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{CertificateParams, DnType, SerialNumber};
use rsa::{RsaPublicKey, pkcs1::DecodeRsaPublicKey};
use x509_cert::{Certificate, der::Decode};

use super::{SandboxError, clock, random};

/// Who the merchant is, and who the platform is.
pub(super) struct Identity {
    pub(super) mchid: String,
    pub(super) apiv3_key: String,
    pub(super) merchant: Certified,
    /// What the platform begins with; `keyring.rs` has what it has now.
    pub(super) platform: Arc<Certified>,
    pub(super) public: Arc<PublicKey>,
}

/// A private key and what can be said about it in public.
pub(super) struct PrivateKey {
    pub(super) pem: String,
    pair: KeyPair,
}

/// A key pair with its certificate.
pub(super) struct Certified {
    pub(super) key: PrivateKey,
    pub(super) pem: String,
    pub(super) serial: String,
    /// For `RustCrypto`, which does the verifying here: another implementation than the client's.
    pub(super) verifier: RsaPublicKey,
    /// Unix seconds.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
}

/// A key pair that goes by a `PUB_KEY_ID_…`.
pub(super) struct PublicKey {
    pub(super) key: PrivateKey,
    pub(super) pem: String,
    pub(super) id: String,
}

impl Identity {
    /// Fresh keys. Three threads, because finding primes is what a start waits for.
    pub(super) fn generate(mchid: String, apiv3_key: Option<String>) -> Result<Identity, SandboxError> {
        let failed = |what| move |_: Unspecified| SandboxError::Generate { what };
        let apiv3_key = match apiv3_key {
            Some(key) => key,
            None => random::alphanumeric(32).map_err(failed("APIv3 key"))?,
        };
        let (merchant, platform, public) = thread::scope(|scope| {
            let merchant = scope.spawn(|| Certified::generate("merchant certificate", &mchid));
            let platform = scope.spawn(Certified::platform);
            let public = PublicKey::generate();
            (merchant.join(), platform.join(), public)
        });
        let died = |what| move |_| SandboxError::Generate { what };
        Ok(Identity {
            mchid,
            apiv3_key,
            merchant: merchant.map_err(died("merchant certificate"))??,
            platform: Arc::new(platform.map_err(died("platform certificate"))??),
            public: Arc::new(public?),
        })
    }
}

impl PrivateKey {
    fn generate(what: &'static str) -> Result<PrivateKey, SandboxError> {
        let failed = |_: Unspecified| SandboxError::Generate { what };
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        Ok(PrivateKey { pem: to_pem("PRIVATE KEY", der.as_ref()), pair })
    }

    /// From a PKCS#8 PEM.
    pub(super) fn parse(text: String) -> Result<PrivateKey, String> {
        let der = from_pem("PRIVATE KEY", &text)?;
        let pair = KeyPair::from_pkcs8(&der)
            .map_err(|e| format!("expected an RSA key of 2048 bits or more in PKCS#8 ({e})"))?;
        Ok(PrivateKey { pem: text, pair })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }

    /// The public half as a PKCS#1 structure, the form in which two keys are compared here.
    fn public_pkcs1(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}

impl Certified {
    /// One of the platform's.
    pub(super) fn platform() -> Result<Certified, SandboxError> {
        Certified::generate("platform certificate", "Tenpay.com sign")
    }

    fn generate(what: &'static str, common_name: &str) -> Result<Certified, SandboxError> {
        let failed = || SandboxError::Generate { what };
        let key = PrivateKey::generate(what)?;
        let pem = certificate(&key, common_name).ok_or_else(failed)?;
        Certified::parse(key, pem).map_err(|_| failed())
    }

    /// The certificate must be the key's own: a folder with two halves of different pairs would only show
    /// itself as signatures that never verify.
    pub(super) fn parse(key: PrivateKey, pem: String) -> Result<Certified, String> {
        let der = from_pem("CERTIFICATE", &pem)?;
        let certificate =
            Certificate::from_der(&der).map_err(|e| format!("expected an X.509 certificate ({e})"))?;
        let body = certificate.tbs_certificate;
        let public = body.subject_public_key_info.subject_public_key.raw_bytes();
        if public != key.public_pkcs1() {
            return Err("expected the certificate of the private key beside it, found another key's".into());
        }
        let verifier = RsaPublicKey::from_pkcs1_der(public)
            .map_err(|e| format!("expected a certificate with an RSA key ({e})"))?;
        // The first byte may be DER's sign byte, which is no part of the number; zeros after it are.
        let serial = match body.serial_number.as_bytes() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        Ok(Certified {
            serial: random::upper_hex(serial),
            verifier,
            not_before: seconds(body.validity.not_before),
            not_after: seconds(body.validity.not_after),
            key,
            pem,
        })
    }
}

impl PublicKey {
    pub(super) fn generate() -> Result<PublicKey, SandboxError> {
        let what = "platform public key";
        let id = random::digits(28).map_err(|_| SandboxError::Generate { what })?;
        let id = format!("PUB_KEY_ID_{id}");
        let key = PrivateKey::generate(what)?;
        let spki: PublicKeyX509Der<'_> =
            key.pair.public_key().as_der().map_err(|_| SandboxError::Generate { what })?;
        let pem = to_pem("PUBLIC KEY", spki.as_ref());
        Ok(PublicKey { key, pem, id })
    }

    pub(super) fn parse(key: PrivateKey, pem: String, id: String) -> Result<PublicKey, String> {
        let der = from_pem("PUBLIC KEY", &pem)?;
        let spki: PublicKeyX509Der<'_> =
            key.pair.public_key().as_der().map_err(|_| "the private key has no public half".to_string())?;
        if der != spki.as_ref() {
            return Err("expected the public half (SPKI) of the private key beside it, found another".into());
        }
        Ok(PublicKey { key, pem, id })
    }
}

/// A self-signed certificate of five years. Its serial always begins with a zero digit: a client that writes
/// the number without its leading zero must not get away with it on fifteen starts of sixteen.
fn certificate(key: &PrivateKey, common_name: &str) -> Option<String> {
    let mut serial = [0; 20];
    rand::fill(&mut serial).ok()?;
    serial[0] = serial[0] % 15 + 1;

    // From the first of the month, because five years after a 29th of February there is none.
    let today = clock::civil(clock::Clock { skew: 0 }.now());
    let year = i32::from(today.year());
    let mut params = CertificateParams::new(Vec::new()).ok()?;
    params.not_before = rcgen::date_time_ymd(year, today.month(), 1);
    params.not_after = rcgen::date_time_ymd(year + 5, today.month(), 1);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.distinguished_name.push(DnType::OrganizationName, "wechatpay-chain sandbox");
    params.distinguished_name.push(DnType::CountryName, "CN");

    let signer = rcgen::KeyPair::from_pem(&key.pem).ok()?;
    Some(params.self_signed(&signer).ok()?.pem().replace("\r\n", "\n"))
}

fn to_pem(tag: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(tag, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

fn from_pem(tag: &str, text: &str) -> Result<Vec<u8>, String> {
    let found = pem::parse(text).map_err(|e| format!("expected a PEM file with `{tag}` ({e})"))?;
    if found.tag() != tag {
        return Err(format!("expected a PEM file with `{tag}`, found `{}`", found.tag()));
    }
    Ok(found.into_contents())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_have_forty_digits_and_a_leading_zero() {
        let made = Certified::generate("test certificate", "test").unwrap();
        assert_eq!(made.serial.len(), 40, "{}", made.serial);
        assert!(made.serial.starts_with('0'), "{}", made.serial);
        assert!(made.not_before < made.not_after);
    }

    #[test]
    fn halves_of_two_pairs_are_refused() {
        let one = Certified::generate("test certificate", "one").unwrap();
        let two = PrivateKey::generate("test key").unwrap();
        assert!(Certified::parse(two, one.pem).is_err());
    }
}
