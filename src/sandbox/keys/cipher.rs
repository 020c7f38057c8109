//! Encryption: resources under the APIv3 key, and sensitive fields under RSA keys.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rsa::{Oaep, PublicKey};
use serde_json::{Value, json};
use sha1::Sha1;

use super::{key_pair::PrivateKey, random};

/// AES-256-GCM with the APIv3 key; the tag follows the ciphertext.
pub(crate) fn encrypt_resource(
    apiv3_key: &str,
    associated_data: &str,
    text: &str,
) -> Result<Value, Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, apiv3_key.as_bytes())?);
    let nonce = random::alphanumeric(12)?;
    let mut ciphertext = text.as_bytes().to_vec();
    key.seal_in_place_append_tag(
        Nonce::try_assume_unique_for_key(nonce.as_bytes())?,
        Aad::from(associated_data),
        &mut ciphertext,
    )?;
    Ok(json!({
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": STANDARD.encode(ciphertext),
    }))
}

/// Decrypts a sensitive field that a client encrypted (RSA-OAEP with SHA-1, Base64).
pub(crate) fn decrypt_field(key: &PrivateKey, ciphertext: &str) -> Option<String> {
    let der = pem::parse(&key.pem).ok()?;
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(der.contents()).ok()?).ok()?;
    let mut plaintext = vec![0; key.min_output_size()];
    let ciphertext = STANDARD.decode(ciphertext).ok()?;
    let plaintext = key.decrypt(&OAEP_SHA1_MGF1SHA1, &ciphertext, &mut plaintext, None).ok()?;
    String::from_utf8(plaintext.to_vec()).ok()
}

/// Encrypts a sensitive field for the owner of this key, as the platform does.
pub(crate) fn encrypt_field(key: &PublicKey, text: &str) -> Option<String> {
    let ciphertext = key.encrypt(&mut getrandom::SysRng, Oaep::<Sha1>::new(), text.as_bytes()).ok()?;
    Some(STANDARD.encode(ciphertext))
}
