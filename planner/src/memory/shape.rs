//! How a model is cut over GPUs, and what vLLM refuses to cut.
use super::packed;
use crate::model::{LayerRun, LinearScheme, Mixer, ModelSpec};
use std::ops::Range;

/// One rank's place in the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankShape {
    /// tensor_parallel_size.
    pub tp: u32,
    /// pipeline_parallel_size.
    pub pp: u32,
    /// 0 is the first stage.
    pub pp_rank: u32,
    /// First layer and number of layers, where `VLLM_PP_LAYER_PARTITION` says them.
    pub layers: Option<(u32, u32)>,
    /// data_parallel_size.
    pub dp: u32,
    /// enable_expert_parallel.
    pub ep: bool,
}

impl RankShape {
    /// One GPU.
    pub const SINGLE: Self = Self {
        tp: 1,
        pp: 1,
        pp_rank: 0,
        layers: None,
        dp: 1,
        ep: false,
    };

    /// The first stage.
    pub fn is_first(&self) -> bool {
        self.pp_rank == 0
    }

    /// The last stage.
    pub fn is_last(&self) -> bool {
        self.pp_rank + 1 == self.pp
    }

    /// Its layers, of so many of the whole model.
    pub fn stage(&self, num_hidden_layers: u32) -> Range<u32> {
        let (first, count) = self.layers.unwrap_or_else(|| {
            let all = layers_per_stage(num_hidden_layers, self.pp);
            let before = all.iter().take(self.pp_rank as usize).sum();
            (before, all.get(self.pp_rank as usize).copied().unwrap_or(0))
        });
        first..first.saturating_add(count)
    }

    /// Ranks that the routed experts are spread over: TP is flattened over DP
    /// (`vllm/model_executor/layers/fused_moe/config.py: FusedMoEParallelConfig.make`).
    pub fn expert_ranks(&self) -> u32 {
        self.tp * self.dp
    }
}

/// Layers of each stage: an even share, the remainder to the stages before the last
/// (`vllm/distributed/utils.py: get_pp_indices`).
pub fn layers_per_stage(num_hidden_layers: u32, pp: u32) -> Vec<u32> {
    let (base, rest) = (num_hidden_layers / pp, num_hidden_layers % pp);
    (0..pp)
        .map(|stage| base + u32::from(stage + 1 < pp && stage + 1 + rest >= pp))
        .collect()
}

/// The runs of a stage, and how many of its layers each still has.
pub fn stage_layers(spec: &ModelSpec, shape: &RankShape) -> Vec<LayerRun> {
    if shape.pp == 1 {
        return spec.layers.clone();
    }
    let Range { start, end } = shape.stage(spec.num_hidden_layers());
    let mut first = 0;
    let mut inside = Vec::new();
    for run in &spec.layers {
        let last = first + run.count;
        let count = last.min(end).saturating_sub(first.max(start));
        if count > 0 {
            inside.push(LayerRun { count, ..*run });
        }
        first = last;
    }
    inside
}

