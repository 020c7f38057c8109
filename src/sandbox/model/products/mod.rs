//! The products that the sandbox models, as data for the engine: endpoints, resource types and transitions. A file or
//! folder is a product; `rules.rs` holds its rules that are not data.

pub(crate) mod combined;
pub(crate) mod media;
pub(crate) mod orders;
pub(crate) mod payscore;
pub(crate) mod profit_sharing;
pub(crate) mod refunds;
pub(crate) mod system;
pub(crate) mod transfers;

use crate::sandbox::model::engine::schema::{Endpoint, ResourceType};

/// The simulated user, unless a request names one.
pub(crate) const DEFAULT_OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

pub(crate) fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    let products: [&'static [Endpoint]; 10] = [
        system::ENDPOINTS,
        orders::ENDPOINTS,
        orders::code::ENDPOINTS,
        combined::ENDPOINTS,
        refunds::ENDPOINTS,
        payscore::ENDPOINTS,
        payscore::permissions::ENDPOINTS,
        transfers::ENDPOINTS,
        profit_sharing::ENDPOINTS,
        media::ENDPOINTS,
    ];
    products.into_iter().flatten()
}

pub(crate) fn resource_types() -> [&'static ResourceType; 10] {
    [
        &orders::ORDER,
        &orders::code::REVERSAL,
        &combined::COMBINED,
        &refunds::REFUND,
        &payscore::SERVICE_ORDER,
        &payscore::permissions::PERMISSION,
        &transfers::TRANSFER,
        &profit_sharing::RECEIVER,
        &profit_sharing::PROFIT_SHARE,
        &profit_sharing::SHARE_RETURN,
    ]
}
