use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::super::parker::block_on;
use super::*;

fn workers(limit: usize) -> &'static Workers {
    let workers = Box::leak(Box::new(Workers::new()));
    workers.limit.set(limit).unwrap();
    workers
}

/// Starts the work, and leaves its future to be awaited.
fn started<T>(
    future: impl Future<Output = T> + Send + 'static,
) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>> {
    let mut future = Box::pin(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    future
}

#[test]
fn every_work_is_done_by_no_more_threads_than_there_are_cores() {
    let workers = workers(3);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            thread::spawn(move || {
                for n in 0..500 {
                    let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                    let work = move || {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        caller * 1000 + n
                    };
                    assert_eq!(block_on(workers.run(work)).unwrap(), caller * 1000 + n);
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    assert!(workers.lock().threads <= 3 && workers.lock().jobs.is_empty());
}

#[test]
fn a_panic_is_an_error_of_its_caller_and_costs_no_thread() {
    let workers = workers(1);
    for n in 0..20 {
        assert!(block_on(workers.run(|| -> usize { panic!("a panic of the test") })).is_err());
        assert_eq!(block_on(workers.run(move || n)).unwrap(), n);
    }
    assert_eq!(workers.lock().threads, 1);
}

#[test]
fn work_that_no_one_waits_for_is_not_begun() {
    let workers = workers(1);
    let (release, released) = mpsc::channel::<()>();
    let first = started(workers.run(move || released.recv().is_ok()));
    let begun = Arc::new(AtomicUsize::new(0));
    let [given_up, waited_for] = [1, 100].map(|weight| {
        let begun = Arc::clone(&begun);
        started(workers.run(move || begun.fetch_add(weight, Ordering::SeqCst)))
    });
    drop(given_up);
    release.send(()).unwrap();
    assert!(block_on(first).unwrap());
    assert_eq!(block_on(waited_for).unwrap(), 0);
    assert_eq!(begun.load(Ordering::SeqCst), 100);
}
