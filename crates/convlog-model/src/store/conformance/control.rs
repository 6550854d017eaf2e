//! What the control plane promises.

use std::sync::Arc;

use super::{failed, ok};
use crate::control::{BODY_BYTES_MAX, ControlPlane, Document, Expect};
use crate::store::ErrorKind;

type Plane = Arc<dyn ControlPlane>;

async fn put(plane: &Plane, id: &str, body: &[u8], expect: Expect) -> u64 {
    ok(plane.put("c", id, body, expect).await)
}

async fn get(plane: &Plane, id: &str) -> Option<Document> {
    ok(plane.get("c", id).await)
}

pub(super) async fn a_document_is_what_was_put_last(plane: Plane) {
    assert_eq!(get(&plane, "a").await, None);
    let version = put(&plane, "a", b"one", Expect::Absent).await;
    let document = |version, body: &[u8]| {
        Some(Document {
            id: "a".to_owned(),
            version,
            body: body.to_vec(),
        })
    };
    assert_eq!(get(&plane, "a").await, document(version, b"one"));
    let next = put(&plane, "a", b"\x00\xFF", Expect::Version(version)).await;
    assert_eq!(get(&plane, "a").await, document(next, b"\x00\xFF"));
}

pub(super) async fn absent_expects_that_there_is_none(plane: Plane) {
    put(&plane, "a", b"one", Expect::Absent).await;
    let refused = plane.put("c", "a", b"two", Expect::Absent).await;
    assert_eq!(failed(refused).kind(), ErrorKind::Conflict);
    assert_eq!(
        get(&plane, "a").await.map(|d| d.body),
        Some(b"one".to_vec())
    );
}

pub(super) async fn a_version_expects_exactly_that_one(plane: Plane) {
    let first = put(&plane, "a", b"one", Expect::Absent).await;
    let second = put(&plane, "a", b"two", Expect::Version(first)).await;
    for (id, version) in [("a", first), ("a", second + 1), ("b", second)] {
        let refused = plane.put("c", id, b"x", Expect::Version(version)).await;
        assert_eq!(failed(refused).kind(), ErrorKind::Conflict);
    }
    assert_eq!(
        get(&plane, "a").await.map(|d| d.body),
        Some(b"two".to_vec())
    );
    assert_eq!(get(&plane, "b").await, None);
}

pub(super) async fn versions_grow_and_are_never_used_twice_for_one_id(plane: Plane) {
    let mut last = 0;
    for _ in 0..3 {
        let first = put(&plane, "a", b"one", Expect::Absent).await;
        assert!(first > last);
        last = put(&plane, "a", b"two", Expect::Version(first)).await;
        assert!(last > first);
        ok(plane.delete("c", "a", last).await);
        let late = plane.put("c", "a", b"x", Expect::Version(last)).await;
        assert_eq!(failed(late).kind(), ErrorKind::Conflict);
    }
}

pub(super) async fn a_delete_expects_the_version(plane: Plane) {
    let version = put(&plane, "a", b"one", Expect::Absent).await;
    for (id, version) in [("a", version + 1), ("b", version)] {
        let refused = plane.delete("c", id, version).await;
        assert_eq!(failed(refused).kind(), ErrorKind::Conflict);
    }
    ok(plane.delete("c", "a", version).await);
    assert_eq!(get(&plane, "a").await, None);
    let again = plane.delete("c", "a", version).await;
    assert_eq!(failed(again).kind(), ErrorKind::Conflict);
}

pub(super) async fn a_list_is_in_order_of_id_behind_after_and_within_prefix(plane: Plane) {
    for id in ["x/b", "x/a", "y/a", "x", "x/", "x/é", "x0", "x/a/1"] {
        put(&plane, id, id.as_bytes(), Expect::Absent).await;
    }
    for (prefix, after, limit, expected) in [
        ("x/", "", 9, vec!["x/", "x/a", "x/a/1", "x/b", "x/é"]),
        ("x/", "", 2, vec!["x/", "x/a"]),
        ("x/", "x/a", 2, vec!["x/a/1", "x/b"]),
        ("x/", "x/a/0", 1, vec!["x/a/1"]),
        ("x/", "x/é", 9, vec![]),
        ("", "x/é", 9, vec!["x0", "y/a"]),
        ("z", "", 9, vec![]),
        ("", "", 0, vec![]),
    ] {
        let listed = ok(plane.list("c", prefix, after, limit).await);
        let ids: Vec<&str> = listed.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(ids, expected, "{prefix:?} {after:?} {limit}");
        assert!(listed.iter().all(|d| d.body == d.id.as_bytes()));
    }
}

pub(super) async fn collections_are_apart(plane: Plane) {
    let version = put(&plane, "a", b"one", Expect::Absent).await;
    for collection in ["c2", "C", "ca"] {
        assert_eq!(ok(plane.get(collection, "a").await), None);
        assert!(ok(plane.list(collection, "", "", 9).await).is_empty());
        let refused = plane.delete(collection, "a", version).await;
        assert_eq!(failed(refused).kind(), ErrorKind::Conflict);
    }
    ok(plane.put("c2", "a", b"two", Expect::Absent).await);
    assert_eq!(
        get(&plane, "a").await.map(|d| d.body),
        Some(b"one".to_vec())
    );
}

pub(super) async fn a_body_beyond_the_limit_is_invalid(plane: Plane) {
    let big = vec![0; BODY_BYTES_MAX + 1];
    let refused = plane.put("c", "a", &big, Expect::Absent).await;
    assert_eq!(failed(refused).kind(), ErrorKind::Invalid);
    assert_eq!(get(&plane, "a").await, None);
    let biggest = big.get(1..).unwrap_or_default();
    put(&plane, "a", biggest, Expect::Absent).await;
    assert_eq!(
        get(&plane, "a").await.map(|d| d.body.len()),
        Some(BODY_BYTES_MAX)
    );
}
