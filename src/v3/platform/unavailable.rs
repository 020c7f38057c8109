//! Certificates that could not be had, as errors and in the text of one.

use std::borrow::Cow;
use std::time::Duration;

use super::refresh::{Failed, HeldBack};
use crate::error::{ApiError, Error, PlatformKeysError, VerifyReason};
use crate::v3::retry;

/// Who wanted the certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedBy {
    /// A call, which is not sent without them.
    Call,
    /// A notification, which is not verified without them.
    Notification,
    /// [`refresh_certificates`](crate::WeChatPay::refresh_certificates).
    Refresh,
}

impl WantedBy {
    /// The error of a download that failed. Never the cause itself: an `Api` error would look like the platform's
    /// response to the call.
    pub(crate) fn failed(self, failed: Failed) -> Error {
        let (why, permanent) = failed.why();
        self.error(&why, permanent, Some(failed.held_back), Some(failed))
    }

    /// The error of a download that did not end in time.
    pub(crate) fn late(self, allowed: Duration) -> Error {
        self.error(&format!("the download did not end within {allowed:?}, and goes on"), false, None, None)
    }

    /// The error of a download that is not made yet.
    pub(crate) fn held_back(self, held: HeldBack) -> Error {
        let last = held.failed.as_ref().map(Failed::why);
        let (failed, permanent) = match &last {
            Some((why, permanent)) => (format!(", and failed: {why}"), *permanent),
            None => (String::new(), false),
        };
        let (age, time) = (held.age, held.time());
        let what =
            format!("the last download began {age} s ago{failed}; the next one is held back for {time}");
        self.error(&what, permanent, Some(Duration::from_secs(held.left)), held.failed)
    }

    fn error(
        self,
        what: &str,
        permanent: bool,
        retry_after: Option<Duration>,
        failed: Option<Failed>,
    ) -> Error {
        let (what, unsent) = match self {
            WantedBy::Call => {
                (format!("no platform certificates, so no response could be verified: {what}"), true)
            }
            WantedBy::Notification => (
                format!("no platform certificates, so the notification could not be verified: {what}"),
                false,
            ),
            WantedBy::Refresh => (format!("the platform certificates were not downloaded: {what}"), false),
        };
        let cause = failed.and_then(|failed| failed.cause);
        Error::PlatformKeys(Box::new(PlatformKeysError { what, permanent, retry_after, unsent, cause }))
    }
}

impl Failed {
    /// Why, in our words, and whether it will be so until a setting changes.
    fn why(&self) -> (Cow<'static, str>, bool) {
        let Some(cause) = &self.cause else { return ("the download panicked".into(), false) };
        let (why, permanent) = match &**cause {
            Error::Api(api) => return why_refused(api),
            Error::Transport(e) if !e.maybe_sent() => ("the download could not be sent", false),
            Error::Transport(_) => ("the download broke", false),
            Error::Decrypt(_) => ("the APIv3 key does not decrypt them", true),
            Error::Verify(e) => match e.reason {
                VerifyReason::ClockSkew { .. } => {
                    ("the time of the download's response and the local clock differ", false)
                }
                _ => ("the download's response could not be verified", false),
            },
            Error::Key(e) if e.is_signer() => ("the signer failed, so the download was not sent", false),
            Error::Config(e) if e.field() == "runtime" => ("the download could not be sent", false),
            Error::Config(_) | Error::Key(_) => ("a setting or a certificate is not usable", true),
            _ => ("the download's response was not usable", false),
        };
        (why.into(), permanent)
    }

    /// For the error about a serial that is still unknown.
    pub(crate) fn in_words(&self) -> String {
        match &self.cause {
            // That error has no source, so the cause is told in full.
            Some(cause) => format!("newer certificates could not be downloaded: {cause}"),
            None => "newer certificates could not be downloaded: the download panicked".to_owned(),
        }
    }
}

fn why_refused(api: &ApiError) -> (Cow<'static, str>, bool) {
    let (why, permanent) = match api.code.as_str() {
        "RESOURCE_NOT_EXISTS" => {
            ("this merchant has none; configure the platform's public key instead", true)
        }
        "SIGN_ERROR" => (
            "the platform refused the signature of the download; check the merchant's serial and private key, and the \
             clock",
            true,
        ),
        code if !code.is_empty() && (400..500).contains(&api.status) && !retry::is_temporary(api) => {
            ("the platform refused the download", true)
        }
        // A busy platform, or a gateway's page, says nothing about the request.
        _ => return (format!("the download's response was the status {}", api.status).into(), false),
    };
    (why.into(), permanent)
}

impl HeldBack {
    /// For the error about a serial that is still unknown.
    pub(crate) fn in_words(&self) -> String {
        let held_back = format!("a new download of the certificates is held back for {}", self.time());
        match self.failed.as_ref().and_then(|failed| failed.cause.as_ref()) {
            Some(cause) => format!("{held_back}; the last one failed: {cause}"),
            None => held_back,
        }
    }

    fn time(&self) -> String {
        let [hours, minutes, seconds] = [self.until / 3600 % 24, self.until / 60 % 60, self.until % 60];
        format!("{} s, until {hours:02}:{minutes:02}:{seconds:02} UTC", self.left)
    }
}
