//! Numbers of ports that no service publishes.

use rustc_hash::FxHashMap;

/// The ports that are taken. Each has a greater port that may be free, so that a search skips whole ranges.
#[derive(Debug, Default)]
pub struct Taken(FxHashMap<u32, u32>);

impl Taken {
    /// Takes all ports from `first` to `last`. Each port is taken once, however often ranges repeat it.
    pub fn take(&mut self, first: u16, last: u16) {
        let last = u32::from(last);
        let mut port = self.free(u32::from(first));
        while port <= last {
            self.0.insert(port, port + 1);
            port = self.free(port + 1);
        }
    }

    /// Returns `port` or the next free one, and takes it; `port` if none is free.
    pub fn next(&mut self, port: u16) -> u16 {
        let free = u16::try_from(self.free(u32::from(port))).unwrap_or(port);
        self.take(free, free);
        free
    }

    /// Returns the first free port from `port` on.
    fn free(&mut self, port: u32) -> u32 {
        let mut free = port;
        while let Some(next) = self.0.get(&free) {
            free = *next;
        }
        let mut step = port;
        while let Some(next) = self.0.get_mut(&step).filter(|next| **next < free) {
            step = std::mem::replace(next, free);
        }
        free
    }
}
