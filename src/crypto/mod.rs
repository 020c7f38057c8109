//! Keys and cryptography. Raw key bytes stay in this folder.

pub(crate) mod aes;
pub(crate) mod digest;
#[cfg(feature = "v2")]
pub(crate) mod ecb;
mod forms;
pub(crate) mod keys;
#[cfg(feature = "p12")]
mod p12;
#[cfg(feature = "p12")]
mod pbe;
pub(crate) mod random;
pub(crate) mod rsa;
pub(crate) mod serial;
