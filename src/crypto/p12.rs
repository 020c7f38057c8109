//! PKCS#12 (`.p12`, `.pfx`): a private key and its certificate under one passphrase, in RFC 7292's old schemes and in
//! PBES2. Contents are walked in place, so that no part of a key is copied where nobody wipes it.

use aws_lc_rs::hmac;
use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use pkcs12::MacData;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use pkcs12::pfx::Pfx;
use x509_cert::der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier, OctetStringRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::pbe::{self, Refused};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// Safes within safes: nobody writes them, and a file must not recurse for ever.
const MAX_DEPTH: usize = 4;

/// Encrypted parts, each of which may cost a derivation of `pbe::MAX_ITERATIONS`. A key and its certificates are two.
const MAX_ENCRYPTED: usize = 8;

/// What was in the file, as DER.
#[derive(Default)]
pub(super) struct Contents {
    /// PKCS#8.
    pub(super) keys: Vec<Zeroizing<Vec<u8>>>,
    pub(super) certificates: Vec<Vec<u8>>,
}

/// A file that is being read.
struct Opening<'p> {
    passphrase: &'p str,
    /// Whether a MAC held for it: then the passphrase fits, and what does not parse is no matter of it.
    authentic: bool,
    encrypted: usize,
    contents: Contents,
}

/// Why it does not open, as it reads behind "found".
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Passphrase,
    Scheme,
    Ber,
    Large,
    Damaged,
}

impl Closed {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Closed::Passphrase => {
                "a PKCS#12 file that the passphrase does not fit (the platform's is the mchid), or a damaged one"
            }
            Closed::Scheme => {
                "a PKCS#12 file with an encryption or a MAC that is not supported; write it anew: \
                 `openssl pkcs12 -in old.p12 -legacy -nodes | openssl pkcs12 -export -out new.p12`"
            }
            Closed::Ber => {
                "a PKCS#12 file in BER, where DER is read; write it anew: \
                 `openssl pkcs12 -in old.p12 -legacy -nodes | openssl pkcs12 -export -out new.p12`"
            }
            Closed::Large => {
                "a PKCS#12 file with more than 8 encrypted parts, where a key and its certificate are two"
            }
            Closed::Damaged => "a PKCS#12 file that is cut or damaged",
        }
    }
}

impl From<x509_cert::der::Error> for Closed {
    fn from(_: x509_cert::der::Error) -> Self {
        Closed::Damaged
    }
}

impl From<Refused> for Closed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Passphrase => Closed::Passphrase,
            Refused::Scheme => Closed::Scheme,
        }
    }
}

/// Opens the file: its MAC first, if it has one, then every bag.
pub(super) fn open(file: &[u8], passphrase: &str) -> Result<Contents, Closed> {
    if let [0x30, 0x80, ..] = file {
        return Err(Closed::Ber);
    }
    let pfx = Pfx::from_der(file)?;
    if pfx.auth_safe.content_type != DATA {
        return Err(Closed::Scheme); // signed with a certificate: another kind of PKCS#12
    }
    let safes = pfx.auth_safe.content.decode_as::<&OctetStringRef>()?;
    if let Some(mac) = &pfx.mac_data {
        check_mac(mac, safes.as_bytes(), passphrase)?;
    }
    let authentic = pfx.mac_data.is_some();
    let mut opening = Opening { passphrase, authentic, encrypted: 0, contents: Contents::default() };
    for safe in Vec::<ContentInfo>::from_der(safes.as_bytes())? {
        match safe.content_type {
            DATA => {
                let bags = safe.content.decode_as::<&OctetStringRef>()?;
                opening.read_bags(bags.as_bytes(), 0)?;
            }
            ENCRYPTED_DATA => {
                let data = safe.content.decode_as::<EncryptedData>()?.enc_content_info;
                let ciphertext = data.encrypted_content.ok_or(Closed::Damaged)?;
                let bags = opening.decrypt(&data.content_enc_alg, ciphertext.as_bytes())?;
                opening.read_bags(&bags, 0).map_err(|closed| match closed {
                    Closed::Damaged => opening.unreadable(),
                    other => other,
                })?;
            }
            _ => return Err(Closed::Scheme),
        }
    }
    Ok(opening.contents)
}

