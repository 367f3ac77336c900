//! Speculative decoding and context parallelism: what stands beside the model, and what vLLM refuses.
use super::{
    arguments::{Refusal, Resolved},
    output::{Bias, Severity},
    scenario::Scenario,
};
use crate::{
    engine::{Extras, KvCacheDtype, MaxModelLen, Method, Speculative},
    memory::sparse_latent::HY4,
    model::{self, AttentionSpan, ConfigError, Drafter, DrafterKind, Mixer, ModelSpec},
    units::FloatDtype,
};
use std::{borrow::Cow, sync::Arc};

/// Classes of many models whose checkpoints have no layer that drafts: `config/speculative.py: hf_config_override` gives
/// them no drafting type.
const WITHOUT_DRAFTS: &[&str] = &[
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "MixtralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen2MoeForCausalLM",
    "Qwen3ForCausalLM",
    "Qwen3MoeForCausalLM",
    "Qwen2_5_VLForConditionalGeneration",
    "Qwen3VLForConditionalGeneration",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "Gemma3ForConditionalGeneration",
    "Phi3ForCausalLM",
    "GptOssForCausalLM",
];

/// A layer of the checkpoint proposes the tokens: no draft is named, or the model itself.
pub(super) fn own_layer(scenario: &Scenario, extras: &Extras) -> bool {
    extras.speculative.is_some_and(|speculative| {
        speculative.method == Method::Mtp
            && scenario
                .engine
                .draft_model()
                .is_none_or(|name| name == scenario.model.id)
    })
}

/// The draft that the flags name, where its config is at hand.
fn read(
    scenario: &Scenario,
    speculative: Speculative,
    target: &ModelSpec,
) -> Option<Result<Drafter, ConfigError>> {
    let kind = match speculative.method {
        Method::Eagle => DrafterKind::Eagle,
        Method::Eagle3 => DrafterKind::Eagle3,
        Method::Dflash => DrafterKind::Dflash,
        Method::Model => DrafterKind::Model,
        Method::Lookup | Method::Mtp | Method::Other => return None,
    };
    let config = scenario.draft()?;
    let length = match scenario.engine.max_model_len {
        Some(MaxModelLen::Tokens(tokens)) => tokens,
        _ => target.default_max_model_len,
    };
    let stages = scenario.engine.pipeline_parallel_size.unwrap_or(1);
    Some(model::drafter(config, kind, target, length, stages))
}

/// Puts the draft beside the model, where its config says what it is.
pub(super) fn beside(
    scenario: &Scenario,
    extras: &Extras,
    dtype: FloatDtype,
    spec: &mut Cow<'_, ModelSpec>,
) -> Result<(), Refusal> {
    let Some(speculative) = extras.speculative else {
        return Ok(());
    };
    if own_layer(scenario, extras) && WITHOUT_DRAFTS.contains(&spec.architecture.as_str()) {
        return Err(Refusal::vllms("Unsupported speculative method: 'mtp'"));
    }
    if own_layer(scenario, extras) && spec.architecture == HY4 && spec.draft_chain.layers.is_empty() {
        return Err(Refusal::ours(
            "a drafting layer of Hy4 that is quantised by a scheme of its own (`mtp_quant_algo`) is not modelled",
        ));
    }
    if own_layer(scenario, extras) && spec.architecture.starts_with("Inkling") {
        let depths = u32::try_from(spec.draft_chain.layers.len()).unwrap_or(u32::MAX);
        let tokens = speculative.step_tokens();
        if depths == 0 {
            return Err(Refusal::vllms(
                "The Inkling checkpoint does not contain MTP weights",
            ));
        }
        if tokens > depths && !tokens.is_multiple_of(depths) {
            return Err(Refusal::vllms(format!(
                "num_speculative_tokens:{tokens} must be divisible by n_predict={depths}"
            )));
        }
    }
    let tp = scenario.engine.tensor_parallel_size;
    if let (Some(draft), Some(tp)) = (speculative.draft_tensor_parallel_size, tp)
        && draft != 1
        && draft != tp
    {
        return Err(Refusal::vllms(format!(
            "speculative_draft_tensor_parallel_size={draft} cannot be other value than 1 or target model tensor_parallel_size"
        )));
    }
    let Some(Ok(mut drafter)) = read(scenario, speculative, spec) else {
        return Ok(());
    };
    if speculative.method == Method::Model && drafter.spec.vocab_size != spec.vocab_size {
        return Err(Refusal::vllms(format!(
            "Target and draft model should have the same vocabulary size. Target model vocab_size={}. Draft model vocab_size={}. Using models with different tokenizers can cause out-of-bounds errors during speculative decoding.",
            spec.vocab_size, drafter.spec.vocab_size
        )));
    }
    drafter.kv_element = speculative.kv_cache_dtype.map(|kv| match kv {
        kv if kv.is_fp8() => 1,
        KvCacheDtype::Auto => drafter.spec.dtype.size(),
        _ => dtype.size(),
    });
    let spec = spec.to_mut();
    if speculative.method == Method::Model {
        // Sequences do not get longer than the draft reads (`config/vllm.py: _limit_max_model_len_to_draft`).
        spec.default_max_model_len = spec.default_max_model_len.min(drafter.spec.default_max_model_len);
    }
    spec.drafter = Some(Arc::new(drafter));
    Ok(())
}

