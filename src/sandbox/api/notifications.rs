//! [`Sandbox`]: notifications.

use http::HeaderMap;
use serde_json::Value;

use super::sandbox::Sandbox;
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    store::{event::Event, sent_notification::SentNotification},
};

fn event(notify_url: &str, event_type: &str, original_type: &str, resource: &Value) -> Event {
    Event {
        notify_url: notify_url.into(),
        event_type: event_type.into(),
        original_type: original_type.into(),
        resource_type: None,
        summary: event_type.into(),
        resource: resource.clone(),
    }
}

impl Sandbox {
    /// Composes a notification as the platform would send it now. Returns its headers, signed with the key
    /// that signs now (see [`sign_with`](Sandbox::sign_with)), and its body, with `resource` encrypted with the APIv3 key.
    ///
    /// It takes one fault from the queue, and the rules for notifications apply. Faults of the connection (a delay, a
    /// cut) have no effect here; use [`notify`](Sandbox::notify) for them.
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
    /// There are no random numbers, or the key cannot sign.
    pub fn notification(
        &self,
        event_type: &str,
        original_type: &str,
        resource: &Value,
    ) -> Result<(HeaderMap, Vec<u8>), SandboxError> {
        let event = event("", event_type, original_type, resource);
        let composed = self.platform().outbox.compose(&event);
        let (headers, body) = composed.ok_or(SandboxError::Generate { what: "notification" })?;
        Ok((headers, body.into()))
    }

    /// Sends a notification to this URL in the background, on the platform's schedule: at once, and again after 15 s,
    /// 15 s, 30 s, 3 min, 10 min, 20 min, three times 30 min, 60 min, three times 3 h and twice 6 h (all divided by the
    /// builder's [`time_scale`](crate::sandbox::SandboxBuilder::time_scale)), until the receiver responds with 200 or
    /// 204 within 5 s. Returns the id; [`notifications`](Sandbox::notifications) shows the result.
    ///
    /// Only this machine and the hosts of [`notify_host`](crate::sandbox::SandboxBuilder::notify_host) can receive it.
    /// The first attempt takes one fault from the queue, and the rules for notifications apply.
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
        self.platform().outbox.send_explicit(event(notify_url, event_type, original_type, resource))
    }

    /// Sends a notification once more in the background, whatever became of the earlier attempts: one attempt, with the
    /// same id. The rules for notifications apply; its schedule goes on if it is still pending.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start()?;
    /// // Nothing listens there.
    /// let id = sandbox.notify("http://127.0.0.1:9/notify", "REFUND.SUCCESS", "refund", &json!({"refund_id": "50"}));
    /// sandbox.send_again(&id)?;
    /// while sandbox.notifications()[0].attempts.len() < 2 {
    ///     std::thread::yield_now();
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`notifications`](Sandbox::notifications) has none with this id, or not its content, because that is larger than
    /// 8 KiB; or too many notifications wait for their delivery (limit 10,000).
    pub fn send_again(&self, id: &str) -> Result<(), SandboxError> {
        let sent = self.platform().outbox.send_again(id);
        sent.map_err(|why| SandboxError::Notification { id: id.into(), problem: why.into() })
    }

    /// Sends the notification of any documented event to this URL, as [`notify`](Sandbox::notify) does, with a resource in
    /// its documented shape: every documented field, with values by type, format, name and documented values. Returns the
    /// id.
    ///
    /// `overrides` is an object, or null for none. Its members are merged into the resource as a JSON merge patch (RFC
    /// 7396): objects member by member, and null removes a member. A name that begins with `/` is a JSON pointer to a
    /// documented field (`/amount/total`, `/promotion_detail/0/name`).
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::sandbox::Sandbox;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let receiver = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let url = format!("http://{}/notify", receiver.local_addr()?);
    /// let sandbox = Sandbox::start()?;
    /// let id = sandbox.trigger(&url, "REFUND.CLOSED", &json!({"out_refund_no": "R1", "/amount/refund": 5}))?;
    /// assert!(sandbox.notifications().iter().any(|sent| sent.id == id && sent.event_type == "REFUND.CLOSED"));
    ///
    /// let unknown = sandbox.trigger(&url, "REFUND.CLOSE", &json!(null)).unwrap_err();
    /// assert!(unknown.to_string().contains("did you mean `REFUND.CLOSED`"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// No document has the event, or it is one of APIv2; an override is not an object, or a pointer leads to no documented
    /// field.
    pub fn trigger(&self, notify_url: &str, event: &str, overrides: &Value) -> Result<String, SandboxError> {
        let event = self.platform().documented_event(notify_url, event, overrides)?;
        Ok(self.platform().outbox.send_explicit(event))
    }

    /// Composes the notification of any documented event, as [`notification`](Sandbox::notification) does, for a receiver
    /// that is called as a function. The resource is that of [`trigger`](Sandbox::trigger).
    ///
    /// ```
    /// # use serde_json::json;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let (headers, body) = sandbox.documented_notification("COMPLAINT.CREATE", &json!({"complaint_id": "2002"}))?;
    /// let complaint = wx.notification(&headers, body).wait()?;
    /// assert_eq!(complaint.resource["complaint_id"], "2002");
    /// assert_eq!(complaint.resource["action_type"], "CREATE_COMPLAINT");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`trigger`](Sandbox::trigger) and [`notification`](Sandbox::notification).
    pub fn documented_notification(
        &self,
        event: &str,
        overrides: &Value,
    ) -> Result<(HeaderMap, Vec<u8>), SandboxError> {
        let event = self.platform().documented_event("", event, overrides)?;
        let composed = self.platform().outbox.compose(&event);
        let (headers, body) = composed.ok_or(SandboxError::Generate { what: "notification" })?;
        Ok((headers, body.into()))
    }

    /// The notifications that were sent or refused, newest last: the last 10,000. With a
    /// [state file](crate::sandbox::SandboxBuilder::state), also those of earlier runs.
    pub fn notifications(&self) -> Vec<SentNotification> {
        self.platform().outbox.log.list()
    }
}
