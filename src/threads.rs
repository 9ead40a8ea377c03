//! Work that is done side by side.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many threads the machine runs at a time, as far as it says.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Calls `work` for each of `items`, `threads` of them at a time; the results are in the order of
/// the items, whichever came first. `tell` hears how many are done.
pub fn each<I: Send, R: Send>(
    threads: usize,
    items: Vec<I>,
    work: impl Fn(I) -> R + Sync,
    tell: &(dyn Fn(usize) + Sync),
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
            tell(ended.fetch_add(1, Ordering::Relaxed) + 1);
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

/// What `all` holds, whoever has failed with it before.
pub fn locked<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}
