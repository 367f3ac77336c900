//! `vllm-wizard`: the command line.
fn main() {}
