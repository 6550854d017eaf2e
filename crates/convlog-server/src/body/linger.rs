//! What a refused request still sends is read, within bounds, before its answer goes out.
//!
//! A connection that is closed with unread bytes on the way may cost the client the answer, or
//! its next request on the same connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

/// Most bytes that are read for nothing.
const BYTES_MAX: usize = 256 << 10;
/// Longest time that they are waited for.
const TIME_MAX: Duration = Duration::from_secs(2);

type Slot = Arc<Mutex<Option<BodyDataStream>>>;

/// A body that comes back when whoever reads it stops early.
#[derive(Debug)]
struct Lent {
    inner: Option<BodyDataStream>,
    slot: Slot,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let polled = inner.poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.inner = None;
        }
        polled
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = self.inner.take();
    }
}

/// Holds what is left of a body that was lent.
#[derive(Debug)]
pub(crate) struct Rest(Slot);

/// A body to hand on, and what will be left of it.
pub(crate) fn lend(body: Body) -> (Body, Rest) {
    let slot = Slot::default();
    let lent = Lent {
        inner: Some(body.into_data_stream()),
        slot: Arc::clone(&slot),
    };
    (Body::from_stream(lent), Rest(slot))
}

impl Rest {
    /// Reads on to the end. False when it is too long or too slow: then the connection must not
    /// be used again.
    pub(crate) async fn drain(self) -> bool {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut left) = left else {
            return true;
        };
        let read = async {
            let mut n_bytes = 0;
            while let Some(chunk) = left.next().await {
                let Ok(chunk) = chunk else { return false };
                n_bytes += chunk.len();
                if n_bytes > BYTES_MAX {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(TIME_MAX, read).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunks: &'static [usize]) -> Body {
        let chunks = chunks
            .iter()
            .map(|len| Ok::<_, axum::Error>(Bytes::from(vec![0; *len])));
        Body::from_stream(futures::stream::iter(chunks))
    }

    #[tokio::test]
    async fn what_nobody_read_is_read_to_the_end() {
        let (lent, rest) = lend(body(&[10, 10]));
        drop(lent);
        assert!(rest.drain().await);
        let (lent, rest) = lend(body(&[10, 10]));
        let read: Vec<_> = lent.into_data_stream().collect().await;
        assert_eq!(read.len(), 2);
        assert!(rest.drain().await);
    }

    #[tokio::test]
    async fn too_much_is_not_read() {
        let (lent, rest) = lend(body(&[BYTES_MAX, 1]));
        drop(lent);
        assert!(!rest.drain().await);
    }
}
