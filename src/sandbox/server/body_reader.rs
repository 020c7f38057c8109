//! Reads the body of a request within the limits of one request and of all that are read at the same time.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A body that is too large is still read up to this size, so that the client finishes sending and reads the error.
const MAX_DRAINED: usize = 128 << 20;

/// What each request may have in memory without waiting.
const FREE: usize = 64 << 10;

/// The memory of all larger bodies: that of four of the largest uploads. Further ones wait in the client's socket.
const MAX_TOTAL: usize = 128 << 20;

/// Bodies are counted in this unit.
const UNIT: usize = 4 << 10;

/// Shared by all connections.
#[derive(Clone)]
pub(crate) struct BodyReader {
    memory: Arc<Semaphore>,
}

pub(crate) enum ReadError {
    TooLarge { limit: usize },
    Broken,
}

/// A body, and its share of the memory. Dropping it frees the share.
pub(crate) struct ReadBody {
    pub(crate) bytes: Bytes,
    pub(crate) share: Option<OwnedSemaphorePermit>,
}

impl BodyReader {
    pub(crate) fn new() -> BodyReader {
        BodyReader { memory: Arc::new(Semaphore::new(MAX_TOTAL / UNIT)) }
    }

    /// Reads at most `limit` bytes. Before the first byte beyond those that are free, it waits for the memory of the
    /// whole body: bodies that wait for each other in the middle would never end.
    pub(crate) async fn read(
        &self,
        mut body: Incoming,
        headers: &HeaderMap,
        limit: usize,
    ) -> Result<ReadBody, ReadError> {
        let promised =
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let (mut bytes, mut share, mut length) = (BytesMut::new(), None, 0_usize);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ReadError::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            length = length.saturating_add(data.len());
            if length > MAX_DRAINED {
                break;
            }
            if length > limit {
                (bytes, share) = (BytesMut::new(), None);
                continue;
            }
            if length > FREE && share.is_none() {
                let whole = promised.unwrap_or(limit).clamp(length, limit);
                share = self.memory(whole).await;
                // Once, since it would otherwise grow in steps, with a copy each.
                bytes.reserve(whole - bytes.len());
            }
            bytes.extend_from_slice(&data);
        }
        if length > limit {
            return Err(ReadError::TooLarge { limit });
        }
        Ok(ReadBody { bytes: bytes.freeze(), share })
    }

    async fn memory(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        Arc::clone(&self.memory).acquire_many_owned(units).await.ok()
    }
}
