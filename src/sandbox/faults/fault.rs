use std::{fmt, str::FromStr, time::Duration};

use super::{Rotation, SandboxError, answer::Ready, platform::Platform, refusal::Refusal};

/// Something that goes wrong with an answer or a notification, on purpose.
///
/// The faults of a signature leave an answer alone that is not signed anyway (a statement download, a gateway's
/// page), and so does [`CutBody`](Fault::CutBody) an answer without a body: it then cuts the connection.
///
/// A fault of the signature never takes the place of a notification: the spoiled one goes ahead, whatever the
/// receiver answers does not count, and the true one follows. What has no meaning for a notification (an HTML
/// page, 429, 500, a change of keys or clock) is ignored there, and [`Duplicate`](Fault::Duplicate) is ignored for an answer.
///
/// As text ([`FromStr`], [`Display`](fmt::Display)) a fault is its name in kebab case, with its value behind `=`
/// where it has one: `bad-signature`, `missing-header=Wechatpay-Nonce`, `delay=250` (milliseconds),
/// `rate-limited`, `rate-limited=3` (seconds), `rotate-certificate`, `clock-skew=-301` (seconds).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A well-formed signature, by the right key, over another message.
    BadSignature,
    /// A right signature under a `Wechatpay-Serial` that no key has.
    UnknownSerial,
    /// An answer without this header (any letter case).
    MissingHeader(String),
    /// A right signature over a `Wechatpay-Timestamp` 301 seconds ago, the youngest one to be refused.
    OldTimestamp,
    /// A signature that begins `WECHATPAY/SIGNTEST/`.
    SignatureProbe,
    /// A space is added to the body after signing: a JSON reader sees no difference, a verifier must. An empty
    /// body becomes `{}`, and its 204 a 200.
    WrongBody,
    /// 502 with an unsigned `text/html` page, as a gateway in between sends it.
    HtmlBadGateway,
    /// The connection is closed without an answer, once the request has been read and executed. A notification's
    /// receiver has its answer lost on the way: the same notification comes again.
    CutConnection,
    /// The connection is closed in the middle of the body that `Content-Length` promises.
    CutBody,
    /// The answer, or the notification, comes this much later.
    Delay(Duration),
    /// 429 `FREQUENCY_LIMITED`; the request is checked and not executed.
    RateLimited {
        /// The seconds in a `Retry-After` header; no such header when `None`.
        retry_after: Option<u32>,
    },
    /// 500 `SYSTEM_ERROR` after the request has been executed: what it changed stays changed. A request that is
    /// refused anyway is refused as ever.
    SystemErrorAfterExecuting,
    /// Before this request is answered, the platform changes over to a new certificate: see
    /// [`Sandbox::rotate`](super::Sandbox::rotate). It stays so.
    RotateCertificate,
    /// Before this request is answered, the platform changes over to a new public key. It stays so.
    RotatePublicKey,
    /// From this request on, the platform's clock is this many seconds ahead of the machine's (behind, when negative).
    ClockSkew(i64),
    /// A notification that was accepted is sent once more, with the same id, as the platform does at times.
    Duplicate,
}

impl Fault {
    /// Whether it makes a notification one that no receiver may accept.
    pub(super) fn spoils(&self) -> bool {
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

    pub(super) fn is_for_notifications(&self) -> bool {
        let line = matches!(self, Fault::CutConnection | Fault::CutBody | Fault::Delay(_) | Fault::Duplicate);
        line || self.spoils()
    }
}

/// What changes for good, before the request is looked at.
pub(super) fn change(platform: &Platform, faults: &[Fault]) {
    for fault in faults {
        let rotation = match fault {
            Fault::RotateCertificate => Rotation::Certificate,
            Fault::RotatePublicKey => Rotation::PublicKey,
            Fault::ClockSkew(seconds) => {
                platform.clock.set_skew(*seconds);
                continue;
            }
            _ => continue,
        };
        if let Err(error) = platform.rotate(rotation) {
            tracing::error!(%error, "the sandbox's keys cannot change");
        }
    }
}

/// The answer of a platform that does not get to execute the request.
pub(super) fn before(faults: &[Fault]) -> Option<Ready> {
    let retry_after = faults.iter().find_map(|fault| match fault {
        Fault::RateLimited { retry_after } => Some(retry_after),
        _ => None,
    })?;
    let answer = Refusal::new(429, "FREQUENCY_LIMITED", "频率超限").answer();
    let answer = match retry_after {
        Some(seconds) => answer.header("Retry-After", seconds.to_string()),
        None => answer,
    };
    answer.ready().ok()
}

/// The answer of a platform that executed the request and then failed.
pub(super) fn after(faults: &[Fault]) -> Option<Ready> {
    let failed = faults.contains(&Fault::SystemErrorAfterExecuting);
    failed.then(|| Refusal::new(500, "SYSTEM_ERROR", "系统错误").answer().ready().ok())?
}

/// The faults without a value, by their names.
const PLAIN: [(&str, Fault); 12] = [
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
            plain => f.write_str(PLAIN.iter().find(|(_, fault)| fault == plain).map_or("", |(name, _)| name)),
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
            (name, value) => match (PLAIN.iter().find(|(known, _)| *known == name), value) {
                (Some((_, fault)), None) => fault.clone(),
                (Some(_), Some(_)) => return Err(bad(format!("{name} takes no value"))),
                (None, _) => return Err(bad(format!("there is no such fault; there are {}", names()))),
            },
        };
        Ok(fault)
    }
}

/// The names of all faults; those of the second part take a value.
pub(super) fn all_names() -> impl Iterator<Item = &'static str> {
    let plain = PLAIN.iter().map(|(name, _)| *name);
    plain.chain(["rate-limited", "delay", "missing-header", "clock-skew"])
}

fn names() -> String {
    let plain: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).collect();
    let plain = plain.join(", ");
    format!("{plain}, missing-header=NAME, delay=MILLISECONDS, clock-skew=SECONDS and rate-limited[=SECONDS]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        let others = [
            Fault::MissingHeader("Wechatpay-Nonce".into()),
            Fault::Delay(Duration::from_millis(250)),
            Fault::ClockSkew(-301),
            Fault::RateLimited { retry_after: None },
            Fault::RateLimited { retry_after: Some(3) },
        ];
        for fault in PLAIN.iter().map(|(_, fault)| fault).chain(&others) {
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
