//! What follows from a change of state outside the page's markup. One named function each, listed in `App`.
mod agent;
mod announce;
mod drop;
mod hub;
mod keys;
mod request;
mod storage;
mod theme;
mod title;
mod url;

pub(crate) use agent::{AGENT_PORT, fetch_host};
pub(crate) use announce::announce_verdict;
pub(crate) use drop::{accept_drops, read_files};
pub(crate) use hub::{Hub, fetch_config, store_address, stored_address};
pub(crate) use keys::{KEYS, listen_keys};
pub(crate) use request::WebRequest;
pub(crate) use storage::keep_last_scenario;
pub(crate) use theme::{Theme, apply_theme, stored_theme};
pub(crate) use title::set_title;
pub(crate) use url::{beside, open_first, pin_links, sync_url};
