//! The real disk does what the engine asks of it.

use super::*;

#[test]
fn files_keep_what_was_written_and_new_room_is_zero() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let file = RealDisk.create(&path).unwrap();
    file.write_at(0, b"hello").unwrap();
    file.allocate(0, 100).unwrap();
    file.sync_data().unwrap();
    let mut expected = b"hello".to_vec();
    expected.resize(100, 0);
    assert_eq!(
        read_all(RealDisk.open_read(&path).unwrap().as_ref(), 100).unwrap(),
        expected
    );
    assert_eq!(RealDisk.list(dir.path()).unwrap(), ["a"]);
    assert!(RealDisk.free_bytes(dir.path()).unwrap() > 0);
}

#[test]
fn a_held_lock_is_not_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("LOCK");
    let held = RealDisk.lock(&path).unwrap();
    assert!(held.is_some());
    assert!(RealDisk.lock(&path).unwrap().is_none());
    drop(held);
    assert!(RealDisk.lock(&path).unwrap().is_some());
}

#[test]
fn reading_behind_the_end_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealDisk.create(&dir.path().join("a")).unwrap();
    let error = file.read_at(0, &mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
