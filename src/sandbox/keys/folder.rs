//! The keys folder: it keeps the identity of a sandbox across restarts.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

#[cfg(unix)]
use fs4::FileExt;
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

/// Folders for the files of a start, until they are all there.
const UNFINISHED: &str = ".new";
const COMPLETE: &str = ".complete";

const FILES: [&str; 7] = [
    IDENTITY,
    MERCHANT_KEY,
    MERCHANT_CERTIFICATE,
    PLATFORM_KEY,
    PLATFORM_CERTIFICATE,
    PUBLIC_KEY_PRIVATE_HALF,
    PUBLIC_KEY,
];

/// The folder's identity; generated, if the folder has none. Two starts at the same time get the same identity, and a
/// kill at any moment leaves a folder that the next start completes.
pub(crate) fn load_or_generate(
    folder: &Path,
    generate: impl FnOnce() -> Result<Identity, SandboxError>,
) -> Result<Identity, SandboxError> {
    // Each file appears complete: without waiting for others, and in a folder that is read-only.
    if missing(folder)?.is_empty() {
        return load(folder);
    }
    fs::create_dir_all(folder).map_err(|e| failed(folder.into(), "cannot be created", Some(e)))?;
    let _alone = lock(folder)?;
    finish_killed_start(folder)?;
    let missing = missing(folder)?;
    match missing.first() {
        None => load(folder),
        Some(_) if missing.len() == FILES.len() => {
            let identity = generate()?;
            save(folder, &identity)?;
            Ok(identity)
        }
        Some(name) => Err(failed(
            folder.join(name),
            "is missing, but other files of the folder exist: restore it, or empty the folder to generate new keys",
            None,
        )),
    }
}

fn missing(folder: &Path) -> Result<Vec<&'static str>, SandboxError> {
    let mut missing = Vec::new();
    for name in FILES {
        let path = folder.join(name);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => missing.push(name),
            Err(e) => return Err(failed(path, "cannot be accessed", Some(e))),
        }
    }
    Ok(missing)
}

/// The folder itself is locked: nothing is left of the lock, whatever happens.
#[cfg(unix)]
fn lock(folder: &Path) -> Result<fs::File, SandboxError> {
    let locked = fs::File::open(folder).and_then(|file| FileExt::lock(&file).map(|()| file));
    locked.map_err(|e| failed(folder.into(), "cannot be locked", Some(e)))
}

#[cfg(not(unix))]
fn lock(_: &Path) -> Result<(), SandboxError> {
    Ok(())
}

fn load(folder: &Path) -> Result<Identity, SandboxError> {
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

/// Writes all files aside, declares them complete by the new name of their folder, and moves them to their places.
fn save(folder: &Path, identity: &Identity) -> Result<(), SandboxError> {
    let unfinished = folder.join(UNFINISHED);
    fs::create_dir(&unfinished).map_err(|e| failed(unfinished.clone(), "cannot be created", Some(e)))?;
    let names = json!({
        "mchid": identity.mchid,
        "apiv3_key": identity.apiv3_key,
        "public_key_id": identity.platform_public_key.id,
    });
    let platform = &identity.platform_certificate;
    let public = &identity.platform_public_key;
    write(&unfinished, MERCHANT_KEY, &identity.merchant.key.pem, true)?;
    write(&unfinished, MERCHANT_CERTIFICATE, &identity.merchant.pem, false)?;
    write(&unfinished, PLATFORM_KEY, &platform.key.pem, true)?;
    write(&unfinished, PLATFORM_CERTIFICATE, &platform.pem, false)?;
    write(&unfinished, PUBLIC_KEY_PRIVATE_HALF, &public.key.pem, true)?;
    write(&unfinished, PUBLIC_KEY, &public.pem, false)?;
    write(&unfinished, IDENTITY, &format!("{names:#}\n"), true)?;
    let complete = folder.join(COMPLETE);
    fs::rename(&unfinished, &complete).map_err(|e| failed(complete, "cannot be created", Some(e)))?;
    finish_killed_start(folder)
}

/// What a start that was killed left: complete files are moved to their places, others are removed.
fn finish_killed_start(folder: &Path) -> Result<(), SandboxError> {
    let gone = |result: io::Result<()>| match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let (unfinished, complete) = (folder.join(UNFINISHED), folder.join(COMPLETE));
    gone(fs::remove_dir_all(&unfinished)).map_err(|e| failed(unfinished, "cannot be removed", Some(e)))?;
    for name in FILES {
        let path = folder.join(name);
        gone(fs::rename(complete.join(name), &path))
            .map_err(|e| failed(path, "cannot be written", Some(e)))?;
    }
    gone(fs::remove_dir(&complete)).map_err(|e| failed(complete, "cannot be removed", Some(e)))
}

pub(crate) fn check_mchid(mchid: &str) -> Result<(), String> {
    if is_digits(mchid) && mchid.len() <= 32 {
        return Ok(());
    }
    Err(format!("expected a merchant number of 1 to 32 digits, found {}", Excerpt(mchid)))
}

/// The message contains only the length: no error may show the key.
pub(crate) fn check_apiv3_key(key: &str) -> Result<(), String> {
    if key.len() != 32 {
        return Err(format!("expected an APIv3 key of exactly 32 bytes, found {}", key.len()));
    }
    // The shell takes the key from `identity.json`, where JSON would escape these.
    if key.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        return Err("expected an APIv3 key without quotes, backslashes and control characters".into());
    }
    Ok(())
}

pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn read(folder: &Path, name: &str) -> Result<String, SandboxError> {
    let path = folder.join(name);
    let bytes = files::read(&path, MAX_FILE).map_err(|e| match e {
        Unreadable::Failed(e) => failed(path.clone(), "cannot be read", Some(e)),
        other => failed(path.clone(), other.to_string(), None),
    })?;
    String::from_utf8(bytes).map_err(|_| failed(path, "is not UTF-8", None))
}

/// Never overwrites a file: it could be a key in use.
pub(crate) fn write(folder: &Path, name: &str, text: &str, private: bool) -> Result<(), SandboxError> {
    let path = folder.join(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = private;
    let written = options.open(&path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|e| failed(path, "cannot be written", Some(e)))
}

/// Replaces a file in one step; only its owner may read it.
pub(crate) fn replace(folder: &Path, name: &str, text: &str) -> Result<(), SandboxError> {
    let aside = format!("{name}.new");
    let _ = fs::remove_file(folder.join(&aside));
    write(folder, &aside, text, true)?;
    let path = folder.join(name);
    fs::rename(folder.join(&aside), &path).map_err(|e| failed(path, "cannot be written", Some(e)))
}

pub(crate) fn failed(path: PathBuf, problem: impl Into<String>, source: Option<io::Error>) -> SandboxError {
    SandboxError::KeyFile { path, problem: problem.into(), source }
}
