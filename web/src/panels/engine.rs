//! 4 Engine: `vllm serve`'s arguments.
use crate::{
    controls::{Field, Section, words},
    state::{derive::set_arguments, use_app},
    text,
};
use leptos::prelude::*;

/// Behind "More engine arguments".
const MORE: [&str; 14] = [
    "pipeline_parallel_size",
    "data_parallel_size",
    "enable_expert_parallel",
    "max_num_batched_tokens",
    "kv_cache_memory_bytes",
    "headroom_gb",
    "block_size",
    "dtype",
    "quantization",
    "enforce_eager",
    "enable_prefix_caching",
    "enable_chunked_prefill",
    "disable_hybrid_kv_cache_manager",
    "trust_remote_code",
];

/// The section.
#[component]
pub(crate) fn Engine() -> AnyView {
    let state = use_app();
    let digest = words(move || {
        let set = u64::try_from(state.scenario.with(set_arguments)).unwrap_or(0);
        if set == 0 {
            String::new()
        } else {
            format!("{set} {}", text::plural(set, "changed", "changed"))
        }
    });
    let more = MORE.map(|id| view! { <Field id=id /> }).collect_view();
    view! {
        <Section number="4" title="Engine" open=crate::browser::is_wide() digest>
            <Field id="defaults" />
            <Field id="tensor_parallel_size" />
            <Field id="max_model_len" />
            <Field id="kv_cache_dtype" />
            <Field id="gpu_memory_utilization" />
            <Field id="max_num_seqs" />
            <details class="more">
                <summary>"More engine arguments"</summary>
                {more}
            </details>
        </Section>
    }
    .into_any()
}
