//! Keys: the identity of the merchant and the platform, the keys folder, the platform's current keys, encryption.

pub(crate) mod cipher;
pub(crate) mod folder;
pub(crate) mod identity;
pub(crate) mod key_pair;
pub(crate) mod keyring;
pub(crate) mod mode;
pub(crate) mod random;
pub(crate) mod saved_keys;
pub(crate) mod variables;
