//! [`Sandbox`]: the configuration of other programs, as text to paste.

use std::path::Path;

use super::{
    sandbox::Sandbox,
    snippets::{SnippetLanguage, Values},
};
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    keys::{
        folder::MERCHANT_KEY,
        keyring::SigningKey,
        variables::{self, Chosen, path, shell, url},
    },
};

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
        let (platform, apiv3_key) = (self.platform(), self.apiv3_key().to_owned());
        let mut variables =
            variables::list(&platform.identity, &platform.keyring, self.base_url(), private_key, form);
        if !self.is_local() {
            variables.push(("WECHATPAY_ALLOW_HTTP", "1".to_owned()));
        }
        variables.push(("WECHATPAY_APIV3_KEY", apiv3_key));
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
