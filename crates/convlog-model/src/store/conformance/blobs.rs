//! What keeps blobs promises.

use std::sync::Arc;

use super::{failed, ok};
use crate::blobs::{BLOB_BYTES_MAX, BlobEntry, Blobs};
use crate::ids::RecordId;
use crate::store::ErrorKind;

type Shelf = Arc<dyn Blobs>;

fn id(number: u8) -> RecordId {
    RecordId::from_parts(1, u128::from(number))
}

pub(super) async fn a_blob_is_what_was_put(shelf: Shelf) {
    assert_eq!(ok(shelf.get(id(1)).await), None);
    let large: Vec<u8> = (0..BLOB_BYTES_MAX).map(|i| (i % 251) as u8).collect();
    for (number, bytes) in [(1, Vec::new()), (2, b"\x00\xFFvoice".to_vec()), (3, large)] {
        ok(shelf.put(id(number), bytes.clone()).await);
        assert!(ok(shelf.get(id(number)).await) == Some(bytes), "{number}");
    }
}

pub(super) async fn an_id_is_put_once(shelf: Shelf) {
    ok(shelf.put(id(1), b"one".to_vec()).await);
    let refused = shelf.put(id(1), b"two".to_vec()).await;
    assert_eq!(failed(refused).kind(), ErrorKind::Conflict);
    assert_eq!(ok(shelf.get(id(1)).await), Some(b"one".to_vec()));
}

pub(super) async fn a_removed_blob_is_gone(shelf: Shelf) {
    ok(shelf.put(id(1), b"one".to_vec()).await);
    ok(shelf.put(id(2), b"two".to_vec()).await);
    ok(shelf.remove(id(1)).await);
    ok(shelf.remove(id(1)).await);
    assert_eq!(ok(shelf.get(id(1)).await), None);
    assert_eq!(ok(shelf.get(id(2)).await), Some(b"two".to_vec()));
    ok(shelf.put(id(1), b"again".to_vec()).await);
    assert_eq!(ok(shelf.get(id(1)).await), Some(b"again".to_vec()));
}

pub(super) async fn a_list_shows_ids_and_lengths_in_order_of_id_behind_after(shelf: Shelf) {
    assert_eq!(ok(shelf.list(None, 10).await), []);
    for number in [2, 1, 3] {
        let bytes = vec![number; usize::from(number)];
        ok(shelf.put(id(number), bytes).await);
    }
    let entry = |number: u8| BlobEntry {
        id: id(number),
        bytes: u64::from(number),
    };
    let all = [entry(1), entry(2), entry(3)];
    assert_eq!(ok(shelf.list(None, 10).await), all);
    assert_eq!(ok(shelf.list(None, 2).await), [entry(1), entry(2)]);
    assert_eq!(ok(shelf.list(Some(id(2)), 10).await), [entry(3)]);
    assert_eq!(ok(shelf.list(Some(id(3)), 10).await), []);
}

pub(super) async fn a_blob_beyond_the_limit_is_invalid_and_nothing_is_kept(shelf: Shelf) {
    let refused = shelf.put(id(1), vec![7; BLOB_BYTES_MAX + 1]).await;
    assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
    assert_eq!(ok(shelf.list(None, 10).await), []);
}
