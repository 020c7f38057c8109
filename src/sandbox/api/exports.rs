//! [`Sandbox`]: the configuration of other programs, as text to paste.

use std::path::{Path, PathBuf};

use super::{
    sandbox::Sandbox,
    snippets::{SnippetLanguage, Values},
};
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    keys::{
        folder::MERCHANT_KEY,
        keyring::{Keys, SigningKey},
        mode::SigningMode,
    },
};

/// The keys that a client needs, the newest of each kind that is in service; the one that signs takes precedence.
struct Chosen {
    public: Option<SigningKey>,
    certificate: Option<SigningKey>,
}

impl Chosen {
    fn of(keys: &Keys) -> Chosen {
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
fn path(keys: &Path, name: &str) -> Result<String, SandboxError> {
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
fn url(path: &str) -> String {
    format!("file://{path}")
}

impl Sandbox {
    /// The variables of [`WeChatPay::from_env`](crate::WeChatPay::from_env) with their values, the keys as PEM text on
    /// one line: for the environment of a program that is tested with this sandbox.
    ///
    /// ```
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start()?;
    /// let mut program = std::process::Command::new("env");
    /// program.envs(sandbox.variables());
    /// # assert!(sandbox.variables().contains(&("WECHATPAY_MCHID", sandbox.mchid().to_owned())));
    /// # Ok(()) }
    /// ```
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let on_one_line = |pem: &str| pem.trim_end().replace('\n', "\\n");
        self.variables_with(on_one_line(self.merchant_key_pem()), |key| on_one_line(key.pem()))
    }

    /// With these forms of the merchant's private key and of the platform's keys.
    fn variables_with(
        &self,
        private_key: String,
        form: impl Fn(&SigningKey) -> String,
    ) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("WECHATPAY_BASE_URL", self.base_url().to_owned()),
            ("WECHATPAY_MCHID", self.mchid().to_owned()),
            ("WECHATPAY_SERIAL", self.serial().to_owned()),
            ("WECHATPAY_PRIVATE_KEY", private_key),
        ];
        let keys = self.platform().keyring.now();
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
        if !self.is_local() {
            variables.push(("WECHATPAY_ALLOW_HTTP", "1".to_owned()));
        }
        variables.push(("WECHATPAY_APIV3_KEY", self.apiv3_key().to_owned()));
        variables
    }

    /// The variables of [`WeChatPay::from_env`](crate::WeChatPay::from_env), as lines for a POSIX shell. `keys` is the
    /// keys folder of the builder.
    ///
    /// ```
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let keys = folder.path().join("keys");
    /// let sandbox = Sandbox::builder().keys(&keys).start()?;
    /// assert!(sandbox.exports(&keys)?.contains("export WECHATPAY_MCHID='1900000109'\n"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`SandboxError::KeyFile`] if a script cannot contain the path of the folder.
    pub fn exports(&self, keys: &Path) -> Result<String, SandboxError> {
        let variables = self.file_variables(keys)?;
        Ok(variables.iter().map(|(name, value)| format!("export {name}={}\n", shell(value))).collect())
    }

    /// As [`variables`](Sandbox::variables), with the keys as `file://` paths. `keys` is the keys folder of the builder.
    ///
    /// # Errors
    /// As [`exports`](Sandbox::exports).
    pub fn file_variables(&self, keys: &Path) -> Result<Vec<(&'static str, String)>, SandboxError> {
        // All files are in one folder: if one has a path, so have the others.
        let merchant_key = url(&path(keys, MERCHANT_KEY)?);
        Ok(self.variables_with(merchant_key, |key| {
            let file = path(keys, &self.platform().keyring.public_file(key));
            file.map_or_else(|_| key.pem().to_owned(), |file| url(&file))
        }))
    }

    /// Code that points an SDK at this sandbox, to paste. `keys` is the keys folder of the builder.
    ///
    /// ```
    /// # use wechatpay_chain::sandbox::{Sandbox, SnippetLanguage};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let keys = folder.path().join("keys");
    /// let sandbox = Sandbox::builder().keys(&keys).start()?;
    /// assert!(sandbox.snippet(SnippetLanguage::Php, &keys)?.contains("Builder::factory(["));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`exports`](Sandbox::exports).
    pub fn snippet(&self, language: SnippetLanguage, keys: &Path) -> Result<String, SandboxError> {
        let in_service = self.platform().keyring.now();
        let Chosen { public, certificate } = Chosen::of(&in_service);
        let file = |key: Option<SigningKey>| -> Result<Option<(String, String)>, SandboxError> {
            let Some(key) = key else { return Ok(None) };
            let file = path(keys, &self.platform().keyring.public_file(&key))?;
            Ok(Some((key.serial().to_owned(), file)))
        };
        let values = Values {
            base_url: self.base_url().into(),
            mchid: self.mchid().into(),
            serial: self.serial().into(),
            apiv3_key: self.apiv3_key().into(),
            private_key: path(keys, MERCHANT_KEY)?,
            public_key: file(public)?,
            certificate: file(certificate)?,
        };
        Ok(values.fill(language))
    }
}

/// Quotes for a POSIX shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
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
