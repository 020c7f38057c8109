//! The keys folder: it keeps the identity of a sandbox across restarts.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    identity::Identity,
    key_pair::{CertifiedKey, PrivateKey, PublicKeyPair},
};
use crate::error::Excerpt;
use crate::files::{self, Unreadable};
use crate::sandbox::http::sandbox_error::SandboxError;

/// Larger than any key.
const MAX_FILE: u64 = 1 << 20;

pub(crate) const IDENTITY: &str = "identity.json";
pub(crate) const MERCHANT_KEY: &str = "apiclient_key.pem";
const MERCHANT_CERTIFICATE: &str = "apiclient_cert.pem";
const PLATFORM_KEY: &str = "wechatpay_cert_key.pem";
pub(crate) const PLATFORM_CERTIFICATE: &str = "wechatpay_cert.pem";
const PUBLIC_KEY_PRIVATE_HALF: &str = "pub_key_key.pem";
pub(crate) const PUBLIC_KEY: &str = "pub_key.pem";

const FILES: [&str; 7] = [
    IDENTITY,
    MERCHANT_KEY,
    MERCHANT_CERTIFICATE,
    PLATFORM_KEY,
    PLATFORM_CERTIFICATE,
    PUBLIC_KEY_PRIVATE_HALF,
    PUBLIC_KEY,
];

/// Whether the folder has all files (`true`) or none (`false`). Some is an error that names the first missing one.
pub(crate) fn is_filled(folder: &Path) -> Result<bool, SandboxError> {
    let mut missing = None;
    let mut present = 0;
    for name in FILES {
        let path = folder.join(name);
        match path.try_exists() {
            Ok(true) => present += 1,
            Ok(false) => missing = missing.or(Some(path)),
            Err(e) => return Err(failed(path, "cannot be accessed", Some(e))),
        }
    }
    match (present, missing) {
        (0, _) => Ok(false),
        (_, None) => Ok(true),
        (_, Some(path)) => Err(failed(
            path,
            "is missing, but other files of the folder exist: restore it, or empty the folder to generate new keys",
            None,
        )),
    }
}

pub(crate) fn load(folder: &Path) -> Result<Identity, SandboxError> {
    let bad = |name: &str, problem: String| failed(folder.join(name), problem, None);
    let key = |name| PrivateKey::parse(read(folder, name)?).map_err(|problem| bad(name, problem));
    let certified = |key: PrivateKey, name| {
        CertifiedKey::parse(key, read(folder, name)?).map_err(|problem| bad(name, problem))
    };

    let names: Value = serde_json::from_str(&read(folder, IDENTITY)?)
        .map_err(|e| bad(IDENTITY, format!("expected JSON ({e})")))?;
    let name = |field: &str| match names.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(bad(IDENTITY, format!("expected a string in `{field}`"))),
    };
    let (mchid, apiv3_key, id) = (name("mchid")?, name("apiv3_key")?, name("public_key_id")?);
    check_mchid(&mchid).and_then(|()| check_apiv3_key(&apiv3_key)).map_err(|p| bad(IDENTITY, p))?;
    if !id.strip_prefix("PUB_KEY_ID_").is_some_and(is_digits) {
        return Err(bad(IDENTITY, "expected `PUB_KEY_ID_` and digits in `public_key_id`".into()));
    }

    Ok(Identity {
        mchid,
        apiv3_key,
        merchant: certified(key(MERCHANT_KEY)?, MERCHANT_CERTIFICATE)?,
        platform_certificate: Arc::new(certified(key(PLATFORM_KEY)?, PLATFORM_CERTIFICATE)?),
        platform_public_key: PublicKeyPair::parse(
            key(PUBLIC_KEY_PRIVATE_HALF)?,
            read(folder, PUBLIC_KEY)?,
            id,
        )
        .map(Arc::new)
        .map_err(|problem| bad(PUBLIC_KEY, problem))?,
    })
}

pub(crate) fn save(folder: &Path, identity: &Identity) -> Result<(), SandboxError> {
    fs::create_dir_all(folder).map_err(|e| failed(folder.into(), "cannot be created", Some(e)))?;
    let names = json!({
        "mchid": identity.mchid,
        "apiv3_key": identity.apiv3_key,
        "public_key_id": identity.platform_public_key.id,
    });
    write(folder, MERCHANT_KEY, &identity.merchant.key.pem, true)?;
    write(folder, MERCHANT_CERTIFICATE, &identity.merchant.pem, false)?;
    write(folder, PLATFORM_KEY, &identity.platform_certificate.key.pem, true)?;
    write(folder, PLATFORM_CERTIFICATE, &identity.platform_certificate.pem, false)?;
    write(folder, PUBLIC_KEY_PRIVATE_HALF, &identity.platform_public_key.key.pem, true)?;
    write(folder, PUBLIC_KEY, &identity.platform_public_key.pem, false)?;
    write(folder, IDENTITY, &format!("{names:#}\n"), true)
}

pub(crate) fn check_mchid(mchid: &str) -> Result<(), String> {
    if is_digits(mchid) && mchid.len() <= 32 {
        return Ok(());
    }
    Err(format!("expected a merchant number of 1 to 32 digits, found {}", Excerpt(mchid)))
}

/// The message contains only the length: no error may show the key.
pub(crate) fn check_apiv3_key(key: &str) -> Result<(), String> {
    if key.len() == 32 {
        return Ok(());
    }
    Err(format!("expected an APIv3 key of exactly 32 bytes, found {}", key.len()))
}

pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read(folder: &Path, name: &str) -> Result<String, SandboxError> {
    let path = folder.join(name);
    let bytes = files::read(&path, MAX_FILE).map_err(|e| match e {
        Unreadable::Failed(e) => failed(path.clone(), "cannot be read", Some(e)),
        other => failed(path.clone(), other.to_string(), None),
    })?;
    String::from_utf8(bytes).map_err(|_| failed(path, "is not UTF-8", None))
}

/// Never overwrites a file: it could be a key in use.
fn write(folder: &Path, name: &str, text: &str, private: bool) -> Result<(), SandboxError> {
    let path = folder.join(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = private;
    let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| failed(path, "cannot be written", Some(e)))
}

fn failed(path: PathBuf, problem: impl Into<String>, source: Option<io::Error>) -> SandboxError {
    SandboxError::KeyFile { path, problem: problem.into(), source }
}
