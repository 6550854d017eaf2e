//! Background work: begins, repeats, ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc;

use super::*;

#[tokio::test]
async fn repeated_work_begins_at_once_and_ends_with_the_stop() {
    let jobs = Jobs::default();
    let (told, mut heard) = mpsc::unbounded_channel();
    jobs.every(Duration::ZERO, move || {
        let told = told.clone();
        async move {
            let _receiver_may_be_gone = told.send(());
        }
    });
    for _ in 0..3 {
        heard.recv().await.unwrap();
    }
    jobs.stop();
    jobs.ended(Duration::MAX).await;
    while heard.try_recv().is_ok() {}
    assert!(heard.recv().await.is_none());
}

#[tokio::test]
async fn nothing_begins_after_the_stop() {
    let jobs = Jobs::default();
    jobs.stop();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    jobs.spawn(async move {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    jobs.ended(Duration::MAX).await;
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert!(jobs.is_stopping());
    jobs.stopping().await;
}

#[tokio::test]
async fn work_that_does_not_end_is_cut_off() {
    let jobs = Jobs::default();
    jobs.spawn(std::future::pending());
    jobs.stop();
    jobs.ended(Duration::ZERO).await;
}