/// What the plan leaves out of a draft.
pub(super) fn notes(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    extras: &Extras,
    note: &mut impl FnMut(&'static str, Severity, Bias, String),
) {
    if resolved.settings.dcp > 1 {
        note(
            "engine.context_parallel",
            Severity::Caution,
            Bias::Over,
            "Decode context parallelism: the cache and its tokens follow vLLM's rules; the buffers that gather queries and results are not counted.".to_owned(),
        );
    }
    let Some(speculative) = extras.speculative.filter(|s| s.method != Method::Lookup) else {
        return;
    };
    let spec = &resolved.spec;
    let message = if let Some(drafter) = &spec.drafter {
        let shared = match (drafter.own_embedding, drafter.head_rows > 0) {
            _ if speculative.method == Method::Model => "",
            (false, false) => " Embedding and output are taken for the target's.",
            (false, true) => {
                " The embedding is taken for the target's, as vLLM does where the draft brings none or an equal one."
            }
            (true, _) => " It has an embedding of its own.",
        };
        format!(
            "Speculative decoding: the draft's weights and KV cache are counted, its peak and its graphs are not.{shared}"
        )
    } else if spec.draft.is_some() {
        "Speculative decoding: the peak and the graphs of the drafting layer are not counted; its weights and KV cache are.".to_owned()
    } else {
        let why = match read(scenario, speculative, spec) {
            Some(Err(error)) => format!(" ({error})"),
            None if speculative.has_model && speculative.method != Method::Other => {
                " (its config is not at hand: give it as draft_config)".to_owned()
            }
            _ => String::new(),
        };
        format!("Speculative decoding: the draft's weights, its KV layers and its peak are not counted{why}.")
    };
    note("engine.speculative", Severity::Caution, Bias::Over, message);
    if let Some(drafter) = &spec.drafter
        && speculative.method == Method::Model
        && drafter.spec.default_max_model_len < resolved.args.max_model_len.value
    {
        note(
            "engine.draft_context",
            Severity::Caution,
            Bias::None,
            format!(
                "The draft reads {} tokens: vLLM lowers max_model_len to that.",
                drafter.spec.default_max_model_len
            ),
        );
    }
}

/// Ranks that share a sequence's tokens, or why they cannot (`config/{parallel,model}.py`, `v1/kv_cache_interface.py`).
pub(super) fn context_parallel(extras: &Extras, spec: &ModelSpec, tp: u32) -> Result<u32, Refusal> {
    if extras.pcp.is_some() {
        return Err(Refusal::ours(
            "--prefill-context-parallel-size is not modelled: it runs every prompt over further GPUs, each with the whole weights and cache of a rank",
        ));
    }
    let Some(dcp) = extras.dcp else {
        return Ok(1);
    };
    if !tp.is_multiple_of(dcp) {
        return Err(Refusal::vllms(format!(
            "tp_size={tp} must be divisible by dcp_size={dcp}."
        )));
    }
    let latent = spec
        .layers
        .iter()
        .any(|run| matches!(run.mixer, Mixer::Mla(mla) if !mla.expanded));
    if spec.architecture == HY4 {
        return Err(Refusal::ours(
            "decode context parallelism is not modelled for Hy4, whose attention takes an fp8 cache alone there",
        ));
    }
    if extras.dcp_q_replicate || spec.architecture == "GlmMoeDsaForCausalLM" {
        return Err(Refusal::ours(
            "decode context parallelism with replicated queries (--dcp-q-replicate, which GLM's sparse models set) is not modelled",
        ));
    }
    if !latent {
        grouped_heads(spec, tp, dcp)?;
    }
    let unsharded = |run: &model::LayerRun| {
        matches!(
            run.mixer,
            Mixer::Attention(_, AttentionSpan::Sliding(_) | AttentionSpan::Chunked(_)) | Mixer::Compressed(_)
        )
    };
    if spec.cached_layers().any(unsharded) {
        return Err(Refusal::vllms("DCP not support sliding window."));
    }
    Ok(dcp)
}

/// `config/model.py: verify_with_parallel_config`.
fn grouped_heads(spec: &ModelSpec, tp: u32, dcp: u32) -> Result<(), Refusal> {
    let heads = spec.attention.num_key_value_heads.max(1);
    if tp <= heads {
        return Err(Refusal::vllms(format!(
            "Decode context parallelism for GQA/MQA requires `--tensor-parallel-size` ({tp}) to be greater than the model's total number of KV heads ({heads}). Increase `--tensor-parallel-size` or set `--decode-context-parallel-size 1`."
        )));
    }
    let most = tp / heads;
    if dcp > most {
        return Err(Refusal::vllms(format!(
            "`--decode-context-parallel-size` ({dcp}) exceeds the maximum supported value ({most}) for `--tensor-parallel-size` ({tp}) and {heads} model KV heads."
        )));
    }
    let queries = spec.attention.num_attention_heads / heads;
    if !queries.is_multiple_of(dcp) {
        return Err(Refusal::vllms(format!(
            "The model's number of query heads per KV head ({queries}) must be divisible by `--decode-context-parallel-size` ({dcp}) for GQA/MQA."
        )));
    }
    Ok(())
}
