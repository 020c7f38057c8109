//! Reads PKCS#12 files (`.p12`, `.pfx`): a private key and its certificates, protected by one passphrase, with the
//! old schemes of RFC 7292 or with PBES2.
//!
//! The structures, key derivation and ciphers come from `pkcs12`, `cms` and `pkcs5`. The walk over the bags is done
//! here so that three things hold: a hostile file costs a bounded number of derivations, a wrong passphrase is told
//! apart from a damaged file, and no copy of a key stays in memory that is not wiped.

use aws_lc_rs::hmac;
use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use pkcs12::MacData;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use pkcs12::pfx::Pfx;
use x509_cert::der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier, OctetStringRef};
use x509_cert::der::oid::db::rfc5911::{ID_DATA, ID_ENCRYPTED_DATA};
use x509_cert::der::oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::forms::Found;
use super::pbe::{self, Budget, PbeError};

/// Limit of `SafeContents` bags within each other.
const MAX_NESTING: usize = 4;

/// Limit of encrypted parts; what they cost together is limited by the `Budget`. A key and its certificates are two.
const MAX_ENCRYPTED_PARTS: usize = 8;

/// The contents of a file, as DER.
#[derive(Default)]
pub(super) struct Contents {
    /// PKCS#8.
    pub(super) keys: Vec<Zeroizing<Vec<u8>>>,
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Collects the contents while a file is read.
struct P12Reader<'p> {
    passphrase: &'p str,
    /// Whether a MAC was verified. Then the passphrase is right, and content that does not parse is damaged.
    authenticated: bool,
    encrypted_parts: usize,
    /// For all derivations of the file.
    budget: Budget,
    contents: Contents,
}

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum P12Error {
    WrongPassphrase,
    /// An encryption, a MAC or a kind of file that is not supported.
    Unsupported,
    /// The derivations of the file take more time or memory than is allowed.
    TooCostly,
    /// BER instead of DER.
    Ber,
    TooManyParts,
    Damaged,
}

impl P12Error {
    /// For an error text, after "found".
    pub(super) fn found(&self) -> Found {
        const CONVERT: &str = "convert it: \
             `openssl pkcs12 -in old.p12 -legacy -nodes | openssl pkcs12 -export -out new.p12`";
        match self {
            P12Error::WrongPassphrase => {
                "a PKCS#12 file for which the passphrase is wrong (the platform's files use the mchid), or a damaged one"
                    .into()
            }
            P12Error::Unsupported => {
                Found::new("a PKCS#12 file with an encryption or a MAC that is not supported").fix(CONVERT)
            }
            P12Error::TooCostly => {
                Found::new("a PKCS#12 file whose passphrase takes more time or memory to try than is allowed")
                    .fix(CONVERT)
            }
            P12Error::Ber => Found::new("a PKCS#12 file in BER instead of DER").fix(CONVERT),
            P12Error::TooManyParts => {
                "a PKCS#12 file with too many encrypted parts (limit 8; a key and its certificates are two)".into()
            }
            P12Error::Damaged => "a PKCS#12 file that is cut or damaged".into(),
        }
    }
}

impl From<x509_cert::der::Error> for P12Error {
    fn from(_: x509_cert::der::Error) -> Self {
        P12Error::Damaged
    }
}

impl From<PbeError> for P12Error {
    fn from(error: PbeError) -> Self {
        match error {
            PbeError::WrongPassphrase => P12Error::WrongPassphrase,
            PbeError::Unsupported => P12Error::Unsupported,
            PbeError::TooCostly => P12Error::TooCostly,
        }
    }
}

/// Verifies the file's MAC, if it has one, then reads every bag.
pub(super) fn read(file: &[u8], passphrase: &str) -> Result<Contents, P12Error> {
    if let [0x30, 0x80, ..] = file {
        return Err(P12Error::Ber);
    }
    let pfx = Pfx::from_der(file)?;
    if pfx.auth_safe.content_type != ID_DATA {
        return Err(P12Error::Unsupported); // signed with a certificate instead of a MAC
    }
    let safes = pfx.auth_safe.content.decode_as::<&OctetStringRef>()?;
    let mut budget = Budget::default();
    if let Some(mac) = &pfx.mac_data {
        verify_mac(mac, safes.as_bytes(), passphrase, &mut budget)?;
    }
    let authenticated = pfx.mac_data.is_some();
    let contents = Contents::default();
    let mut reader = P12Reader { passphrase, authenticated, encrypted_parts: 0, budget, contents };
    for safe in Vec::<ContentInfo>::from_der(safes.as_bytes())? {
        match safe.content_type {
            ID_DATA => {
                let bags = safe.content.decode_as::<&OctetStringRef>()?;
                reader.read_bags(bags.as_bytes(), 0)?;
            }
            ID_ENCRYPTED_DATA => {
                let data = safe.content.decode_as::<EncryptedData>()?.enc_content_info;
                let ciphertext = data.encrypted_content.ok_or(P12Error::Damaged)?;
                let bags = reader.decrypt(&data.content_enc_alg, ciphertext.as_bytes())?;
                reader.read_bags(&bags, 0).map_err(|error| match error {
                    P12Error::Damaged => reader.malformed_plaintext(),
                    other => other,
                })?;
            }
            _ => return Err(P12Error::Unsupported),
        }
    }
    Ok(reader.contents)
}

