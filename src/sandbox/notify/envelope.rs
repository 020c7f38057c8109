//! Notifications: encrypted under the APIv3 key and signed by the platform; and the fields that RSA keeps secret.

use aws_lc_rs::{
    error::Unspecified,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::HeaderMap;
use rsa::{Oaep, rand_core::OsRng};
use serde_json::{Value, json};
use sha1::Sha1;

use super::{
    Fault, Sandbox, SandboxError, SentNotification, clock::beijing, delivery::Event, handlers,
    platform::Platform, random, seal,
};

pub(super) fn id() -> Result<String, Unspecified> {
    random::digits(32)
}

/// The body of a notification, its resource encrypted under the APIv3 key.
pub(super) fn envelope(platform: &Platform, id: &str, event: &Event) -> Result<Vec<u8>, Unspecified> {
    let original_type = &event.original_type;
    let mut sealed = handlers::encrypt(&platform.identity, original_type, &event.resource.to_string())?;
    sealed["original_type"] = json!(original_type);
    let body = json!({
        "id": id,
        "create_time": beijing(platform.clock.now()),
        "resource_type": "encrypt-resource",
        "event_type": event.event_type,
        "summary": event.summary,
        "resource": sealed,
    });
    Ok(body.to_string().into_bytes())
}

/// The body as it goes out, after signing.
pub(super) fn body(signed: Bytes, faults: &[Fault]) -> Bytes {
    if faults.contains(&Fault::WrongBody) { [&signed[..], b" "].concat().into() } else { signed }
}

fn event(notify_url: &str, event_type: &str, original_type: &str, resource: &Value) -> Event {
    Event {
        notify_url: notify_url.into(),
        event_type: event_type.into(),
        original_type: original_type.into(),
        summary: event_type.into(),
        resource: resource.clone(),
    }
}

impl Sandbox {
    /// A notification as the platform would send it now: its headers, signed with the platform's newest public key
    /// (or as [`sign_with`](Sandbox::sign_with) has it), and its body, with `resource` encrypted under the APIv3 key.
    ///
    /// The faults that are queued spoil it as they spoil an answer, one each, and so do the rules for
    /// notifications. Those of the line (a delay, a cut) have nothing to cut here: they belong to
    /// [`notify`](Sandbox::notify).
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
        let platform = &self.server.platform;
        let failed = |_| SandboxError::Generate { what: "a notification" };
        let event = event("", event_type, original_type, resource);
        let body = envelope(platform, &id().map_err(failed)?, &event).map_err(failed)?;
        let faults = platform.faults().of_notification("/", true);
        let headers = seal::notification(platform, &body, &faults)
            .ok_or(SandboxError::Generate { what: "a notification" })?;
        Ok((headers, self::body(body.into(), &faults).into()))
    }

    /// Sends a notification to this URL, in the background, as the platform does: at once, and again after 15 s,
    /// 15 s, 30 s, 3 min, 10 min, 20 min, 30 min three times, 60 min, 3 h three times and 6 h twice (all divided by
    /// the builder's [`time_scale`](super::SandboxBuilder::time_scale)), until the answer is 200 or 204 and came
    /// within 5 s. Gives back the id; [`notifications`](Sandbox::notifications) tells what has become of it.
    ///
    /// It goes to this machine only, and to hosts of the builder's
    /// [`notify_host`](super::SandboxBuilder::notify_host). Its first attempt meets the next queued fault, and
    /// those of the rules for notifications.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::{Delivery, Sandbox};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start()?;
    /// let id = sandbox.notify("http://192.0.2.1/notify", "REFUND.SUCCESS", "refund", &json!({"refund_id": "50"}));
    /// while !sandbox.notifications()[0].is_done() {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(sandbox.notifications()[0].id, id);
    /// assert!(matches!(sandbox.notifications()[0].delivery, Delivery::Refused(_)));
    /// # Ok(()) }
    /// ```
    pub fn notify(
        &self,
        notify_url: &str,
        event_type: &str,
        original_type: &str,
        resource: &Value,
    ) -> String {
        self.server.platform.notify(event(notify_url, event_type, original_type, resource), true)
    }

    /// The notifications that were sent or refused, newest last: the last 10,000.
    pub fn notifications(&self) -> Vec<SentNotification> {
        self.server.platform.deliveries.sent.list()
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
