//! The effects of faults on the execution of a request. `auth/sign.rs` applies the faults of the response's signature,
//! `server/` those of the connection.

use super::{drawn::Drawn, fault::Fault};
use crate::sandbox::{
    http::{clock::SkewedClock, error_response::ErrorResponse, response::ReadyResponse},
    keys::keyring::{Keyring, Rotation},
};

/// Makes the permanent changes, before the request is handled.
pub(crate) fn apply_permanent(drawn: &mut Drawn, keyring: &Keyring, clock: &SkewedClock) {
    drawn.apply(|fault| {
        let rotation = match fault {
            Fault::RotateCertificate => Rotation::Certificate,
            Fault::RotatePublicKey => Rotation::PublicKey,
            Fault::ClockSkew(seconds) => {
                clock.set_skew(*seconds);
                return true;
            }
            _ => return false,
        };
        let rotated = keyring.rotate(rotation);
        if let Err(error) = &rotated {
            tracing::error!(%error, "the sandbox cannot rotate its keys");
        }
        rotated.is_ok()
    });
}

/// The response that replaces the execution.
pub(crate) fn instead_of_execution(drawn: &mut Drawn) -> Option<ReadyResponse> {
    let retry_after = drawn.faults().into_iter().find_map(|fault| match fault {
        Fault::RateLimited { retry_after } => Some(retry_after),
        _ => None,
    })?;
    drawn.apply(|fault| *fault == Fault::RateLimited { retry_after });
    let response = ErrorResponse::new(429, "FREQUENCY_LIMITED", "频率超限").to_response();
    let response = match retry_after {
        Some(seconds) => response.header("Retry-After", seconds.to_string()),
        None => response,
    };
    response.build().ok()
}

/// The response that replaces the real one after the execution.
pub(crate) fn after_execution(drawn: &mut Drawn) -> Option<ReadyResponse> {
    drawn.apply(|fault| *fault == Fault::SystemErrorAfterExecuting);
    let failed = drawn.applied().contains(&Fault::SystemErrorAfterExecuting);
    failed.then(|| ErrorResponse::new(500, "SYSTEM_ERROR", "系统错误").to_response().build().ok())?
}

/// Whether these faults, which applied, replace, damage or cut the response.
pub(crate) fn disturb(applied: &[Fault]) -> bool {
    let is_harmless = |fault: &Fault| {
        matches!(
            fault,
            Fault::Delay(_) | Fault::RotateCertificate | Fault::RotatePublicKey | Fault::ClockSkew(_)
        )
    };
    !applied.iter().all(is_harmless)
}
