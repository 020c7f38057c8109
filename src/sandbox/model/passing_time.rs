//! Advances the business time. A transfer that the user did not accept ends with it, without a request.

use serde_json::Value;

use super::{
    engine::Engine,
    products::transfers::{LAPSES_AFTER, TRANSFER, WAITING},
};
use crate::sandbox::{http::error_response::ErrorResponse, store::event::QueuedEvent};

/// As many as notifications can wait. Others end when they are loaded.
const MAX_ENDED: usize = 10_000;

/// Advances by this many seconds. Returns the events, which the caller must send.
pub(crate) fn advance(engine: &Engine, seconds: i64) -> Result<((), Vec<QueuedEvent>), ErrorResponse> {
    engine.advance(seconds)?;
    engine.execute("", &Value::Null, |session| {
        let until = session.now - LAPSES_AFTER;
        for seq in session.documents.unchanged_since(TRANSFER.name, WAITING, until, MAX_ENDED)? {
            if let Some(mut transfer) = session.documents.by_seq(seq)? {
                (TRANSFER.on_load)(session, &mut transfer)?;
            }
        }
        Ok(())
    })
}
