//! APIv3's rules: sign, verify, platform keys and certificates, attempts.

pub(crate) mod certificates;
pub(crate) mod exchange;
pub(crate) mod platform;
pub(crate) mod retry;
pub(crate) mod sign;
pub(crate) mod verify;
