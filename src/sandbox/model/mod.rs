//! The platform's behaviour: the engine, the products that it runs, bills, scripted responses, the payer's actions.

pub(crate) mod bills;
pub(crate) mod documented;
pub(crate) mod documented_event;
pub(crate) mod engine;
pub(crate) mod passing_time;
pub(crate) mod payer_actions;
pub(crate) mod products;
pub(crate) mod resource_list;
pub(crate) mod scripts;
pub(crate) mod shape;
#[cfg(test)]
pub(crate) mod tests;

use engine::schema::Endpoint;

/// All modelled endpoints.
pub(crate) fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    products::endpoints().chain(bills::ENDPOINTS)
}
