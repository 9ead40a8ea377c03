//! Runs work on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Returns the number of threads that the machine runs at once; 1 if it is unknown.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Calls `work` for each of `items` on `threads` threads. The results are in the order of the items.
/// `progress` gets the number of items that are done.
pub fn each<I: Send, R: Send>(
    threads: usize,
    items: Vec<I>,
    work: impl Fn(I) -> R + Sync,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<R> {
    let (threads, ended) = (threads.min(items.len()), AtomicUsize::new(0));
    let mut results: Vec<Option<R>> = Vec::new();
    results.resize_with(items.len(), || None);
    let results = Mutex::new(results);
    let items = Mutex::new(items.into_iter().enumerate());
    let next = || locked(&items).next();
    let turn = || {
        while let Some((at, item)) = next() {
            let result = work(item);
            locked(&results)[at] = Some(result);
            progress(ended.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(turn)).collect();
        turn();
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().flatten().collect()
}

/// Locks `all`, also after another thread panicked while it held the lock.
pub fn locked<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}
