//! Keys and what is done with them. Raw key bytes stay in this folder.

pub(crate) mod aes;
pub(crate) mod digest;
pub(crate) mod keys;
pub(crate) mod rsa;
