//! Decrypting what a passphrase protects: PBES2 (RFC 8018), and the older schemes of PKCS#12 (RFC 7292).
//!
//! Only files that the caller owns pass through here, once, at construction: nothing of it runs in a request.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, KeyInit as _};
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{Kdf, PBES2_OID};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::pbe_params::Pkcs12PbeParams;
use sha1::Sha1;
use x509_cert::der::Encode as _;
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// Iterations are paid for at every start; a damaged file must not cost minutes. OpenSSL writes 2,048.
pub(super) const MAX_ITERATIONS: u32 = 10_000_000;
/// scrypt's memory is 128 times this, 256 MiB; OpenSSL writes 16,384 × 8.
const MAX_SCRYPT: u64 = 1 << 21;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The passphrase does not fit, or the ciphertext is damaged: nobody can tell these apart.
    Passphrase,
    /// Another scheme, or parameters without sense.
    Scheme,
}

/// The plain text of `ciphertext`, in memory that is wiped.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    ciphertext: &[u8],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = if algorithm.oid == PBES2_OID {
        pbes2(algorithm, &mut buffer, passphrase)?
    } else {
        pkcs12_scheme(algorithm, &mut buffer, passphrase)?
    };
    buffer.truncate(length);
    Ok(buffer)
}

fn pbes2(
    algorithm: &AlgorithmIdentifierOwned,
    buffer: &mut [u8],
    passphrase: &str,
) -> Result<usize, Refused> {
    let der = algorithm.to_der().map_err(|_| Refused::Scheme)?;
    let scheme = EncryptionScheme::try_from(der.as_slice()).map_err(|_| Refused::Scheme)?;
    let sensible = match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(kdf)) => (1..=MAX_ITERATIONS).contains(&kdf.iteration_count),
        Some(Kdf::Scrypt(kdf)) => {
            let (n, r, p) = (kdf.cost_parameter, u64::from(kdf.block_size), u64::from(kdf.parallelization));
            // A cost of 0 would make the library panic, so the check stands before it.
            n.is_power_of_two()
                && n > 1
                && r > 0
                && n.saturating_mul(r) <= MAX_SCRYPT
                && (1..=16).contains(&p)
        }
        _ => false,
    };
    if !sensible {
        return Err(Refused::Scheme);
    }
    match scheme.decrypt_in_place(passphrase, buffer) {
        Ok(plain) => Ok(plain.len()),
        Err(pkcs5::Error::DecryptFailed) => Err(Refused::Passphrase),
        Err(_) => Err(Refused::Scheme),
    }
}

/// `pbeWithSHAAnd…` of PKCS#12: what OpenSSL 1 and Java write, and the platform's own `apiclient_cert.p12` has.
fn pkcs12_scheme(
    algorithm: &AlgorithmIdentifierOwned,
    buffer: &mut [u8],
    passphrase: &str,
) -> Result<usize, Refused> {
    let parameters = algorithm.parameters.as_ref().ok_or(Refused::Scheme)?;
    let parameters = parameters.decode_as::<Pkcs12PbeParams>().map_err(|_| Refused::Scheme)?;
    let iterations = iterations(parameters.iterations).ok_or(Refused::Scheme)?;
    let passphrase = utf16(passphrase);
    let salt = parameters.salt.as_bytes();
    let derive = |id, length| Zeroizing::new(derive_key::<Sha1>(&passphrase, salt, id, iterations, length));
    let key = |length| derive(Pkcs12KeyType::EncryptionKey, length);
    let iv = derive(Pkcs12KeyType::Iv, 8);
    match algorithm.oid {
        pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => {
            cbc(des::TdesEde3::new_from_slice(&key(24)).map_err(|_| Refused::Scheme)?, &iv, buffer)
        }
        pkcs12::PKCS_12_PBE_WITH_SHAAND2_KEY_TRIPLE_DES_CBC => {
            cbc(des::TdesEde2::new_from_slice(&key(16)).map_err(|_| Refused::Scheme)?, &iv, buffer)
        }
        pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => {
            cbc(rc2::Rc2::new_with_eff_key_len(&key(16), 128), &iv, buffer)
        }
        pkcs12::PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => {
            cbc(rc2::Rc2::new_with_eff_key_len(&key(5), 40), &iv, buffer)
        }
        _ => Err(Refused::Scheme),
    }
}

fn cbc<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], buffer: &mut [u8]) -> Result<usize, Refused> {
    let decryptor = Decryptor::inner_iv_slice_init(cipher, iv).map_err(|_| Refused::Scheme)?;
    let plain = decryptor.decrypt_padded::<Pkcs7>(buffer).map_err(|_| Refused::Passphrase)?;
    Ok(plain.len())
}

/// A passphrase as PKCS#12 hashes it: UTF-16, big-endian, with a zero at its end.
pub(super) fn utf16(passphrase: &str) -> Zeroizing<Vec<u8>> {
    // Each byte of UTF-8 becomes two at most, so this never grows and leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(passphrase.len() * 2 + 2));
    for unit in passphrase.encode_utf16().chain([0]) {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

pub(super) fn iterations(count: i32) -> Option<i32> {
    u32::try_from(count).is_ok_and(|count| (1..=MAX_ITERATIONS).contains(&count)).then_some(count)
}

#[cfg(test)]
mod tests;
