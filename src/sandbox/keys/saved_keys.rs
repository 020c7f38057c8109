//! The platform's keys in service, kept in the keys folder when they change: `platform_keys.json` lists the serials, and
//! each key that is not of the first ones has a pair of files named after its serial.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    folder::{self, PLATFORM_CERTIFICATE, PUBLIC_KEY, failed, is_digits, read},
    key_pair::{CertifiedKey, PrivateKey, PublicKeyPair, same_serial},
    keyring::{Keys, MAX_KEYS, SigningKey},
};
use crate::sandbox::http::sandbox_error::SandboxError;

const FILE: &str = "platform_keys.json";

/// The first keys: their files have names of their own.
type First = (Arc<CertifiedKey>, Arc<PublicKeyPair>);

pub(crate) struct SavedKeys {
    folder: PathBuf,
}

impl SavedKeys {
    pub(crate) fn new(folder: &Path) -> SavedKeys {
        SavedKeys { folder: folder.into() }
    }

    /// `None` if they never changed.
    pub(crate) fn load(&self, first: &First) -> Result<Option<Keys>, SandboxError> {
        let path = self.folder.join(FILE);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(e) => return Err(failed(path, "cannot be accessed", Some(e))),
        }
        let bad = |problem: String| failed(path.clone(), problem, None);
        let list: Value = serde_json::from_str(&read(&self.folder, FILE)?)
            .map_err(|e| bad(format!("expected JSON ({e})")))?;
        let serials = |name: &str| -> Result<Vec<&str>, SandboxError> {
            let serials = list.get(name).and_then(Value::as_array);
            let serials = serials.and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
            let serials = serials.filter(|list| list.len() <= MAX_KEYS && list.iter().all(|s| is_serial(s)));
            serials.ok_or_else(|| bad(format!("expected a list of at most {MAX_KEYS} serials in `{name}`")))
        };
        let certificates = serials("certificates")?.into_iter().map(|serial| self.certificate(serial, first));
        let public_keys = serials("public_keys")?.into_iter().map(|serial| self.public_key(serial, first));
        let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
        let public_keys = public_keys.collect::<Result<Vec<_>, _>>()?;
        let signs = list.get("signs").and_then(Value::as_str).unwrap_or("");
        let certificate = certificates.iter().find(|key| same_serial(&key.serial, signs));
        let public = public_keys.iter().find(|key| key.id == signs);
        let signer = certificate.cloned().map(SigningKey::Certificate);
        let signer = signer.or_else(|| public.cloned().map(SigningKey::PublicKey));
        let signer = signer.ok_or_else(|| bad("expected the serial of a listed key in `signs`".into()))?;
        Ok(Some(Keys { certificates, public_keys, signer }))
    }

    fn certificate(&self, serial: &str, first: &First) -> Result<Arc<CertifiedKey>, SandboxError> {
        if same_serial(&first.0.serial, serial) {
            return Ok(Arc::clone(&first.0));
        }
        let [private, public] = files(serial);
        let key = CertifiedKey::parse(self.private_key(&private)?, read(&self.folder, &public)?);
        key.map(Arc::new).map_err(|problem| failed(self.folder.join(public), problem, None))
    }

    fn public_key(&self, id: &str, first: &First) -> Result<Arc<PublicKeyPair>, SandboxError> {
        if first.1.id == id {
            return Ok(Arc::clone(&first.1));
        }
        let [private, public] = files(id);
        let key =
            PublicKeyPair::parse(self.private_key(&private)?, read(&self.folder, &public)?, id.to_owned());
        key.map(Arc::new).map_err(|problem| failed(self.folder.join(public), problem, None))
    }

    fn private_key(&self, name: &str) -> Result<PrivateKey, SandboxError> {
        PrivateKey::parse(read(&self.folder, name)?)
            .map_err(|problem| failed(self.folder.join(name), problem, None))
    }

    /// The keys' files first, then the list in one step, then the files of retired keys go: a kill in between leaves
    /// either the old keys or the new ones.
    pub(crate) fn save(&self, keys: &Keys, first: &First) -> Result<(), SandboxError> {
        for key in keys.all().filter(|key| !is_first(key.serial(), first)) {
            let [private, public] = files(key.serial());
            self.write_once(&private, &key.private_key().pem, true)?;
            self.write_once(&public, key.pem(), false)?;
        }
        let before = self.serials();
        let serials = |keys: Vec<SigningKey>| -> Vec<String> {
            keys.iter().map(|key| key.serial().to_owned()).collect()
        };
        let list = json!({
            "signs": keys.signer.serial(),
            "certificates": serials(keys.certificates.iter().cloned().map(SigningKey::Certificate).collect()),
            "public_keys": serials(keys.public_keys.iter().cloned().map(SigningKey::PublicKey).collect()),
        });
        folder::replace(&self.folder, FILE, &format!("{list:#}\n"))?;
        for serial in before {
            if is_serial(&serial) && !is_first(&serial, first) && keys.find(&serial).is_none() {
                for name in files(&serial) {
                    let _ = fs::remove_file(self.folder.join(name));
                }
            }
        }
        Ok(())
    }

    /// The serials in the list, as far as it can be read.
    fn serials(&self) -> Vec<String> {
        let list = read(&self.folder, FILE).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let lists = list.iter().flat_map(|list| ["certificates", "public_keys"].map(|name| list.get(name)));
        let serials = lists.flatten().filter_map(Value::as_array).flatten();
        serials.filter_map(|serial| serial.as_str().map(str::to_owned)).collect()
    }

    fn write_once(&self, name: &str, text: &str, private: bool) -> Result<(), SandboxError> {
        match folder::write(&self.folder, name, text, private) {
            Err(SandboxError::KeyFile { source: Some(e), .. })
                if e.kind() == io::ErrorKind::AlreadyExists
                    && read(&self.folder, name).is_ok_and(|written| written == text) =>
            {
                Ok(())
            }
            // A kill in the middle of an earlier change left a part of it; the list does not have the key.
            Err(SandboxError::KeyFile { source: Some(e), .. })
                if e.kind() == io::ErrorKind::AlreadyExists =>
            {
                folder::replace(&self.folder, name, text)
            }
            other => other,
        }
    }
}

/// The name of the file with the public part of a platform key.
pub(crate) fn public_file(key: &SigningKey, first: &First) -> String {
    match key {
        _ if !is_first(key.serial(), first) => files(key.serial())[1].clone(),
        SigningKey::Certificate(_) => PLATFORM_CERTIFICATE.into(),
        SigningKey::PublicKey(_) => PUBLIC_KEY.into(),
    }
}

fn files(serial: &str) -> [String; 2] {
    [format!("{serial}_key.pem"), format!("{serial}.pem")]
}

fn is_first(serial: &str, first: &First) -> bool {
    same_serial(&first.0.serial, serial) || first.1.id == serial
}

/// Whether the serial can be the name of a file.
fn is_serial(serial: &str) -> bool {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    serial.len() <= 64 && serial.strip_prefix("PUB_KEY_ID_").map_or_else(|| is_hex(serial), is_digits)
}
