//! Work that is done side by side.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    let items = Mutex::new(items.into_iter().enumerate());
    let next = || items.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let turn = || {
        let mut own = Vec::new();
        while let Some((at, item)) = next() {
            own.push((at, work(item)));
            tell(ended.fetch_add(1, Ordering::Relaxed) + 1);
        }
        own
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(turn)).collect();
        let mut done = turn();
        for other in others {
            match other.join() {
                Ok(own) => done.extend(own),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
