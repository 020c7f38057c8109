//! The control endpoint of a sandbox, which may run in another process.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::Url;

use crate::exit;
use crate::failure::{Failure, usage_error};
use crate::text::{Excerpt, Message, io_text, without_number};

/// For one request; the sandbox responds at once.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks at the list of notifications.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// The newest notifications among which this one is.
const NEWEST: usize = 100;

pub(super) struct Control {
    url: Url,
    client: reqwest::Client,
    runtime: Runtime,
}

impl Control {
    pub(super) fn new(base: &str) -> Result<Control, Failure> {
        let url = Url::parse(base).and_then(|base| base.join("/_sandbox/notifications"));
        let url = url.map_err(|e| usage_error(format!("{} is not a base URL: {e}", Excerpt(base))))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| usage_error(format!("cannot start a runtime: {}", io_text(&e))))?;
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .no_proxy()
            .http1_only();
        // Plain http needs no root certificates, which a slim container may lack.
        let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
        let client = builder
            .build()
            .map_err(|e| usage_error(format!("no HTTP client: {}", Message(&e.to_string()))))?;
        Ok(Control { url, client, runtime })
    }

    /// Asks for a notification; returns its id.
    pub(super) fn send(&self, notification: &Value) -> Result<String, Failure> {
        let request = self.client.post(self.url.clone()).body(notification.to_string());
        let answer = self.answer(request)?;
        answer["id"].as_str().map(str::to_owned).ok_or_else(|| self.is_no_sandbox())
    }

    /// The notification, once it is done, has been attempted so often, or the time is over.
    pub(super) fn outcome(
        &self,
        id: &str,
        attempts: usize,
        timeout: Option<Duration>,
    ) -> Result<Value, Failure> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let mut url = self.url.clone();
            url.set_query(Some(&format!("limit={NEWEST}")));
            let mut list = self.answer(self.client.get(url))?;
            let found = list["notifications"]
                .as_array_mut()
                .and_then(|all| all.iter_mut().find(|one| one["id"] == id));
            let Some(sent) = found else {
                return Err(usage_error(
                    "the sandbox no longer has the notification: it sends too many others",
                ));
            };
            let made = sent["attempts"].as_array().into_iter().flatten();
            // A copy with a wrong signature, for a test, is no attempt.
            let made = made.filter(|attempt| attempt["counts"] != json!(false)).count();
            if sent["state"] != "PENDING"
                || made >= attempts
                || timeout.is_some_and(|timeout| begun.elapsed() >= timeout)
            {
                return Ok(sent.take());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let received = self.runtime.block_on(async {
            let response = request.send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.bytes().await?))
        });
        let (status, body) = received.map_err(|e| {
            let message = format!("no sandbox responds at {}: {}", self.url.origin().ascii_serialization(), reason(&e));
            Failure::Coded { code: exit::TRANSPORT, message }
                .with_hint("start one with `wxpay sandbox`, or use --sandbox or --keys DIR, which start one for this command")
        })?;
        let json: Value = serde_json::from_slice(&body).map_err(|_| self.is_no_sandbox())?;
        match (status.is_success(), json["message"].as_str()) {
            (true, _) => Ok(json),
            (false, Some(message)) => Err(usage_error(message)),
            (false, None) => Err(self.is_no_sandbox()),
        }
    }

    fn is_no_sandbox(&self) -> Failure {
        usage_error(format!("{} is not a sandbox of this version", self.url.origin().ascii_serialization()))
    }
}

fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    without_number(&cause.to_string()).to_owned()
}
