//! Numbered progress lines with the seconds since the start.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Says what is being done, as it is being done, on standard error.
#[derive(Debug)]
pub(crate) struct Steps {
    started: Instant,
    count: Cell<u32>,
}

impl Steps {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            count: Cell::new(0),
        }
    }

    /// Announces the next step before it begins.
    pub(crate) fn next(&self, what: &str) {
        self.count.set(self.count.get() + 1);
        eprintln!(
            "\n[{:>4} s] {}. {what}",
            self.elapsed().as_secs(),
            self.count.get()
        );
    }

    /// Adds a remark to the current step.
    pub(crate) fn note(&self, what: &str) {
        eprintln!("[{:>4} s]    {what}", self.elapsed().as_secs());
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