/// What vLLM says where it cannot cut a model like this; `None` where it can.
pub fn refusal(spec: &ModelSpec, shape: &RankShape) -> Option<String> {
    let a = spec.attention;
    let attends = spec
        .layers
        .iter()
        .any(|run| matches!(run.mixer, Mixer::Attention(..) | Mixer::Mla(_)));
    if attends && !a.num_attention_heads.is_multiple_of(shape.tp) {
        return Some(format!(
            "Total number of attention heads ({}) must be divisible by tensor parallel size ({}).",
            a.num_attention_heads, shape.tp
        ));
    }
    let (big, small) = (
        a.num_key_value_heads.max(shape.tp),
        a.num_key_value_heads.min(shape.tp),
    );
    if let Some(problem) = cut_from_source(spec, shape) {
        return Some(problem);
    }
    if let Some(layer) = packed::compressed(spec)
        && !layer.o_groups.is_multiple_of(shape.tp)
    {
        return Some(format!("{} is not divisible by {}", layer.o_groups, shape.tp));
    }
    if shape.pp > 1
        && (packed::pooled(spec).is_some()
            || matches!(
                spec.architecture.as_str(),
                "Phi4MMForCausalLM" | "Zamba2ForCausalLM" | "NemotronParseForConditionalGeneration"
            )
            || spec.architecture.starts_with("NemotronH_"))
    {
        return Some("Pipeline parallelism is not supported for this model.".to_owned());
    }
    // `models/inkling/nvidia/sconv_swa_attn.py`.
    let too_few = |run: &LayerRun| match run.mixer {
        Mixer::Attention(a, _) if a.relative.is_some() && a.num_key_value_heads < shape.tp => {
            Some(a.num_key_value_heads)
        }
        _ => None,
    };
    if let Some(heads) = spec.layers.iter().find_map(too_few) {
        return Some(format!(
            "sconv SWA cache supports tp_size <= num_kv_heads ({heads}), got {}",
            shape.tp
        ));
    }
    if let Some(message) = tables_refusal(spec, shape) {
        return Some(message);
    }
    if let Some(kda) = spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::Kda(kda) => Some(kda),
        _ => None,
    }) {
        let (heads, groups) = (kda.num_heads, kda.lightning_groups);
        if !heads.is_multiple_of(shape.tp) {
            return Some(format!("{heads} is not divisible by {}", shape.tp));
        }
        // `layers/mamba/linear/bailing_linear_attn.py`.
        if groups > 0 && shape.tp > groups {
            return Some("tp_size must be <= group_norm_size for local rms norm".to_owned());
        }
        if !groups.is_multiple_of(shape.tp) {
            return Some("group_norm_size must be divisible by tp_size".to_owned());
        }
    }
    let vocab = spec.vocab_size.next_multiple_of(64);
    let mut cuts = vec![(big, small), (vocab, shape.tp)];
    if let Some(mlp) = spec.mlp().filter(|mlp| !mlp.whole) {
        cuts.push((mlp.intermediate_size, shape.tp));
    }
    if let Some(moe) = spec.moe() {
        if !shape.ep {
            cuts.push((moe.moe_intermediate_size, shape.expert_ranks()));
        }
        if let Some(shared) = moe.shared {
            cuts.push((shared.intermediate_size, shape.tp));
        }
    }
    let uneven = |(whole, parts): (u32, u32)| {
        (!whole.is_multiple_of(parts)).then(|| format!("{whole} is not divisible by {parts}"))
    };
    let first = cuts.into_iter().find_map(uneven);
    let later = || {
        spec.layers
            .iter()
            .find_map(|run| layer_cuts(run, shape.tp).into_iter().flatten().find_map(uneven))
    };
    if let Some(problem) = first
        .or_else(later)
        .or_else(|| spec.layers.iter().find_map(|run| mamba2_refusal(run, shape.tp)))
    {
        return Some(problem);
    }
    let shares = |run: &LayerRun| matches!(run.mixer, Mixer::Attention(a, _) if a.shares_kv);
    if shape.pp > 1 && spec.layers.iter().any(shares) {
        return Some(
            "layers on the cached keys of earlier ones are not modelled over several pipeline stages"
                .to_owned(),
        );
    }
    // Two of our layers are one of vLLM's.
    let halves = matches!(
        spec.architecture.as_str(),
        "FalconH1ForCausalLM" | "LongcatFlashForCausalLM"
    );
    if halves && (shape.layers.is_some() || !spec.num_hidden_layers().is_multiple_of(2 * shape.pp)) {
        return Some("layers like these are modelled only where each stage has as many of them".to_owned());
    }
    if shape.pp > spec.num_hidden_layers() {
        return Some(format!(
            "{} layers cannot be split into {} pipeline stages.",
            spec.num_hidden_layers(),
            shape.pp
        ));
    }
    quantization_refusal(spec, shape)
}

/// `model_executor/models/config.py: Qwen4ExpForConditionalGenerationConfig`, `layers/vocab_parallel_embedding.py`.
fn tables_refusal(spec: &ModelSpec, shape: &RankShape) -> Option<String> {
    let ngrams = spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::GatedDeltaNet(gdn) => gdn.ngrams,
        _ => None,
    })?;
    if shape.pp > 1 {
        return Some(
            "Qwen4Exp N-gram PLE embedding requires pipeline_parallel_size=1 because non-first pipeline ranks do not receive the raw input_ids it needs. Please run with PP=1."
                .to_owned(),
        );
    }
    let ranks = u64::from(shape.tp) * u64::from(ngrams.replicas);
    (!ngrams.rows.is_multiple_of(ranks)).then(|| format!("{} is not divisible by {ranks}", ngrams.rows))
}

