//! Decryption with a passphrase: PBES2 (RFC 8018), and the older PKCS#12 schemes (RFC 7292).
//!
//! Runs once, when a client is built, on the caller's own files.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, KeyInit as _};
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{Kdf, PBES2_OID, Pbkdf2Prf};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::pbe_params::Pkcs12PbeParams;
use sha1::Sha1;
use x509_cert::der::Encode as _;
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// What the derivations of one file may cost together: hashes of PBKDF2 and PKCS#12, or blocks of scrypt (its N × r × p),
/// which take about as long each. It is about two seconds of one core. OpenSSL writes 2,048 iterations or 131,072 blocks
/// for each of two parts, Java 10,000; some programs a million.
const MAX_COST: u64 = 4_000_000;

/// Limit of scrypt's (N + p) × r, which takes 128 bytes each: 64 MiB. OpenSSL writes 16 MiB, and does not read more than 32 MiB.
const MAX_SCRYPT_MEMORY: u64 = 1 << 19;

/// What the derivations of a file may still cost. A damaged or hostile file must not take minutes at start-up, whatever
/// it is made of.
pub(super) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Budget(MAX_COST)
    }
}

impl Budget {
    fn spend(&mut self, cost: u64) -> Result<(), PbeError> {
        self.0 = self.0.checked_sub(cost).ok_or(PbeError::TooCostly)?;
        Ok(())
    }

    /// The iteration count of a file, if `hashes` of so many iterations may still be computed.
    pub(super) fn spend_iterations(&mut self, count: i32, hashes: u64) -> Result<i32, PbeError> {
        match u64::try_from(count) {
            Ok(iterations @ 1..) => self.spend(iterations.saturating_mul(hashes)).map(|()| count),
            _ => Err(PbeError::Unsupported),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PbeError {
    /// The passphrase is wrong or the ciphertext damaged; they cannot be told apart.
    WrongPassphrase,
    /// An unsupported scheme, or parameters that make no sense.
    Unsupported,
    /// More time or memory than the budget of the file has.
    TooCostly,
}

/// Decrypts `ciphertext` into memory that is wiped when dropped.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    ciphertext: &[u8],
    passphrase: &str,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = if algorithm.oid == PBES2_OID {
        decrypt_pbes2(algorithm, &mut buffer, passphrase, budget)?
    } else {
        decrypt_pkcs12_pbe(algorithm, &mut buffer, passphrase, budget)?
    };
    buffer.truncate(length);
    Ok(buffer)
}

fn decrypt_pbes2(
    algorithm: &AlgorithmIdentifierOwned,
    buffer: &mut [u8],
    passphrase: &str,
    budget: &mut Budget,
) -> Result<usize, PbeError> {
    let der = algorithm.to_der().map_err(|_| PbeError::Unsupported)?;
    let scheme = EncryptionScheme::try_from(der.as_slice()).map_err(|_| PbeError::Unsupported)?;
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(kdf)) => {
            // A key of 32 bytes is two hashes of SHA-1 or SHA-224.
            let hashes = match kdf.prf {
                Pbkdf2Prf::HmacWithSha1 | Pbkdf2Prf::HmacWithSha224 => 2,
                _ => 1,
            };
            let count = i32::try_from(kdf.iteration_count).map_err(|_| PbeError::TooCostly)?;
            budget.spend_iterations(count, hashes)?;
        }
        Some(Kdf::Scrypt(kdf)) => {
            let (n, r, p) = (kdf.cost_parameter, u64::from(kdf.block_size), u64::from(kdf.parallelization));
            // Checked here because the library panics on a cost of 0.
            if !(n.is_power_of_two() && n > 1 && r > 0 && p > 0) {
                return Err(PbeError::Unsupported);
            }
            if n.saturating_add(p).saturating_mul(r) > MAX_SCRYPT_MEMORY {
                return Err(PbeError::TooCostly);
            }
            budget.spend(n.saturating_mul(r).saturating_mul(p))?;
        }
        _ => return Err(PbeError::Unsupported),
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
    budget: &mut Budget,
) -> Result<usize, PbeError> {
    let parameters = algorithm.parameters.as_ref().ok_or(PbeError::Unsupported)?;
    let parameters = parameters.decode_as::<Pkcs12PbeParams>().map_err(|_| PbeError::Unsupported)?;
    // Of SHA-1, 24 bytes of a key are two hashes, 16 one; and one for the IV.
    let hashes = match algorithm.oid {
        pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => 3,
        _ => 2,
    };
    let iterations = budget.spend_iterations(parameters.iterations, hashes)?;
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

#[cfg(test)]
mod tests;
