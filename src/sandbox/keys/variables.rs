//! The variables of [`WeChatPay::from_env`](crate::WeChatPay::from_env) for a client of the sandbox.

use std::path::{Path, PathBuf};

use super::{
    identity::Identity,
    keyring::{Keyring, Keys, SigningKey},
    mode::SigningMode,
};
use crate::sandbox::http::sandbox_error::SandboxError;

/// The keys that a client needs, the newest of each kind that is in service; the one that signs takes precedence.
pub(crate) struct Chosen {
    pub(crate) public: Option<SigningKey>,
    pub(crate) certificate: Option<SigningKey>,
}

impl Chosen {
    pub(crate) fn of(keys: &Keys) -> Chosen {
        let (mut public, mut certificate) = (None, None);
        for key in keys.all().chain([keys.signer.clone()]) {
            match key {
                SigningKey::PublicKey(_) => public = Some(key),
                SigningKey::Certificate(_) => certificate = Some(key),
            }
        }
        Chosen { public, certificate }
    }
}

/// The absolute path of a file of the keys folder.
pub(crate) fn path(keys: &Path, name: &str) -> Result<String, SandboxError> {
    let failed = |path: PathBuf, problem: &str, source| SandboxError::KeyFile {
        path,
        problem: problem.into(),
        source,
    };
    let folder = std::path::absolute(keys)
        .map_err(|source| failed(keys.into(), "has no absolute path", Some(source)))?;
    let path = folder.join(name);
    match path.to_str().filter(|text| !text.contains(['\n', '\r'])) {
        Some(text) => Ok(text.to_string()),
        None => {
            let problem = "cannot be used in a script: its path is not UTF-8 or contains line breaks";
            Err(failed(path, problem, None))
        }
    }
}

/// The form that PHP and this crate accept: `file://` and the path without percent-encoding.
pub(crate) fn url(path: &str) -> String {
    format!("file://{path}")
}

/// Quotes for a POSIX shell.
pub(crate) fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// All but the APIv3 key, with these forms of the merchant's private key and of the platform's keys.
pub(crate) fn list(
    identity: &Identity,
    keyring: &Keyring,
    base_url: &str,
    private_key: String,
    form: impl Fn(&SigningKey) -> String,
) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("WECHATPAY_BASE_URL", base_url.to_owned()),
        ("WECHATPAY_MCHID", identity.mchid.clone()),
        ("WECHATPAY_SERIAL", identity.merchant.serial.clone()),
        ("WECHATPAY_PRIVATE_KEY", private_key),
    ];
    let keys = keyring.now();
    let Chosen { public, certificate } = Chosen::of(&keys);
    if let Some(key) = public {
        variables.push(("WECHATPAY_PUBLIC_KEY_ID", key.serial().to_owned()));
        variables.push(("WECHATPAY_PUBLIC_KEY", form(&key)));
    }
    if let Some(key) = certificate {
        // Not every SDK downloads certificates.
        variables.push(("WECHATPAY_PLATFORM_SERIAL", key.serial().to_owned()));
        variables.push(("WECHATPAY_PLATFORM_CERTIFICATE", form(&key)));
        if keys.mode() == SigningMode::Certificate {
            variables.push(("WECHATPAY_AUTOMATIC_CERTIFICATES", "1".to_owned()));
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_quoted_text() {
        let text = "a'b \"c\" $d `e` \\ f";
        let script = format!("printf %s {}", shell(text));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
    }
}
