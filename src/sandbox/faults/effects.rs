//! The effects of faults on the execution of a request. `auth/sign.rs` applies the faults of the response's signature,
//! `server/` those of the connection.

use super::fault::Fault;
use crate::sandbox::{
    http::{clock::SkewedClock, error_response::ErrorResponse, response::ReadyResponse},
    keys::keyring::{Keyring, Rotation},
};

/// Makes the permanent changes, before the request is handled.
pub(crate) fn apply_permanent(faults: &[Fault], keyring: &Keyring, clock: &SkewedClock) {
    for fault in faults {
        let rotation = match fault {
            Fault::RotateCertificate => Rotation::Certificate,
            Fault::RotatePublicKey => Rotation::PublicKey,
            Fault::ClockSkew(seconds) => {
                clock.set_skew(*seconds);
                continue;
            }
            _ => continue,
        };
        if let Err(error) = keyring.rotate(rotation) {
            tracing::error!(%error, "the sandbox cannot rotate its keys");
        }
    }
}

/// The response that replaces the execution.
pub(crate) fn instead_of_execution(faults: &[Fault]) -> Option<ReadyResponse> {
    let retry_after = faults.iter().find_map(|fault| match fault {
        Fault::RateLimited { retry_after } => Some(retry_after),
        _ => None,
    })?;
    let response = ErrorResponse::new(429, "FREQUENCY_LIMITED", "频率超限").to_response();
    let response = match retry_after {
        Some(seconds) => response.header("Retry-After", seconds.to_string()),
        None => response,
    };
    response.build().ok()
}

/// The response that replaces the real one after the execution.
pub(crate) fn after_execution(faults: &[Fault]) -> Option<ReadyResponse> {
    let failed = faults.contains(&Fault::SystemErrorAfterExecuting);
    failed.then(|| ErrorResponse::new(500, "SYSTEM_ERROR", "系统错误").to_response().build().ok())?
}

/// Whether the faults replace, damage or cut the response. `signed`: whether it has a signature to damage.
pub(crate) fn disturb(faults: &[Fault], signed: bool) -> bool {
    faults.iter().any(|fault| match fault {
        Fault::BadSignature
        | Fault::UnknownSerial
        | Fault::OldTimestamp
        | Fault::SignatureProbe
        | Fault::WrongBody => signed,
        Fault::MissingHeader(_)
        | Fault::HtmlBadGateway
        | Fault::CutConnection
        | Fault::CutBody
        | Fault::RateLimited { .. }
        | Fault::SystemErrorAfterExecuting => true,
        Fault::Delay(_)
        | Fault::RotateCertificate
        | Fault::RotatePublicKey
        | Fault::ClockSkew(_)
        | Fault::Duplicate => false,
    })
}
