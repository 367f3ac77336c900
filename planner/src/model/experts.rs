//! The feed-forward of each layer: dense, or routed experts.
use super::{
    ConfigError, attention,
    families::{Experts, Family},
    fields::Fields,
    resolve::switch,
    spec::{DenseMlp, MlpKind, Moe, SharedExpert},
};
use crate::units::FloatDtype;
use serde_json::Value;

const MAX_LAYERS: u32 = 1 << 10;
const MAX_INTERMEDIATE: u32 = 1 << 20;
const MAX_EXPERTS: u32 = 1 << 12;
const MAX_EXPERT_WIDTH: u32 = 1 << 18;

/// Shapes of dense layers, shapes of expert layers, and which layer is which.
pub(super) type FeedForward = (Option<DenseMlp>, Option<Moe>, Vec<MlpKind>);

pub(super) fn feed_forward(
    fields: &Fields<'_>,
    family: &Family,
    layers: u32,
) -> Result<FeedForward, ConfigError> {
    let dense = |width: u32| -> Result<DenseMlp, ConfigError> {
        Ok(DenseMlp {
            intermediate_size: width,
            gated: true,
            bias: switch(fields, family.mlp_bias)?,
        })
    };
    let width = || fields.required("intermediate_size", MAX_INTERMEDIATE, "the feed-forward layers");
    match family.experts {
        Experts::None => Ok((
            Some(dense(width()?)?),
            None,
            vec![MlpKind::Dense; layers as usize],
        )),
        Experts::Mixtral | Experts::MiniMax | Experts::GptOss => {
            let mini = family.experts == Experts::MiniMax;
            let expert = fields.required("intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "num_local_experts", expert)?;
            moe.correction_bias = mini;
            moe.bias = family.experts == Experts::GptOss;
            if mini {
                moe.router_dtype = FloatDtype::Float32;
            }
            Ok((None, Some(moe), vec![MlpKind::Moe; layers as usize]))
        }
        Experts::Qwen | Experts::QwenShared => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "num_experts", expert)?;
            if family.experts == Experts::QwenShared
                && let Some(width) =
                    fields.count_in("shared_expert_intermediate_size", 0, MAX_INTERMEDIATE)?
                && width > 0
            {
                moe.shared = Some(SharedExpert {
                    intermediate_size: width,
                    gate: true,
                });
            }
            let kinds = sparse_layers(fields, layers)?;
            let mlp = if kinds.contains(&MlpKind::Dense) {
                Some(dense(width()?)?)
            } else {
                None
            };
            Ok((mlp, Some(moe), kinds))
        }
        Experts::NemotronH => nemotron_h(fields, layers),
        Experts::Gemma4 => {
            let mlp = Some(dense(width()?)?);
            if fields.flag("enable_moe_block")? != Some(true) {
                return Ok((mlp, None, vec![MlpKind::Dense; layers as usize]));
            }
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let moe = Moe {
                router_scales: true,
                ..routed(fields, "num_experts", expert)?
            };
            Ok((mlp, Some(moe), vec![MlpKind::DenseAndMoe; layers as usize]))
        }
        Experts::Llama4 => llama4(fields, layers),
        Experts::Glm | Experts::DeepSeek => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "n_routed_experts", expert)?;
            let shared = fields.count_in("n_shared_experts", 0, 64)?.unwrap_or(0);
            moe.shared = (shared > 0).then(|| SharedExpert {
                intermediate_size: expert.saturating_mul(shared),
                gate: false,
            });
            if family.experts == Experts::Glm {
                moe.router_dtype = FloatDtype::Float32;
                moe.correction_bias = true;
            } else {
                moe.correction_bias = fields.text("topk_method")? == Some("noaux_tc");
                moe.blackwell_kernel = moe.correction_bias;
            }
            let first = fields.count_in("first_k_dense_replace", 0, layers)?.unwrap_or(0);
            let kinds = (0..layers)
                .map(|i| if i < first { MlpKind::Dense } else { MlpKind::Moe })
                .collect();
            let mlp = if first > 0 { Some(dense(width()?)?) } else { None };
            Ok((mlp, Some(moe), kinds))
        }
    }
}

