//! planner against the outside: vLLM's own code, its logs, published counts.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::float_cmp
)]

mod artifact_rules;
mod artifacts;
mod bench_result;
mod by_version;
mod command;
mod configs;
mod deepseek_v41;
mod device_ids;
mod drafts;
mod evaluate;
mod every_file;
mod explain;
mod flags_by_version;
mod fleet;
mod host_report;
mod hostile;
mod hy4;
mod import;
mod inkling;
mod intel;
mod irregular;
mod kinds;
mod limits;
mod links;
mod matrix;
mod measured;
mod methodology;
mod mixed_gpus;
mod model_flags;
mod non_root;
mod online;
mod oracle_activations;
mod oracle_kv;
mod oracle_refusals;
mod oracle_weights;
mod parameters;
mod pooling;
mod profile;
mod properties;
mod published;
mod quoting;
mod qwen4;
mod read_back;
mod recommend;
mod review;
mod scenarios;
mod schemas;
mod sensitivity;
mod share;
mod side_by_side;
mod sparse_on_amd;
mod speed;
mod stages;
mod start_up_logs;
mod support;
mod towers;
mod vllm_log;