/// The MAC tells a wrong passphrase from a right one. In a file without it the encryption's padding has to.
fn check_mac(data: &MacData, message: &[u8], passphrase: &str) -> Result<(), Closed> {
    let iterations = pbe::iterations(data.iterations).ok_or(Closed::Scheme)?;
    let (salt, password) = (data.mac_salt.as_bytes(), pbe::utf16(passphrase));
    let mac = Pkcs12KeyType::Mac;
    let (algorithm, key) = match data.mac.algorithm.oid {
        SHA1 => (
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            derive_key::<sha1::Sha1>(&password, salt, mac, iterations, 20),
        ),
        SHA256 => (hmac::HMAC_SHA256, derive_key::<sha2::Sha256>(&password, salt, mac, iterations, 32)),
        SHA384 => (hmac::HMAC_SHA384, derive_key::<sha2::Sha384>(&password, salt, mac, iterations, 48)),
        SHA512 => (hmac::HMAC_SHA512, derive_key::<sha2::Sha512>(&password, salt, mac, iterations, 64)),
        _ => return Err(Closed::Scheme),
    };
    let key = hmac::Key::new(algorithm, &Zeroizing::new(key));
    hmac::verify(&key, message, data.mac.digest.as_bytes()).map_err(|_| Closed::Passphrase)
}

impl Opening<'_> {
    fn decrypt(
        &mut self,
        algorithm: &AlgorithmIdentifierOwned,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Closed> {
        self.encrypted += 1;
        if self.encrypted > MAX_ENCRYPTED {
            return Err(Closed::Large);
        }
        Ok(pbe::decrypt(algorithm, ciphertext, self.passphrase)?)
    }

    /// What it is when something decrypted makes no sense: the padding of a wrong passphrase comes out right by chance
    /// once in 256 times.
    fn unreadable(&self) -> Closed {
        if self.authentic { Closed::Damaged } else { Closed::Passphrase }
    }

    fn read_bags(&mut self, bags: &[u8], depth: usize) -> Result<(), Closed> {
        if depth > MAX_DEPTH {
            return Err(Closed::Damaged);
        }
        for (id, value) in split_bags(bags)? {
            let value = inside(value)?;
            match id {
                pkcs12::PKCS_12_KEY_BAG_OID => self.contents.keys.push(Zeroizing::new(value.to_vec())),
                pkcs12::PKCS_12_PKCS8_KEY_BAG_OID => {
                    let key = EncryptedPrivateKeyInfo::from_der(value)?;
                    let key = self.decrypt(&key.encryption_algorithm, key.encrypted_data.as_bytes())?;
                    // One element, whole; what is in it is AWS-LC's to judge, whose eyes are less strict on attributes.
                    AnyRef::from_der(&key).map_err(|_| self.unreadable())?;
                    self.contents.keys.push(key);
                }
                pkcs12::PKCS_12_CERT_BAG_OID => self.contents.certificates.extend(certificate(value)?),
                pkcs12::PKCS_12_SAFE_CONTENTS_BAG_OID => self.read_bags(value, depth + 1)?,
                _ => {} // a CRL, a secret: not ours
            }
        }
        Ok(())
    }
}

/// The kind and the value of each bag. A bag's attributes (a friendly name, a key id) tell nothing that is needed, and
/// not every writer sorts them as DER wants it: they are skipped as they are.
fn split_bags(bags: &[u8]) -> Result<Vec<(ObjectIdentifier, &[u8])>, Closed> {
    let mut reader = SliceReader::new(bags)?;
    let bags = reader.sequence(|reader| {
        let mut bags = Vec::new();
        while !reader.is_finished() {
            bags.push(reader.sequence(|bag| {
                let id = ObjectIdentifier::decode(bag)?;
                let value = bag.tlv_bytes()?;
                while !bag.is_finished() {
                    bag.tlv_bytes()?;
                }
                Ok::<_, Closed>((id, value))
            })?);
        }
        Ok::<_, Closed>(bags)
    })?;
    reader.finish()?;
    Ok(bags)
}

/// What an explicit `[0]` holds.
fn inside(tagged: &[u8]) -> Result<&[u8], Closed> {
    let mut reader = SliceReader::new(tagged)?;
    let header = x509_cert::der::Header::decode(&mut reader)?;
    if !(header.tag().is_context_specific() && header.tag().is_constructed()) {
        return Err(Closed::Damaged);
    }
    Ok(reader.read_slice(header.length())?)
}

/// The certificate of a CertBag, if it is an X.509 one.
fn certificate(bag: &[u8]) -> Result<Option<Vec<u8>>, Closed> {
    let mut reader = SliceReader::new(bag)?;
    let (id, value) = reader.sequence(|bag| {
        let id = ObjectIdentifier::decode(bag)?;
        Ok::<_, Closed>((id, ContextSpecific::<AnyRef<'_>>::decode(bag)?.value))
    })?;
    if id != pkcs12::PKCS_12_X509_CERT_OID {
        return Ok(None);
    }
    Ok(Some(value.decode_as::<&OctetStringRef>()?.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests;
