//! The keys folder: the same identity again at the next start.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    SandboxError,
    keys::{Certified, Identity, PrivateKey, PublicKey},
};

const IDENTITY: &str = "identity.json";
const MERCHANT_KEY: &str = "apiclient_key.pem";
const MERCHANT_CERTIFICATE: &str = "apiclient_cert.pem";
const PLATFORM_KEY: &str = "wechatpay_cert_key.pem";
const PLATFORM_CERTIFICATE: &str = "wechatpay_cert.pem";
const PUBLIC_PRIVATE: &str = "pub_key_key.pem";
const PUBLIC: &str = "pub_key.pem";

const ALL: [&str; 7] = [
    IDENTITY,
    MERCHANT_KEY,
    MERCHANT_CERTIFICATE,
    PLATFORM_KEY,
    PLATFORM_CERTIFICATE,
    PUBLIC_PRIVATE,
    PUBLIC,
];

/// Which of the folder's files are there: all, none, or (an error that names the first one missing) some.
pub(super) fn is_filled(folder: &Path) -> Result<bool, SandboxError> {
    let mut missing = None;
    let mut present = 0;
    for name in ALL {
        let path = folder.join(name);
        match path.try_exists() {
            Ok(true) => present += 1,
            Ok(false) => missing = missing.or(Some(path)),
            Err(e) => return Err(failed(path, "cannot be looked up", Some(e))),
        }
    }
    match (present, missing) {
        (0, _) => Ok(false),
        (_, None) => Ok(true),
        (_, Some(path)) => Err(failed(
            path,
            "is missing while others of the folder are there: restore it, or empty the folder for fresh keys",
            None,
        )),
    }
}

pub(super) fn load(folder: &Path) -> Result<Identity, SandboxError> {
    let bad = |name: &str, problem: String| failed(folder.join(name), problem, None);
    let key = |name| PrivateKey::parse(read(folder, name)?).map_err(|problem| bad(name, problem));
    let certified = |key: PrivateKey, name| {
        Certified::parse(key, read(folder, name)?).map_err(|problem| bad(name, problem))
    };

    let names: Value = serde_json::from_str(&read(folder, IDENTITY)?)
        .map_err(|e| bad(IDENTITY, format!("expected JSON ({e})")))?;
    let name = |field: &str| match names.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(bad(IDENTITY, format!("expected a text in `{field}`"))),
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
        platform: Arc::new(certified(key(PLATFORM_KEY)?, PLATFORM_CERTIFICATE)?),
        public: PublicKey::parse(key(PUBLIC_PRIVATE)?, read(folder, PUBLIC)?, id)
            .map(Arc::new)
            .map_err(|problem| bad(PUBLIC, problem))?,
    })
}

pub(super) fn store(folder: &Path, identity: &Identity) -> Result<(), SandboxError> {
    fs::create_dir_all(folder).map_err(|e| failed(folder.into(), "cannot be made", Some(e)))?;
    let names = json!({
        "mchid": identity.mchid,
        "apiv3_key": identity.apiv3_key,
        "public_key_id": identity.public.id,
    });
    write(folder, MERCHANT_KEY, &identity.merchant.key.pem, true)?;
    write(folder, MERCHANT_CERTIFICATE, &identity.merchant.pem, false)?;
    write(folder, PLATFORM_KEY, &identity.platform.key.pem, true)?;
    write(folder, PLATFORM_CERTIFICATE, &identity.platform.pem, false)?;
    write(folder, PUBLIC_PRIVATE, &identity.public.key.pem, true)?;
    write(folder, PUBLIC, &identity.public.pem, false)?;
    write(folder, IDENTITY, &format!("{names:#}\n"), true)
}

pub(super) fn check_mchid(mchid: &str) -> Result<(), String> {
    if is_digits(mchid) && mchid.len() <= 32 {
        return Ok(());
    }
    Err(format!("a merchant id is 1 to 32 digits, found {mchid:?}"))
}

/// The message tells the length only: the key itself belongs in no error.
pub(super) fn check_apiv3_key(key: &str) -> Result<(), String> {
    if key.len() == 32 {
        return Ok(());
    }
    Err(format!("an APIv3 key has exactly 32 bytes, found {}", key.len()))
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read(folder: &Path, name: &str) -> Result<String, SandboxError> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|e| failed(path, "cannot be read", Some(e)))
}

/// Never over an existing file: whatever stands there now is somebody's key.
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
