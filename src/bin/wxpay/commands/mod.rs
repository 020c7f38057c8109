//! The commands: a file or folder for each, named by what is typed, with its arguments and the function that runs it.

pub(crate) mod batch;
pub(crate) mod bill;
pub(crate) mod call;
pub(crate) mod certs;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod decrypt;
pub(crate) mod doctor;
pub(crate) mod endpoints;
pub(crate) mod help;
pub(crate) mod man;
pub(crate) mod sandbox;
pub(crate) mod sign;
pub(crate) mod trigger;
pub(crate) mod upload;
pub(crate) mod verify;
