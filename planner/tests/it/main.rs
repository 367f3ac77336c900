//! planner against the outside: vLLM's own code, its logs, published counts.
mod oracle_weights;
mod support;