/// A stage of DeepSeek V4.1 whose first layers read what one of the stage before keeps
/// (`models/deepseek_v41/attention.py: DeepseekV4Attention`).
fn cut_from_source(spec: &ModelSpec, shape: &RankShape) -> Option<String> {
    packed::shared(spec).filter(|_| shape.pp > 1)?;
    let torn = |pp_rank: u32| {
        let stage = stage_layers(spec, &RankShape { pp_rank, ..*shape });
        let first = stage.iter().find_map(|run| match run.mixer {
            Mixer::Compressed(layer) if layer.ratio > 0 => Some(layer),
            _ => None,
        });
        first.is_some_and(|layer| !layer.source)
    };
    (0..shape.pp).any(torn).then(|| {
        "Compressed-KV source not found on this rank; PP splits inside a v4.1 kv-sharing group are not supported."
            .to_owned()
    })
}

/// What a layer has that is cut over `tp` ranks, and into how many parts.
fn layer_cuts(run: &LayerRun, tp: u32) -> [Option<(u32, u32)>; 3] {
    let dense = run.mlp.dense.map(|mlp| (mlp.intermediate_size, tp));
    match run.mixer {
        Mixer::Attention(a, _) => {
            let kv = a.num_key_value_heads;
            [
                Some((a.num_attention_heads, tp)),
                Some((kv.max(tp), kv.min(tp))),
                dense,
            ]
        }
        Mixer::ShortConv(conv) => [Some((conv.conv_dim, tp)), None, dense],
        Mixer::Mamba1(mamba) => [Some((mamba.intermediate_size, tp)), None, dense],
        _ => [dense, None, None],
    }
}

/// `layers/mamba/mamba_mixer2.py`.
fn mamba2_refusal(run: &LayerRun, tp: u32) -> Option<String> {
    let Mixer::Mamba2(mamba) = run.mixer else {
        return None;
    };
    if !mamba.mamba_num_heads.is_multiple_of(tp) {
        return Some("Tensor parallel world size must divide num heads.".to_owned());
    }
    let replicable = mamba.n_groups == 1 || mamba.n_groups.is_multiple_of(tp);
    (!replicable).then(|| {
        "If tensor parallel world size does not divide num_groups, then num_groups must equal 1.".to_owned()
    })
}

/// Blocks and groups of scales must not be cut through.
fn quantization_refusal(spec: &ModelSpec, shape: &RankShape) -> Option<String> {
    let scheme = spec.quantization.as_ref()?.scheme;
    let a = spec.attention;
    let dense = spec.mlp().filter(|_| {
        spec.layers
            .iter()
            .any(|run| run.mlp.dense.is_some() && run.quantized.down)
    });
    let shared = spec
        .moe()
        .and_then(|moe| moe.shared)
        .filter(|_| spec.layers.iter().any(|run| run.quantized.shared));
    let heads = a.num_attention_heads / shape.tp;
    let q = match spec.layers.first().map(|run| run.mixer) {
        Some(Mixer::Mla(mla)) => heads * mla.v_head_dim,
        Some(Mixer::Compressed(layer)) => layer.o_groups / shape.tp * layer.o_lora_rank,
        _ => heads * a.v_head_dim,
    };
    let widths: Vec<u32> = dense
        .map(|mlp| mlp.intermediate_size / shape.tp)
        .into_iter()
        .chain(shared.map(|s| s.intermediate_size / shape.tp))
        .collect();
    match scheme {
        LinearScheme::Fp8Block { n, k } => block_refusal(spec, shape, n, k),
        LinearScheme::PackedInt {
            group_size: Some(group),
            compressed_tensors,
            ..
        } => {
            let routed = spec.layers.iter().any(|run| run.quantized.experts);
            if routed && !compressed_tensors && expert_group(spec, shape, group).is_none() {
                return Some("AssertionError: `assert group_size >= 32` in moe_wna16.py: a rank's part of an expert ends within a group of scales.".to_owned());
            }
            let experts = spec
                .moe()
                .filter(|_| compressed_tensors && !shape.ep)
                .map(|moe| moe.moe_intermediate_size / shape.expert_ranks());
            let mut inputs = [q].into_iter().chain(widths).chain(experts);
            inputs.find(|input| !input.is_multiple_of(group)).map(|_| {
                "The input size is not aligned with the quantized weight shape. This can be caused by too large tensor parallel size."
                    .to_owned()
            })
        }
        _ => None,
    }
}

