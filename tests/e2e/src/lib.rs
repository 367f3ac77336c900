//! Drives the built page in a real Chromium.
//!
//! [`journey`] serves the release build, opens it in a browser with a profile of its own, refuses every request to anywhere
//! else that the test has not supplied an answer for, and fails the test when the page complains on its console.
//! Run by `cargo xtask test e2e`, which builds page and binary first and says where they lie.

pub mod browser;
pub mod complaints;
pub mod find;
pub mod firefox;
pub mod journey;
pub mod keyboard;
pub mod locator;
mod look;
pub mod network;
pub mod page;
pub mod paths;
mod protocol;
mod script;
pub mod server;
pub mod wear;

pub use find::Name;
pub use journey::{Options, Scheme, journey};
pub use locator::Locator;
pub use network::Fake;
pub use page::Page;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What every step of a journey returns.
pub type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Locks a list that only whole entries are pushed to, so that a panic elsewhere leaves it usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
