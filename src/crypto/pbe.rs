//! Decryption with a passphrase: PBES2 (RFC 8018), and the older PKCS#12 schemes (RFC 7292).
//!
//! Runs once, when a client is built, on the caller's own files.

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

/// Limits what a hostile or damaged file can cost at start-up. OpenSSL writes 2,048 iterations.
pub(super) const MAX_ITERATIONS: u32 = 10_000_000;
/// Limit of scrypt's N × r, which takes 128 bytes each: 256 MiB. OpenSSL writes 16,384 × 8.
const MAX_SCRYPT_COST: u64 = 1 << 21;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PbeError {
    /// The passphrase is wrong or the ciphertext damaged; they cannot be told apart.
    WrongPassphrase,
    /// An unsupported scheme, or parameters outside the limits.
    Unsupported,
}

/// Decrypts `ciphertext` into memory that is wiped when dropped.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    ciphertext: &[u8],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = if algorithm.oid == PBES2_OID {
        decrypt_pbes2(algorithm, &mut buffer, passphrase)?
    } else {
        decrypt_pkcs12_pbe(algorithm, &mut buffer, passphrase)?
    };
    buffer.truncate(length);
    Ok(buffer)
}

fn decrypt_pbes2(
    algorithm: &AlgorithmIdentifierOwned,
    buffer: &mut [u8],
    passphrase: &str,
) -> Result<usize, PbeError> {
    let der = algorithm.to_der().map_err(|_| PbeError::Unsupported)?;
    let scheme = EncryptionScheme::try_from(der.as_slice()).map_err(|_| PbeError::Unsupported)?;
    let within_limits = match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(kdf)) => (1..=MAX_ITERATIONS).contains(&kdf.iteration_count),
        Some(Kdf::Scrypt(kdf)) => {
            let (n, r, p) = (kdf.cost_parameter, u64::from(kdf.block_size), u64::from(kdf.parallelization));
            // Checked here because the library panics on a cost of 0.
            n.is_power_of_two()
                && n > 1
                && r > 0
                && n.saturating_mul(r) <= MAX_SCRYPT_COST
                && (1..=16).contains(&p)
        }
        _ => false,
    };
    if !within_limits {
        return Err(PbeError::Unsupported);
    }
    match scheme.decrypt_in_place(passphrase, buffer) {
        Ok(plain) => Ok(plain.len()),
        Err(pkcs5::Error::DecryptFailed) => Err(PbeError::WrongPassphrase),
        Err(_) => Err(PbeError::Unsupported),
    }
}

/// `pbeWithSHAAnd…` of PKCS#12: written by OpenSSL 1 and Java, and used in the platform's `apiclient_cert.p12`.
fn decrypt_pkcs12_pbe(
    algorithm: &AlgorithmIdentifierOwned,
    buffer: &mut [u8],
    passphrase: &str,
) -> Result<usize, PbeError> {
    let parameters = algorithm.parameters.as_ref().ok_or(PbeError::Unsupported)?;
    let parameters = parameters.decode_as::<Pkcs12PbeParams>().map_err(|_| PbeError::Unsupported)?;
    let iterations = checked_iterations(parameters.iterations).ok_or(PbeError::Unsupported)?;
    let passphrase = utf16be(passphrase);
    let salt = parameters.salt.as_bytes();
    let derive = |id, length| Zeroizing::new(derive_key::<Sha1>(&passphrase, salt, id, iterations, length));
    let key = |length| derive(Pkcs12KeyType::EncryptionKey, length);
    let iv = derive(Pkcs12KeyType::Iv, 8);
    match algorithm.oid {
        pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => decrypt_cbc(
            des::TdesEde3::new_from_slice(&key(24)).map_err(|_| PbeError::Unsupported)?,
            &iv,
            buffer,
        ),
        pkcs12::PKCS_12_PBE_WITH_SHAAND2_KEY_TRIPLE_DES_CBC => decrypt_cbc(
            des::TdesEde2::new_from_slice(&key(16)).map_err(|_| PbeError::Unsupported)?,
            &iv,
            buffer,
        ),
        pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => {
            decrypt_cbc(rc2::Rc2::new_with_eff_key_len(&key(16), 128), &iv, buffer)
        }
        pkcs12::PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => {
            decrypt_cbc(rc2::Rc2::new_with_eff_key_len(&key(5), 40), &iv, buffer)
        }
        _ => Err(PbeError::Unsupported),
    }
}

fn decrypt_cbc<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], buffer: &mut [u8]) -> Result<usize, PbeError> {
    let decryptor = Decryptor::inner_iv_slice_init(cipher, iv).map_err(|_| PbeError::Unsupported)?;
    let plain = decryptor.decrypt_padded::<Pkcs7>(buffer).map_err(|_| PbeError::WrongPassphrase)?;
    Ok(plain.len())
}

/// The passphrase as PKCS#12 hashes it: UTF-16, big-endian, ending with a zero.
pub(super) fn utf16be(passphrase: &str) -> Zeroizing<Vec<u8>> {
    // A byte of UTF-8 becomes at most two, so the vector never grows and leaves no unwiped copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(passphrase.len() * 2 + 2));
    for unit in passphrase.encode_utf16().chain([0]) {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

/// The iteration count of a file, if it is within the limits.
pub(super) fn checked_iterations(count: i32) -> Option<i32> {
    u32::try_from(count).is_ok_and(|count| (1..=MAX_ITERATIONS).contains(&count)).then_some(count)
}

#[cfg(test)]
mod tests;
