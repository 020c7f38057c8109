//! One folder or file for each command.

pub(crate) mod batch;
pub(crate) mod bill;
pub(crate) mod call;
pub(crate) mod certs;
pub(crate) mod doctor;
pub(crate) mod man;
pub(crate) mod saved_message;
pub(crate) mod upload;

pub(crate) mod sandbox {
    pub(crate) mod server;
}
