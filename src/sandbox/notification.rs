//! Notifications: encrypted under the APIv3 key and signed by the platform; and the fields that RSA keeps secret.

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;
use rsa::{Oaep, rand_core::OsRng};
use serde_json::{Value, json};
use sha1::Sha1;

use super::{Sandbox, SandboxError, clock::beijing, handlers, random, seal};

impl Sandbox {
    /// A notification as the platform would send it now: its headers, signed with the platform's newest public key
    /// (or as [`sign_with`](Sandbox::sign_with) has it), and its body, with `resource` encrypted under the APIv3 key.
    ///
    /// The faults that are queued spoil it as they spoil an answer, one each.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// let resource = json!({"out_trade_no": "P12345"});
    /// let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &resource)?;
    /// assert_eq!(wx.notification(&headers, body).wait()?.resource, resource);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// No random numbers, or a key that does not sign.
    pub fn notification(
        &self,
        event_type: &str,
        original_type: &str,
        resource: &Value,
    ) -> Result<(HeaderMap, Vec<u8>), SandboxError> {
        let identity = self.identity();
        let failed = |_| SandboxError::Generate { what: "a notification" };
        let mut sealed = handlers::encrypt(identity, original_type, &resource.to_string()).map_err(failed)?;
        sealed["original_type"] = json!(original_type);
        let now = self.server.platform.clock.now();
        let body = json!({
            "id": random::digits(32).map_err(failed)?,
            "create_time": beijing(now),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": event_type,
            "resource": sealed,
        });
        let body = body.to_string().into_bytes();
        let faults = self.server.platform.faults().take();
        let headers = seal::notification(&self.server.platform, &body, &faults)
            .ok_or(SandboxError::Generate { what: "a notification" })?;
        let body = if faults.contains(&super::Fault::WrongBody) { [&body[..], b" "].concat() } else { body };
        Ok((headers, body))
    }

    /// What was encrypted for the platform, under the key with this serial; `None` if it does not open.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let sealed = wx.encrypt("张三")?;
    /// assert_eq!(sandbox.decrypt(sandbox.platform_public_key_id(), &sealed).as_deref(), Some("张三"));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn decrypt(&self, serial: &str, ciphertext: &str) -> Option<String> {
        let key = self.server.platform.keyring().find(serial)?;
        let der = pem::parse(&key.key().pem).ok()?;
        let key =
            OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(der.contents()).ok()?).ok()?;
        let mut plain = vec![0; key.min_output_size()];
        let ciphertext = STANDARD.decode(ciphertext).ok()?;
        let plain = key.decrypt(&OAEP_SHA1_MGF1SHA1, &ciphertext, &mut plain, None).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }

    /// A field of an answer, encrypted for the merchant as the platform does, in base64.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// assert_eq!(wx.decrypt(&sandbox.encrypt("张三")?)?, "张三");
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A text that is too long for the key, or no random numbers.
    pub fn encrypt(&self, text: &str) -> Result<String, SandboxError> {
        let failed = || SandboxError::Generate { what: "an encrypted field" };
        let key = &self.identity().merchant.verifier;
        let sealed = key.encrypt(&mut OsRng, Oaep::new::<Sha1>(), text.as_bytes()).map_err(|_| failed())?;
        Ok(STANDARD.encode(sealed))
    }
}
