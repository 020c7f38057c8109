//! The public API: [`Sandbox`](sandbox::Sandbox) and its builder.

pub(crate) mod builder;
mod expect;
mod exports;
mod keys;
mod notifications;
mod payer;
pub(crate) mod sandbox;
pub(crate) mod snippets;
mod start;
#[cfg(test)]
mod tests;
