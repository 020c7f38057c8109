//! RSA key pairs: a key with its certificate, or with its `PUB_KEY_ID_…`. Each is parsed once.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::Unspecified,
    rand::{self, SystemRandom},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{CertificateParams, DnType, SerialNumber};
use rsa::{PublicKey, pkcs1::DecodeRsaPublicKey};
use x509_cert::{Certificate, der::Decode};

use super::random;
use crate::sandbox::http::{clock, sandbox_error::SandboxError};

/// A private key: its PEM, and the parsed form that signs.
pub(crate) struct PrivateKey {
    pub(crate) pem: String,
    pair: KeyPair,
}

/// A key pair with its certificate.
pub(crate) struct CertifiedKey {
    pub(crate) key: PrivateKey,
    pub(crate) pem: String,
    pub(crate) serial: String,
    /// Verified with `RustCrypto`: another implementation than the client's.
    pub(crate) public_key: PublicKey,
    /// Unix seconds.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

/// A key pair that is identified by a `PUB_KEY_ID_…`.
pub(crate) struct PublicKeyPair {
    pub(crate) key: PrivateKey,
    pub(crate) pem: String,
    pub(crate) id: String,
}

impl PrivateKey {
    fn generate(what: &'static str) -> Result<PrivateKey, SandboxError> {
        let failed = |_: Unspecified| SandboxError::Generate { what };
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        Ok(PrivateKey { pem: to_pem("PRIVATE KEY", der.as_ref()), pair })
    }

    /// From a PKCS#8 PEM.
    pub(crate) fn parse(text: String) -> Result<PrivateKey, String> {
        let der = from_pem("PRIVATE KEY", &text)?;
        let pair = KeyPair::from_pkcs8(&der)
            .map_err(|e| format!("expected an RSA key of 2048 bits or more in PKCS#8 ({e})"))?;
        Ok(PrivateKey { pem: text, pair })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }

    /// The public half, by another implementation than the client's.
    pub(crate) fn public_key(&self) -> Option<PublicKey> {
        PublicKey::from_pkcs1_der(self.public_pkcs1()).ok()
    }

    /// The public half in PKCS#1. Two keys are compared in this form.
    fn public_pkcs1(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}

impl CertifiedKey {
    /// A new platform certificate.
    pub(crate) fn platform(serials: Serials) -> Result<CertifiedKey, SandboxError> {
        CertifiedKey::generate("platform certificate", "Tenpay.com sign", serials)
    }

    pub(crate) fn generate(
        what: &'static str,
        common_name: &str,
        serials: Serials,
    ) -> Result<CertifiedKey, SandboxError> {
        let failed = || SandboxError::Generate { what };
        let key = PrivateKey::generate(what)?;
        let pem = self_signed(&key, common_name, serials).ok_or_else(failed)?;
        CertifiedKey::parse(key, pem).map_err(|_| failed())
    }

    /// The certificate must belong to the key: otherwise no signature would ever verify.
    pub(crate) fn parse(key: PrivateKey, pem: String) -> Result<CertifiedKey, String> {
        let der = from_pem("CERTIFICATE", &pem)?;
        let certificate =
            Certificate::from_der(&der).map_err(|e| format!("expected an X.509 certificate ({e})"))?;
        let body = certificate.tbs_certificate();
        let public = body.subject_public_key_info().subject_public_key.raw_bytes();
        if public != key.public_pkcs1() {
            return Err("the certificate does not belong to the private key".into());
        }
        let public_key = PublicKey::from_pkcs1_der(public)
            .map_err(|e| format!("expected a certificate with an RSA key ({e})"))?;
        // A first zero byte is DER's sign byte and not part of the number; later zeros are.
        let serial = match body.serial_number().as_bytes() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        Ok(CertifiedKey {
            serial: serial.iter().map(|byte| format!("{byte:02X}")).collect(),
            public_key,
            not_before: seconds(body.validity().not_before),
            not_after: seconds(body.validity().not_after),
            key,
            pem,
        })
    }
}

impl PublicKeyPair {
    pub(crate) fn generate() -> Result<PublicKeyPair, SandboxError> {
        let what = "platform public key";
        let id = random::digits(28).map_err(|_| SandboxError::Generate { what })?;
        let id = format!("PUB_KEY_ID_{id}");
        let key = PrivateKey::generate(what)?;
        let spki: PublicKeyX509Der<'_> =
            key.pair.public_key().as_der().map_err(|_| SandboxError::Generate { what })?;
        let pem = to_pem("PUBLIC KEY", spki.as_ref());
        Ok(PublicKeyPair { key, pem, id })
    }

    pub(crate) fn parse(key: PrivateKey, pem: String, id: String) -> Result<PublicKeyPair, String> {
        let der = from_pem("PUBLIC KEY", &pem)?;
        let spki: PublicKeyX509Der<'_> =
            key.pair.public_key().as_der().map_err(|_| "the private key has no public half".to_string())?;
        if der != spki.as_ref() {
            return Err("the public key (SPKI) does not belong to the private key".into());
        }
        Ok(PublicKeyPair { key, pem, id })
    }
}

/// The first digit of new certificates' serials. A client that drops leading zeros fails with one of sixteen serials:
/// with either setting, it fails always or never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Serials {
    #[default]
    WithoutZero,
    WithZero,
}

/// A self-signed certificate, valid for five years.
fn self_signed(key: &PrivateKey, common_name: &str, serials: Serials) -> Option<String> {
    let mut serial = [0; 20];
    rand::fill(&mut serial).ok()?;
    // Below 0x80: DER would put a zero byte before it.
    serial[0] = match serials {
        Serials::WithZero => serial[0] % 0x0F + 1,
        Serials::WithoutZero => serial[0] % 0x70 + 0x10,
    };

    // From the first of the month: no 29th of February exists five years later.
    let today = clock::calendar(clock::unix_now());
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

/// Whether two serials of certificates are the same number. Java's and Python's SDKs drop leading zeros, others write
/// lower case.
pub(crate) fn same_serial(one: &str, other: &str) -> bool {
    let number = |serial: &str| serial.trim_start_matches('0').to_ascii_uppercase();
    number(one) == number(other)
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
    fn serials_have_forty_digits_and_a_leading_zero_only_when_asked() {
        for serials in [Serials::WithZero, Serials::WithoutZero] {
            let made = CertifiedKey::generate("test certificate", "test", serials).unwrap();
            assert_eq!(made.serial.len(), 40, "{}", made.serial);
            assert_eq!(made.serial.starts_with('0'), serials == Serials::WithZero, "{}", made.serial);
            assert!(made.not_before < made.not_after);
        }
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let one = CertifiedKey::generate("test certificate", "one", Serials::default()).unwrap();
        let two = PrivateKey::generate("test key").unwrap();
        assert!(CertifiedKey::parse(two, one.pem).is_err());
    }
}