fn llama4(fields: &Fields<'_>, layers: u32) -> Result<FeedForward, ConfigError> {
    let width = fields.required("intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
    let shared = Some(SharedExpert {
        intermediate_size: width,
        gate: false,
    });
    let moe = Moe {
        shared,
        ..routed(fields, "num_local_experts", width)?
    };
    let step = fields
        .count("interleave_moe_layer_step", MAX_LAYERS)?
        .unwrap_or(1);
    let kinds: Vec<MlpKind> = (1..=layers)
        .map(|i| {
            if i % step == 0 {
                MlpKind::Moe
            } else {
                MlpKind::Dense
            }
        })
        .collect();
    let mlp = if kinds.contains(&MlpKind::Dense) {
        let width = fields.required(
            "intermediate_size_mlp",
            MAX_INTERMEDIATE,
            "the feed-forward layers",
        )?;
        Some(DenseMlp {
            intermediate_size: width,
            gated: true,
            bias: false,
        })
    } else {
        None
    };
    Ok((mlp, Some(moe), kinds))
}

/// Feed-forwards without a gate, each a layer of its own.
fn nemotron_h(fields: &Fields<'_>, layers: u32) -> Result<FeedForward, ConfigError> {
    let kind = |c| match c {
        '-' => MlpKind::Dense,
        'E' => MlpKind::Moe,
        _ => MlpKind::None,
    };
    let kinds: Vec<MlpKind> = attention::pattern(fields, layers)?.chars().map(kind).collect();
    let mlp = if kinds.contains(&MlpKind::Dense) {
        let width = fields.required("intermediate_size", MAX_INTERMEDIATE, "the feed-forward layers")?;
        Some(DenseMlp {
            intermediate_size: width,
            gated: false,
            bias: fields.flag("mlp_bias")?.unwrap_or(false),
        })
    } else {
        None
    };
    let moe = if kinds.contains(&MlpKind::Moe) {
        if fields.has("moe_latent_size") {
            return Err(ConfigError::unsupported(
                "experts behind a latent projection (`moe_latent_size`) are not modelled yet",
            ));
        }
        let width = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
        let shared = fields.count_in("n_shared_experts", 0, 64)?.unwrap_or(0);
        let shared_width = fields
            .count("moe_shared_expert_intermediate_size", MAX_EXPERT_WIDTH)?
            .unwrap_or(width);
        Some(Moe {
            gated: false,
            correction_bias: true,
            wide_router_before_hopper: true,
            shared: (shared > 0).then(|| SharedExpert {
                intermediate_size: shared_width.saturating_mul(shared),
                gate: false,
            }),
            ..routed(fields, "n_routed_experts", width)?
        })
    } else {
        None
    };
    Ok((mlp, moe, kinds))
}

fn routed(fields: &Fields<'_>, key: &'static str, width: u32) -> Result<Moe, ConfigError> {
    let num_experts = fields.required(key, MAX_EXPERTS, "the experts")?;
    // Gemma 4 has a name of its own for it.
    let per_token = match fields.count("top_k_experts", MAX_EXPERTS)? {
        Some(count) => count,
        None => fields.required("num_experts_per_tok", MAX_EXPERTS, "the activation peak")?,
    };
    if per_token > num_experts {
        return Err(fields.inconsistent(
            "num_experts_per_tok",
            format!("{per_token} of {num_experts} experts"),
        ));
    }
    Ok(Moe {
        num_experts,
        num_experts_per_tok: per_token,
        moe_intermediate_size: width,
        shared: None,
        router_dtype: FloatDtype::Bfloat16,
        correction_bias: false,
        bias: false,
        gated: true,
        wide_router_before_hopper: false,
        router_scales: false,
        blackwell_kernel: true,
    })
}

/// Qwen's rule: every `decoder_sparse_step`-th layer, unless `mlp_only_layers` names it.
fn sparse_layers(fields: &Fields<'_>, layers: u32) -> Result<Vec<MlpKind>, ConfigError> {
    let step = fields.count("decoder_sparse_step", MAX_LAYERS)?.unwrap_or(1);
    let only = fields.list("mlp_only_layers")?.unwrap_or_default();
    let dense: Vec<u64> = only.iter().filter_map(Value::as_u64).collect();
    Ok((0..layers)
        .map(|i| {
            let moe = (i + 1) % step == 0 && !dense.contains(&u64::from(i));
            if moe { MlpKind::Moe } else { MlpKind::Dense }
        })
        .collect())
}
