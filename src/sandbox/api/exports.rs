//! [`Sandbox`]: the configuration of other programs, as text to paste.

use std::path::{Path, PathBuf};

use super::sandbox::Sandbox;
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

    /// Code for the SDKs of PHP (`wechatpay-php`) and Node (`wechatpay-axios-plugin`), and for this one.
    ///
    /// # Errors
    /// As [`exports`](Sandbox::exports).
    pub fn snippets(&self, keys: &Path) -> Result<String, SandboxError> {
        let files = Files::of(keys)?;
        let [merchant_key, public_key, certificate] = files.urls();
        let (base, mchid, serial) = (self.base_url(), self.mchid(), self.serial());
        let (id, platform, apiv3) =
            (self.platform_public_key_id(), self.platform_certificate_serial(), self.apiv3_key());
        // PHP and JavaScript quote and escape strings in the same way.
        let quoted = |text: &str| format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
        let [q_base, q_mchid, q_serial, q_key, q_id, q_public, q_platform, q_certificate, q_apiv3] =
            [base, mchid, serial, &merchant_key, id, &public_key, platform, &certificate, apiv3].map(quoted);
        let [path_key, path_public, path_certificate] =
            [&files.merchant_key, &files.public_key, &files.certificate].map(|path| quoted(path));
        Ok(format!(
            "# PHP: composer require wechatpay/wechatpay
use WeChatPay\\Builder;
use WeChatPay\\Crypto\\Rsa;
$apiv3Key = {q_apiv3};
$instance = Builder::factory([
    'base_uri'   => {q_base},
    'mchid'      => {q_mchid},
    'serial'     => {q_serial},
    'privateKey' => Rsa::from({q_key}, Rsa::KEY_TYPE_PRIVATE),
    'certs'      => [
        {q_id} => Rsa::from({q_public}, Rsa::KEY_TYPE_PUBLIC),
        {q_platform} => Rsa::from({q_certificate}, Rsa::KEY_TYPE_PUBLIC),
    ],
]);

// Node: npm install wechatpay-axios-plugin
const {{ readFileSync }} = require('node:fs');
const {{ Wechatpay }} = require('wechatpay-axios-plugin');
const apiv3Key = {q_apiv3};
const wxpay = new Wechatpay({{
  baseURL: {q_base},
  mchid: {q_mchid},
  serial: {q_serial},
  privateKey: readFileSync({path_key}),
  certs: {{
    {q_id}: readFileSync({path_public}),
    {q_platform}: readFileSync({path_certificate}),
  }},
}});

// Rust: wechatpay-chain
let wx = wechatpay_chain::WeChatPay::builder()
    .base_url({base:?})
    .mchid({mchid:?})
    .serial({serial:?})
    .private_key({merchant_key:?})
    .platform_key({id:?}, {public_key:?})
    .platform_key({platform:?}, {certificate:?})
    .apiv3_key({apiv3:?})
    .build()?;
"
        ))
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
