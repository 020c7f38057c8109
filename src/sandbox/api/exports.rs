//! [`Sandbox`]: the configuration of other programs, as text to paste.

use std::path::{Path, PathBuf};

use super::{
    sandbox::Sandbox,
    snippets::{SnippetLanguage, Values},
};
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    keys::folder::{MERCHANT_KEY, PLATFORM_CERTIFICATE, PUBLIC_KEY},
};

/// The absolute paths of the keys.
struct Files {
    merchant_key: String,
    public_key: String,
    certificate: String,
}

impl Files {
    fn of(keys: &Path) -> Result<Files, SandboxError> {
        let folder = std::path::absolute(keys).map_err(|source| SandboxError::KeyFile {
            path: keys.into(),
            problem: "has no absolute path".into(),
            source: Some(source),
        })?;
        let path = |name: &str| -> Result<String, SandboxError> {
            let path: PathBuf = folder.join(name);
            let text = path.to_str().filter(|text| !text.contains(['\n', '\r'])).ok_or_else(|| {
                let problem = "cannot be used in a script: its path is not UTF-8 or contains line breaks";
                SandboxError::KeyFile { path: path.clone(), problem: problem.into(), source: None }
            })?;
            Ok(text.to_string())
        };
        Ok(Files {
            merchant_key: path(MERCHANT_KEY)?,
            public_key: path(PUBLIC_KEY)?,
            certificate: path(PLATFORM_CERTIFICATE)?,
        })
    }

    /// The form that PHP and this crate accept: `file://` and the path without percent-encoding.
    fn urls(&self) -> [String; 3] {
        [&self.merchant_key, &self.public_key, &self.certificate].map(|path| format!("file://{path}"))
    }
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
        self.variables_with([
            &on_one_line(self.merchant_key_pem()),
            &on_one_line(self.platform_public_key_pem()),
            &on_one_line(self.platform_certificate_pem()),
        ])
    }

    /// With these forms of the merchant's private key, the platform's public key and its certificate.
    fn variables_with(
        &self,
        [private_key, public_key, certificate]: [&str; 3],
    ) -> Vec<(&'static str, String)> {
        let variables = [
            ("WECHATPAY_BASE_URL", self.base_url()),
            ("WECHATPAY_MCHID", self.mchid()),
            ("WECHATPAY_SERIAL", self.serial()),
            ("WECHATPAY_PRIVATE_KEY", private_key),
            ("WECHATPAY_PUBLIC_KEY_ID", self.platform_public_key_id()),
            ("WECHATPAY_PUBLIC_KEY", public_key),
            ("WECHATPAY_PLATFORM_SERIAL", self.platform_certificate_serial()),
            ("WECHATPAY_PLATFORM_CERTIFICATE", certificate),
            ("WECHATPAY_APIV3_KEY", self.apiv3_key()),
        ];
        variables.map(|(name, value)| (name, value.to_owned())).to_vec()
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
        let files = Files::of(keys)?;
        let variables = self.variables_with(files.urls().each_ref().map(String::as_str));
        Ok(variables.iter().map(|(name, value)| format!("export {name}={}\n", shell(value))).collect())
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
        let files = Files::of(keys)?;
        let values = Values {
            base_url: self.base_url().into(),
            mchid: self.mchid().into(),
            serial: self.serial().into(),
            apiv3_key: self.apiv3_key().into(),
            private_key: files.merchant_key,
            public_key: Some((self.platform_public_key_id().into(), files.public_key)),
            certificate: Some((self.platform_certificate_serial().into(), files.certificate)),
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