/// Inputs of a routed expert that share a scale. Where a rank's part ends within a group, AWQ and GPTQ fall back to kernels
/// that halve the group, down to 32, and repeat the scales (`layers/quantization/moe_wna16.py: create_weights`).
pub fn expert_group(spec: &ModelSpec, shape: &RankShape, group: u32) -> Option<u32> {
    let Some(moe) = spec.moe() else {
        return Some(group);
    };
    let ranks = if shape.ep { 1 } else { shape.expert_ranks() };
    let width = moe.moe_intermediate_size / ranks.max(1);
    let inner = moe.inner_size(spec.hidden_size);
    let even = |group: u32| width.is_multiple_of(group) && inner.is_multiple_of(u64::from(group));
    if even(group) {
        return Some(group);
    }
    let mut halved = group / 2;
    while halved >= 32 {
        if even(halved) {
            return Some(halved);
        }
        halved /= 2;
    }
    None
}

/// Outputs in whole blocks of `n` and inputs in whole blocks of `k`, on one rank.
fn block_refusal(spec: &ModelSpec, shape: &RankShape, n: u32, k: u32) -> Option<String> {
    // `fp8` lets the shards of a fused layer share a block (`layers/linear.py`).
    let method = spec.quantization.as_ref().map(|q| q.method);
    let fused = |sizes: &[u32], outputs: &mut Vec<u32>| {
        if !matches!(method, Some("fp8" | "deepseek_v4_fp8")) {
            // Uncut, the last shard may end within a block.
            let checked = if shape.tp > 1 {
                sizes.len()
            } else {
                sizes.len() - 1
            };
            outputs.extend(sizes.iter().take(checked));
        }
    };
    let (mut outputs, mut inputs) = (Vec::new(), Vec::new());
    for run in &spec.layers {
        let quantized = run.quantized;
        match run.mixer {
            Mixer::Mla(mla) if quantized.qkv => {
                let heads = mla.num_attention_heads / shape.tp;
                outputs.push(heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim));
                outputs.push(heads * (mla.qk_nope_head_dim + mla.v_head_dim));
                inputs.push(heads * mla.v_head_dim);
            }
            Mixer::Compressed(layer) => {
                let latent = layer.o_groups / shape.tp * layer.o_lora_rank;
                outputs.extend([layer.num_attention_heads / shape.tp * layer.head_dim, latent]);
                inputs.push(latent);
            }
            Mixer::Attention(a, _) => {
                let heads = a.num_attention_heads / shape.tp;
                let kv_heads = (a.num_key_value_heads / shape.tp).max(1);
                if quantized.qkv {
                    let sizes = [heads * a.head_dim, kv_heads * a.head_dim, kv_heads * a.v_head_dim];
                    fused(&sizes, &mut outputs);
                }
                if quantized.o {
                    inputs.push(heads * a.v_head_dim);
                }
            }
            _ => {}
        }
        let dense = run.mlp.dense.filter(|_| quantized.down);
        let shared = run.mlp.moe.and_then(|moe| moe.shared);
        let shared = shared.filter(|_| quantized.shared);
        let widths = [
            dense.map(|mlp| mlp.intermediate_size),
            shared.map(|shared| shared.intermediate_size),
        ];
        for width in widths.into_iter().flatten().map(|width| width / shape.tp) {
            fused(&[width, width], &mut outputs);
            inputs.push(width);
        }
    }
    let bad = outputs.into_iter().filter(|out| !out.is_multiple_of(n)).min();
    if let Some(size) = bad {
        return Some(format!(
            "Weight output_partition_size = {size} is not divisible by weight quantization block_n = {n}."
        ));
    }
    let bad = inputs
        .into_iter()
        .filter(|input| shape.tp > 1 && !input.is_multiple_of(k))
        .min();
    bad.map(|size| {
        format!(
            "Weight input_size_per_partition = {size} is not divisible by weight quantization block_k = {k}."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_layers_go_to_the_stages_before_the_last() {
        assert_eq!(layers_per_stage(32, 4), [8, 8, 8, 8]);
        assert_eq!(layers_per_stage(61, 2), [31, 30]);
        assert_eq!(layers_per_stage(62, 4), [15, 16, 16, 15]);
        assert_eq!(layers_per_stage(36, 5), [7, 7, 7, 8, 7]);
    }
}
