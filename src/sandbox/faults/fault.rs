//! The faults, and their names as text.

use std::{fmt, str::FromStr, time::Duration};

use crate::sandbox::http::sandbox_error::SandboxError;

/// A deliberate fault of a response or a notification.
///
/// The faults of a signature do not affect a response that is unsigned anyway (a bill download, a gateway page).
/// [`CutBody`](Fault::CutBody) closes the connection if the response has no body.
///
/// A signature fault never replaces a notification: the faulty copy is sent first and not counted as an attempt, then
/// the real one follows. Some faults make no sense for a notification (an HTML page, 429, 500, a change of keys or
/// clock), and [`Duplicate`](Fault::Duplicate) makes none for a response: such a rule is refused, and a queued fault
/// waits for what it can apply to.
///
/// A fault counts when it applies, not earlier: a signature fault waits for a response that has a signature, for example.
///
/// As text ([`FromStr`], [`Display`](fmt::Display)), a fault is its name in kebab case, followed by `=` and its value
/// if it has one: `bad-signature`, `missing-header=Wechatpay-Nonce`, `delay=250` (milliseconds),
/// `rate-limited`, `rate-limited=3` (seconds), `rotate-certificate`, `clock-skew=-301` (seconds).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A well-formed signature with the right key over a different message.
    BadSignature,
    /// A correct signature with an unknown `Wechatpay-Serial`.
    UnknownSerial,
    /// A response without this header (in any letter case).
    MissingHeader(String),
    /// A correct signature with a `Wechatpay-Timestamp` of 301 seconds ago: the most recent one that must be rejected.
    OldTimestamp,
    /// A signature that starts with `WECHATPAY/SIGNTEST/`.
    SignatureProbe,
    /// A space is appended to the body after signing: the JSON stays the same, but the signature no longer matches. An
    /// empty body becomes `{}`, and a 204 becomes a 200.
    WrongBody,
    /// 502 with an unsigned `text/html` page, as an intermediate gateway sends it.
    HtmlBadGateway,
    /// The connection is closed without a response, after the request was executed. For a notification, the
    /// receiver's response is lost, so the same notification is sent again.
    CutConnection,
    /// The connection is closed in the middle of the body.
    CutBody,
    /// The response or the notification is delayed.
    Delay(Duration),
    /// 429 `FREQUENCY_LIMITED`. The request is verified but not executed.
    RateLimited {
        /// The seconds of the `Retry-After` header; `None` omits the header.
        retry_after: Option<u32>,
    },
    /// 500 `SYSTEM_ERROR` after the request was executed: its changes remain. A request that fails anyway gets its own
    /// error.
    SystemErrorAfterExecuting,
    /// Before this request is handled, the platform permanently switches to a new certificate: see
    /// [`Sandbox::rotate`](crate::sandbox::Sandbox::rotate).
    RotateCertificate,
    /// Before this request is handled, the platform permanently switches to a new public key.
    RotatePublicKey,
    /// From this request on, the platform's clock is this many seconds ahead of the machine's (negative: behind).
    ClockSkew(i64),
    /// An accepted notification is sent once more with the same id, as the platform does at times.
    Duplicate,
}

impl Fault {
    /// The names of all faults in text form. One that needs a value ends in `=`.
    ///
    /// ```
    /// use wechatpay_chain::sandbox::Fault;
    ///
    /// assert!(Fault::names().any(|name| name == "cut-connection"));
    /// assert!(Fault::names().any(|name| name == "delay="));
    /// ```
    pub fn names() -> impl Iterator<Item = &'static str> {
        let plain = WITHOUT_VALUE.iter().map(|(name, _)| *name);
        plain.chain(["rate-limited", "delay=", "missing-header=", "clock-skew="])
    }

    /// Whether the receiver must reject a notification with this fault.
    pub(crate) fn breaks_signature(&self) -> bool {
        matches!(
            self,
            Fault::BadSignature
                | Fault::UnknownSerial
                | Fault::MissingHeader(_)
                | Fault::OldTimestamp
                | Fault::SignatureProbe
                | Fault::WrongBody
        )
    }

    /// Whether it damages, replaces, delays or cuts a response that is made already.
    pub(crate) fn is_of_the_response(&self) -> bool {
        let transport = matches!(self, Fault::CutConnection | Fault::CutBody | Fault::Delay(_));
        transport || self.breaks_signature() || *self == Fault::HtmlBadGateway
    }

    pub(crate) fn is_for_requests(&self) -> bool {
        *self != Fault::Duplicate
    }

    pub(crate) fn is_for_notifications(&self) -> bool {
        let transport =
            matches!(self, Fault::CutConnection | Fault::CutBody | Fault::Delay(_) | Fault::Duplicate);
        transport || self.breaks_signature()
    }
}

