//! What the page knows. Only `actions` writes it.
pub(crate) mod actions;
pub(crate) mod derive;
pub(crate) mod fleet;
pub(crate) mod held;
pub(crate) mod import;
pub(crate) mod link;
mod model;
pub(crate) mod presets;
pub(crate) mod search;

pub(crate) use model::{AppState, Banner, Beside, Draft, Import, Likes, Pasted, Sheet, Toast, use_app};
