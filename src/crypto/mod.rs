//! Keys and what is done with them. Raw key bytes stay in this folder.

pub(crate) mod aes;
pub(crate) mod digest;
mod forms;
pub(crate) mod keys;
mod p12;
mod pbe;
pub(crate) mod random;
pub(crate) mod rsa;