/// The faults without a value.
const WITHOUT_VALUE: [(&str, Fault); 12] = [
    ("bad-signature", Fault::BadSignature),
    ("unknown-serial", Fault::UnknownSerial),
    ("old-timestamp", Fault::OldTimestamp),
    ("signature-probe", Fault::SignatureProbe),
    ("wrong-body", Fault::WrongBody),
    ("html-bad-gateway", Fault::HtmlBadGateway),
    ("cut-connection", Fault::CutConnection),
    ("cut-body", Fault::CutBody),
    ("system-error-after-executing", Fault::SystemErrorAfterExecuting),
    ("rotate-certificate", Fault::RotateCertificate),
    ("rotate-public-key", Fault::RotatePublicKey),
    ("duplicate", Fault::Duplicate),
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::MissingHeader(name) => write!(f, "missing-header={name}"),
            Fault::Delay(time) => write!(f, "delay={}", time.as_millis()),
            Fault::ClockSkew(seconds) => write!(f, "clock-skew={seconds}"),
            Fault::RateLimited { retry_after: None } => f.write_str("rate-limited"),
            Fault::RateLimited { retry_after: Some(seconds) } => write!(f, "rate-limited={seconds}"),
            plain => f.write_str(
                WITHOUT_VALUE.iter().find(|(_, fault)| fault == plain).map_or("", |(name, _)| name),
            ),
        }
    }
}

impl FromStr for Fault {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Fault, SandboxError> {
        let bad = |problem: String| SandboxError::Fault { rule: text.into(), problem };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let fault = match (name, value) {
            ("missing-header", Some(header)) if http::HeaderName::try_from(header).is_ok() => {
                Fault::MissingHeader(header.into())
            }
            ("missing-header", _) => return Err(bad("expected missing-header=NAME".into())),
            ("delay", value) => value
                .and_then(|text| text.parse().ok())
                .map(|milliseconds| Fault::Delay(Duration::from_millis(milliseconds)))
                .ok_or_else(|| bad("expected delay=MILLISECONDS".into()))?,
            ("clock-skew", value) => value
                .and_then(|text| text.parse().ok())
                .map(Fault::ClockSkew)
                .ok_or_else(|| bad("expected clock-skew=SECONDS".into()))?,
            ("rate-limited", None) => Fault::RateLimited { retry_after: None },
            ("rate-limited", Some(text)) => text
                .parse()
                .map(|seconds| Fault::RateLimited { retry_after: Some(seconds) })
                .map_err(|_| bad("expected rate-limited=SECONDS".into()))?,
            (name, value) => match (WITHOUT_VALUE.iter().find(|(known, _)| *known == name), value) {
                (Some((_, fault)), None) => fault.clone(),
                (Some(_), Some(_)) => return Err(bad(format!("{name} takes no value"))),
                (None, _) => return Err(bad(format!("no such fault; the faults are {}", names()))),
            },
        };
        Ok(fault)
    }
}

fn names() -> String {
    let plain: Vec<&str> = WITHOUT_VALUE.iter().map(|(name, _)| *name).collect();
    let plain = plain.join(", ");
    format!("{plain}, missing-header=NAME, delay=MILLISECONDS, clock-skew=SECONDS and rate-limited[=SECONDS]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_text_form() {
        let others = [
            Fault::MissingHeader("Wechatpay-Nonce".into()),
            Fault::Delay(Duration::from_millis(250)),
            Fault::ClockSkew(-301),
            Fault::RateLimited { retry_after: None },
            Fault::RateLimited { retry_after: Some(3) },
        ];
        for fault in WITHOUT_VALUE.iter().map(|(_, fault)| fault).chain(&others) {
            assert_eq!(&fault.to_string().parse::<Fault>().unwrap(), fault);
        }
        for text in [
            "",
            "bad_signature",
            "bad-signature=1",
            "delay",
            "delay=x",
            "missing-header=a b",
            "rate-limited=-1",
            "clock-skew",
            "clock-skew=soon",
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
