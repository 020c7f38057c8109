//! What has no state.

use super::{Act::Plain, GET, Need, POST, Row};
use crate::sandbox::handlers;

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/security/echo",
        partner: None,
        needs: &[Need::Text("/echo_message", usize::MAX)],
        act: Plain(handlers::echo),
    },
    Row {
        method: GET,
        template: "v3/certificates",
        partner: None,
        needs: &[],
        act: Plain(handlers::certificates),
    },
];
