//! What a key's DER is. It decides, not the PEM label above it: labels are mixed up by hand and by tools, and OpenSSL,
//! PHP and Node read the key all the same.

use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{Decode as _, Header, Reader as _, SliceReader, Tag, Tagged as _};

/// The structure of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) enum KeyFormat {
    Pkcs8,
    EncryptedPkcs8,
    /// `RSAPrivateKey`.
    Pkcs1,
    /// OpenSSL's legacy PEM encryption (`Proc-Type: 4,ENCRYPTED`).
    LegacyEncrypted,
    Spki,
    /// `RSAPublicKey`.
    Pkcs1Public,
    Certificate,
    P12,
    /// The private key of another algorithm, in that algorithm's own structure.
    OtherPrivate,
    CertificateRequest,
    /// PKCS#7: certificates, or a signed message.
    Pkcs7,
    /// The parameters of an elliptic curve, which `openssl ecparam -genkey` writes before the key.
    CurveParameters,
}

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) enum Algorithm {
    Rsa,
    RsaPss,
    /// With the curve's name, if it is a usual one.
    EllipticCurve(&'static str),
    Sm2,
    /// With its name and article.
    Other(&'static str),
}

impl Algorithm {
    /// The kind of key, after "an X.509 certificate with".
    pub(super) fn of_key(self, kind: &str) -> String {
        match self {
            Algorithm::Rsa => format!("an RSA {kind}"),
            Algorithm::RsaPss => {
                format!("an RSA-PSS {kind}, which cannot make or verify PKCS#1 v1.5 signatures")
            }
            Algorithm::EllipticCurve("") => format!("an elliptic-curve {kind}"),
            Algorithm::EllipticCurve(curve) => format!("an elliptic-curve {kind} ({curve})"),
            Algorithm::Sm2 => format!("an SM2 {kind} (an elliptic curve)"),
            Algorithm::Other(name) => format!("{name} {kind}"),
        }
    }
}

/// A structure, and the algorithm of its key if it shows one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) struct Identity {
    pub(in crate::crypto) format: KeyFormat,
    pub(in crate::crypto) algorithm: Option<Algorithm>,
}

impl Identity {
    /// For an error text, after "found".
    pub(in crate::crypto) fn describe(self) -> String {
        let kind = match self.format {
            KeyFormat::Pkcs8
            | KeyFormat::EncryptedPkcs8
            | KeyFormat::Pkcs1
            | KeyFormat::LegacyEncrypted
            | KeyFormat::OtherPrivate => "private key",
            KeyFormat::Spki | KeyFormat::Pkcs1Public => "public key",
            KeyFormat::Certificate => match self.algorithm {
                None | Some(Algorithm::Rsa) => return "an X.509 certificate".to_owned(),
                Some(other) => return format!("an X.509 certificate with {}", other.of_key("public key")),
            },
            KeyFormat::P12 => return "a PKCS#12 file".to_owned(),
            KeyFormat::CertificateRequest => return "a certificate request (CSR)".to_owned(),
            KeyFormat::Pkcs7 => return "PKCS#7 data".to_owned(),
            KeyFormat::CurveParameters => return "the parameters of an elliptic curve".to_owned(),
        };
        match self.algorithm {
            None | Some(Algorithm::Rsa) => format!("a {kind}"),
            Some(other) => other.of_key(kind),
        }
    }
}

/// What this DER is; `None` for anything else, and for what is cut.
pub(in crate::crypto) fn identify(der: &[u8]) -> Option<Identity> {
    let known = |format, algorithm| Some(Identity { format, algorithm });
    let whole = AnyRef::from_der(der).ok()?;
    if whole.tag() == Tag::ObjectIdentifier {
        return known(KeyFormat::CurveParameters, None);
    }
    let parts = children(whole)?;
    let tags: Vec<Tag> = parts.iter().map(|part| part.tag()).collect();
    let part = |index: usize| parts.get(index).copied();
    match tags.as_slice() {
        // RFC 5958: version, algorithm, key.
        [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => known(KeyFormat::Pkcs8, algorithm(part(1)?)),
        // RFC 7292: version 3, the contents, and mostly a MAC.
        [Tag::Integer, Tag::Sequence] | [Tag::Integer, Tag::Sequence, Tag::Sequence]
            if part(0)?.value() == [3] =>
        {
            known(KeyFormat::P12, None)
        }
        // RFC 5915: version 1, the number, and mostly the curve in `[0]`.
        [Tag::Integer, Tag::OctetString, ..] => {
            let curve = parts.iter().find(|part| part.tag().is_context_specific());
            let curve = curve.and_then(|curve| ObjectIdentifier::from_der(curve.value()).ok());
            known(KeyFormat::OtherPrivate, Some(curve.map_or(Algorithm::EllipticCurve(""), of_curve)))
        }
        // RFC 8017, appendix A.1.
        [Tag::Integer, Tag::Integer] => known(KeyFormat::Pkcs1Public, Some(Algorithm::Rsa)),
        [first @ .., _] if tags.len() == 6 && first.iter().all(|tag| *tag == Tag::Integer) => {
            known(KeyFormat::OtherPrivate, Some(Algorithm::Other("a DSA")))
        }
        tags if tags.len() >= 9 && tags.iter().take(9).all(|tag| *tag == Tag::Integer) => {
            known(KeyFormat::Pkcs1, Some(Algorithm::Rsa))
        }
        [Tag::Sequence, Tag::BitString] => known(KeyFormat::Spki, algorithm(part(0)?)),
        [Tag::Sequence, Tag::OctetString] => {
            algorithm_oid(part(0)?)?;
            known(KeyFormat::EncryptedPkcs8, None)
        }
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => of_signed(part(0)?),
        [Tag::ObjectIdentifier, other] if other.is_context_specific() => known(KeyFormat::Pkcs7, None),
        _ => None,
    }
}

/// A certificate or a request for one: both are signed, and hold an SPKI.
fn of_signed(signed: AnyRef<'_>) -> Option<Identity> {
    let parts = children(signed)?;
    let spki = |index: usize| {
        let parts = children(*parts.get(index)?)?;
        match parts.as_slice() {
            [algorithm_id, key] if key.tag() == Tag::BitString => {
                Some(algorithm_oid(*algorithm_id).map(|_| algorithm(*algorithm_id))?)
            }
            _ => None,
        }
    };
    // RFC 5280: version, serial, algorithm, issuer, validity, subject, key. Version 1 is left out.
    let first = usize::from(parts.first()?.tag().is_context_specific());
    if let Some(algorithm) = spki(first + 5) {
        return Some(Identity { format: KeyFormat::Certificate, algorithm });
    }
    // RFC 2986: version, subject, key.
    spki(2).map(|algorithm| Identity { format: KeyFormat::CertificateRequest, algorithm })
}

/// The elements of a sequence.
fn children(sequence: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    /// More than any structure here has.
    const MAX_PARTS: usize = 32;
    if sequence.tag() != Tag::Sequence {
        return None;
    }
    let mut reader = SliceReader::new(sequence.value()).ok()?;
    let mut parts = Vec::new();
    while !reader.is_finished() && parts.len() < MAX_PARTS {
        parts.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(parts)
}

fn algorithm_oid(algorithm: AnyRef<'_>) -> Option<ObjectIdentifier> {
    children(algorithm)?.first()?.decode_as().ok()
}

/// The algorithm of an `AlgorithmIdentifier`.
fn algorithm(identifier: AnyRef<'_>) -> Option<Algorithm> {
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    let parts = children(identifier)?;
    let oid: ObjectIdentifier = parts.first()?.decode_as().ok()?;
    if oid == EC {
        let curve = parts.get(1).and_then(|curve| curve.decode_as().ok());
        return Some(curve.map_or(Algorithm::EllipticCurve(""), of_curve));
    }
    Some(match oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Algorithm::Rsa,
        "1.2.840.113549.1.1.10" => Algorithm::RsaPss,
        "1.2.840.113549.1.1.7" => Algorithm::Other("an RSA-OAEP"),
        "1.2.156.10197.1.301" => Algorithm::Sm2,
        "1.3.101.110" => Algorithm::Other("an X25519"),
        "1.3.101.111" => Algorithm::Other("an X448"),
        "1.3.101.112" => Algorithm::Other("an Ed25519"),
        "1.3.101.113" => Algorithm::Other("an Ed448"),
        "1.2.840.10040.4.1" => Algorithm::Other("a DSA"),
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => Algorithm::Other("a Diffie-Hellman"),
        _ => Algorithm::Other("an unknown kind of"),
    })
}

fn of_curve(curve: ObjectIdentifier) -> Algorithm {
    match curve.to_string().as_str() {
        "1.2.156.10197.1.301" => Algorithm::Sm2,
        "1.2.840.10045.3.1.7" => Algorithm::EllipticCurve("P-256"),
        "1.3.132.0.34" => Algorithm::EllipticCurve("P-384"),
        "1.3.132.0.35" => Algorithm::EllipticCurve("P-521"),
        "1.3.132.0.10" => Algorithm::EllipticCurve("secp256k1"),
        _ => Algorithm::EllipticCurve(""),
    }
}

/// The bits of the modulus of a private key, PKCS#8 or PKCS#1.
pub(super) fn modulus_bits(identity: Identity, der: &[u8]) -> Option<usize> {
    let whole = AnyRef::from_der(der).ok()?;
    let parts = children(whole)?;
    let modulus = match identity.format {
        KeyFormat::Pkcs1 => *parts.get(1)?,
        KeyFormat::Pkcs8 => *children(AnyRef::from_der(parts.get(2)?.value()).ok()?)?.get(1)?,
        _ => return None,
    };
    let bytes = modulus.value();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let first = bytes.get(zeros)?;
    Some((bytes.len() - zeros) * 8 - usize::try_from(first.leading_zeros()).ok()?)
}

/// Whether an RSA private key has more than two primes: version 1 of `RSAPrivateKey` (RFC 8017, appendix A.1.2).
pub(super) fn has_many_primes(identity: Identity, der: &[u8]) -> bool {
    let pkcs1 = |der| children(AnyRef::from_der(der).ok()?)?.first().map(|version| version.value() == [1]);
    let whole = || children(AnyRef::from_der(der).ok()?);
    let found = match identity.format {
        KeyFormat::Pkcs1 => pkcs1(der),
        KeyFormat::Pkcs8 => whole().and_then(|parts| pkcs1(parts.get(2)?.value())),
        _ => None,
    };
    found == Some(true)
}

/// The first element, without what follows it: OpenSSL's `TRUSTED CERTIFICATE` has its own data after the certificate.
pub(super) fn first_element(der: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(der).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    reader.read_slice(header.length()).ok()?;
    der.get(..usize::try_from(u32::from(reader.position())).ok()?)
}

/// Whether this begins like PKCS#12 in DER or BER: a sequence whose first element is version 3.
pub(in crate::crypto) fn is_p12(bytes: &[u8]) -> bool {
    let body = match bytes {
        [0x30, 0x80, rest @ ..] | [0x30, 0x81, _, rest @ ..] | [0x30, 0x82, _, _, rest @ ..] => rest,
        [0x30, 0x83, _, _, _, rest @ ..] => rest,
        [0x30, short, rest @ ..] if *short < 0x80 => rest,
        _ => return false,
    };
    body.starts_with(&[2, 1, 3, 0x30])
}

/// The length that the header of a sequence states, header included; `None` for anything else.
pub(super) fn stated_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x30, short, ..] if *short < 0x80 => Some(2 + usize::from(*short)),
        [0x30, 0x81, a, ..] => Some(3 + usize::from(*a)),
        [0x30, 0x82, a, b, ..] => Some(4 + usize::from(u16::from_be_bytes([*a, *b]))),
        [0x30, 0x83, a, b, c, ..] => {
            Some(5 + usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap_or(usize::MAX))
        }
        _ => None,
    }
}
