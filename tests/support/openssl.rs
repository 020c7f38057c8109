//! Signatures by the `openssl` program, which shares no code with this crate.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Runs `openssl` with this input; `None` if it fails.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // If it fails before it reads its input, its status shows that.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// `openssl dgst -sha256 -sign`, in base64.
pub(crate) fn openssl_sign(private_key: &Path, message: &[u8]) -> String {
    let key = private_key.to_str().unwrap();
    STANDARD.encode(openssl(&["dgst", "-sha256", "-sign", key], message).expect("a signature"))
}

/// Whether `openssl dgst -verify` accepts the signature of `message` under a public key file.
pub(crate) fn openssl_verifies(public_key: &Path, message: &[u8], signature_base64: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature_base64) else { return false };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), signature).unwrap();
    let [key, signature] = [public_key, file.path()].map(|path| path.to_str().unwrap());
    openssl(&["dgst", "-sha256", "-verify", key, "-signature", signature], message).is_some()
}
