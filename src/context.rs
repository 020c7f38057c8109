//! `Context`: what all handles of one client share, of both protocols.

use std::sync::Arc;

#[cfg(feature = "v2")]
use crate::v2;
use crate::v3;

/// What all handles of one client share. The protocols stand beside each other; neither knows the other's part.
pub(crate) struct Context {
    pub(crate) v3: Arc<v3::Context>,
    #[cfg(feature = "v2")]
    pub(crate) v2: v2::Merchant,
}