/// The MAC shows whether the passphrase is right. Without a MAC only the padding of the encryption does.
fn verify_mac(data: &MacData, message: &[u8], passphrase: &str, budget: &mut Budget) -> Result<(), P12Error> {
    let iterations = budget.spend_iterations(data.iterations, 1)?;
    let (salt, password) = (data.mac_salt.as_bytes(), pbe::utf16be(passphrase));
    let mac = Pkcs12KeyType::Mac;
    let (algorithm, key) = match data.mac.algorithm.oid {
        ID_SHA_1 => (
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            derive_key::<sha1::Sha1>(&password, salt, mac, iterations, 20),
        ),
        ID_SHA_256 => (hmac::HMAC_SHA256, derive_key::<sha2::Sha256>(&password, salt, mac, iterations, 32)),
        ID_SHA_384 => (hmac::HMAC_SHA384, derive_key::<sha2::Sha384>(&password, salt, mac, iterations, 48)),
        ID_SHA_512 => (hmac::HMAC_SHA512, derive_key::<sha2::Sha512>(&password, salt, mac, iterations, 64)),
        _ => return Err(P12Error::Unsupported),
    };
    let key = hmac::Key::new(algorithm, &Zeroizing::new(key));
    hmac::verify(&key, message, data.mac.digest.as_bytes()).map_err(|_| P12Error::WrongPassphrase)
}

impl P12Reader<'_> {
    fn decrypt(
        &mut self,
        algorithm: &AlgorithmIdentifierOwned,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, P12Error> {
        self.encrypted_parts += 1;
        if self.encrypted_parts > MAX_ENCRYPTED_PARTS {
            return Err(P12Error::TooManyParts);
        }
        Ok(pbe::decrypt(algorithm, ciphertext, self.passphrase, &mut self.budget)?)
    }

    /// The error for decrypted content that does not parse. One wrong passphrase in 256 gives valid padding.
    fn malformed_plaintext(&self) -> P12Error {
        if self.authenticated { P12Error::Damaged } else { P12Error::WrongPassphrase }
    }

    fn read_bags(&mut self, bags: &[u8], nesting: usize) -> Result<(), P12Error> {
        if nesting > MAX_NESTING {
            return Err(P12Error::Damaged);
        }
        for (id, value) in split_bags(bags)? {
            let value = explicit_content(value)?;
            match id {
                pkcs12::PKCS_12_KEY_BAG_OID => self.contents.keys.push(Zeroizing::new(value.to_vec())),
                pkcs12::PKCS_12_PKCS8_KEY_BAG_OID => {
                    let key = EncryptedPrivateKeyInfo::from_der(value)?;
                    let key = self.decrypt(&key.encryption_algorithm, key.encrypted_data.as_bytes())?;
                    // One whole DER element. AWS-LC parses it later: it accepts attributes that `pkcs8` refuses.
                    AnyRef::from_der(&key).map_err(|_| self.malformed_plaintext())?;
                    self.contents.keys.push(key);
                }
                pkcs12::PKCS_12_CERT_BAG_OID => {
                    self.contents.certificates.extend(x509_certificate(value)?);
                }
                pkcs12::PKCS_12_SAFE_CONTENTS_BAG_OID => self.read_bags(value, nesting + 1)?,
                _ => {} // CRLs and secrets are not needed
            }
        }
        Ok(())
    }
}

/// The type and the value of each bag. Attributes (friendly name, key id) are skipped unparsed: they are not needed,
/// and some writers do not sort them as DER requires.
fn split_bags(bags: &[u8]) -> Result<Vec<(ObjectIdentifier, &[u8])>, P12Error> {
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
                Ok::<_, P12Error>((id, value))
            })?);
        }
        Ok::<_, P12Error>(bags)
    })?;
    reader.finish()?;
    Ok(bags)
}

/// The content of an explicit `[0]`.
fn explicit_content(tagged: &[u8]) -> Result<&[u8], P12Error> {
    let mut reader = SliceReader::new(tagged)?;
    let header = x509_cert::der::Header::decode(&mut reader)?;
    if !(header.tag().is_context_specific() && header.tag().is_constructed()) {
        return Err(P12Error::Damaged);
    }
    Ok(reader.read_slice(header.length())?)
}

/// The certificate of a `CertBag`, if it is an X.509 certificate.
fn x509_certificate(bag: &[u8]) -> Result<Option<Vec<u8>>, P12Error> {
    let mut reader = SliceReader::new(bag)?;
    let (id, value) = reader.sequence(|bag| {
        let id = ObjectIdentifier::decode(bag)?;
        Ok::<_, P12Error>((id, ContextSpecific::<AnyRef<'_>>::decode(bag)?.value))
    })?;
    if id != pkcs12::PKCS_12_X509_CERT_OID {
        return Ok(None);
    }
    Ok(Some(value.decode_as::<&OctetStringRef>()?.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests;
