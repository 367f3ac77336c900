//! `cargo xtask <what>`.
fn main() {}
