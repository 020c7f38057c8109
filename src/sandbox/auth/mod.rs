//! Authentication, in both directions: verifying requests, signing responses, and the diagnosis of a wrong signature.

pub(crate) mod authorization;
pub(crate) mod diagnosis;
pub(crate) mod nonces;
pub(crate) mod sign;
pub(crate) mod unsigned_paths;
pub(crate) mod verify;
