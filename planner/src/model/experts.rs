//! The feed-forward of each layer: dense, or routed experts.
use super::{
    ConfigError, DenseMlp, FeedForward, LatentMoe, Moe, SharedExpert,
    family::{Experts, Family, Routing, Shared, Sparse, Wide, Width},
    fields::Fields,
    layouts,
    resolve::switch,
};
use crate::units::FloatDtype;
use serde_json::{Map, Value};

const MAX_LAYERS: u32 = 1 << 10;
const MAX_INTERMEDIATE: u32 = 1 << 20;
const MAX_EXPERTS: u32 = 1 << 12;
const MAX_EXPERT_WIDTH: u32 = 1 << 18;

/// The feed-forward of each layer.
pub(super) fn feed_forward(
    fields: &Fields<'_>,
    family: &Family,
    hidden_size: u32,
    layers: u32,
) -> Result<Vec<FeedForward>, ConfigError> {
    let dense = |width: u32| -> Result<DenseMlp, ConfigError> {
        Ok(DenseMlp {
            intermediate_size: width,
            gated: family.gated,
            bias: switch(fields, family.mlp_bias)?,
            bare_up: family.bare_up,
            whole: family.whole_mlp,
            interleaved: false,
        })
    };
    let width = || width(fields, family.width, hidden_size);
    match family.experts {
        Experts::None | Experts::Lfm2 => Ok(same(Some(dense(width()?)?), None, layers)),
        Experts::Mixtral | Experts::MiniMax | Experts::GptOss => {
            let mini = family.experts == Experts::MiniMax;
            let expert = fields.required("intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "num_local_experts", expert)?;
            moe.correction_bias = mini;
            moe.bias = family.experts == Experts::GptOss;
            if mini {
                moe.router_dtype = FloatDtype::Float32;
            }
            Ok(same(None, Some(moe), layers))
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
            either(&sparse_layers(fields, layers)?, moe, || dense(width()?))
        }
        Experts::Named(routing) => {
            let sparse = routed_layers(fields, routing, layers)?;
            if !sparse.contains(&true) {
                return Ok(same(Some(dense(width()?)?), None, layers));
            }
            either(&sparse, named(fields, routing)?, || dense(width()?))
        }
        Experts::NemotronH => nemotron_h(fields),
        Experts::Nomic => {
            let gated = fields
                .text("activation_function")?
                .is_none_or(|name| name == "swiglu");
            let mlp = DenseMlp {
                gated,
                ..dense(width()?)?
            };
            let every = fields.count_in("moe_every_n_layers", 0, MAX_LAYERS)?.unwrap_or(0);
            if every == 0 {
                return Ok(same(Some(mlp), None, layers));
            }
            let moe = Moe {
                gated: false,
                output_bias: true,
                blackwell_kernel: false,
                ..routed_as(fields, "num_experts", "moe_top_k", mlp.intermediate_size)?
            };
            let sparse: Vec<bool> = (0..layers).map(|i| i % every == 1).collect();
            either(&sparse, moe, || Ok(mlp))
        }
        Experts::Gemma4 => {
            let mlp = Some(dense(width()?)?);
            if fields.flag("enable_moe_block")? != Some(true) {
                return Ok(same(mlp, None, layers));
            }
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let moe = Moe {
                router_scales: true,
                ..routed(fields, "num_experts", expert)?
            };
            Ok(same(mlp, Some(moe), layers))
        }
        Experts::Llama4 => llama4(fields, layers),
        Experts::MiniMaxM3 => {
            let expert = fields.required("intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let moe = Moe {
                shared: shared(fields, expert)?,
                router_dtype: FloatDtype::Float32,
                correction_bias: fields.flag("use_routing_bias")?.unwrap_or(false),
                ..routed(fields, "num_local_experts", expert)?
            };
            let sparse: Vec<bool> = match fields.list("moe_layer_freq")? {
                None => vec![true; layers as usize],
                Some(list) if list.len() >= layers as usize => {
                    let layers = list.iter().take(layers as usize);
                    layers.map(|value| value.as_u64() != Some(0)).collect()
                }
                Some(list) => {
                    return Err(fields.inconsistent(
                        "moe_layer_freq",
                        format!("{} entries for {layers} layers", list.len()),
                    ));
                }
            };
            either(&sparse, moe, || {
                dense(fields.required(
                    "dense_intermediate_size",
                    MAX_INTERMEDIATE,
                    "the feed-forward layers",
                )?)
            })
        }
        Experts::Kimi => {
            let mlp = || dense(width()?);
            if !fields.has("num_experts") {
                return Ok(same(Some(mlp()?), None, layers));
            }
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let count = fields.count_in("num_shared_experts", 0, 64)?.unwrap_or(0);
            let latent = fields.count("routed_expert_hidden_size", MAX_EXPERT_WIDTH)?;
            let norm = fields.flag("latent_moe_use_norm")?.unwrap_or(false);
            let moe = Moe {
                shared: (count > 0).then(|| SharedExpert {
                    intermediate_size: expert.saturating_mul(count),
                    gate: false,
                }),
                latent: latent.map(|size| LatentMoe {
                    size,
                    norm,
                    bias: false,
                }),
                least_share: fields
                    .count("min_moe_intermediate_per_partition", MAX_EXPERT_WIDTH)?
                    .unwrap_or(256),
                correction_bias: true,
                blackwell_kernel: false,
                ..routed(fields, "num_experts", expert)?
            };
            let first = fields.count_in("first_k_dense_replace", 0, layers)?.unwrap_or(0);
            let every = fields.count("moe_layer_freq", MAX_LAYERS)?.unwrap_or(1);
            let sparse: Vec<bool> = (0..layers).map(|i| i >= first && i % every == 0).collect();
            either(&sparse, moe, mlp)
        }
        Experts::Glm5Next => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let moe = Moe {
                shared: shared(fields, expert)?,
                correction_bias: matches!(fields.text("topk_method")?, None | Some("noaux_tc")),
                ..routed(fields, "n_routed_experts", expert)?
            };
            let types = fields.list("mlp_layer_types")?;
            let sparse = |i: u32| match types.and_then(|types| types.get(i as usize)) {
                Some(name) => name.as_str() == Some("sparse"),
                None => types.is_some() || i >= 3,
            };
            let sparse: Vec<bool> = (0..layers).map(sparse).collect();
            either(&sparse, moe, || dense(width()?))
        }
        Experts::DeepSeekV4 => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let moe = Moe {
                shared: shared(fields, expert)?,
                blackwell_kernel: false,
                ..routed(fields, "n_routed_experts", expert)?
            };
            let biased = fields.text("topk_method")? == Some("noaux_tc");
            let hashed = fields.count_in("num_hash_layers", 0, layers)?.unwrap_or(0);
            let layer = |i: u32| FeedForward {
                dense: None,
                moe: Some(Moe {
                    hashed: i < hashed,
                    correction_bias: biased && i >= hashed,
                    ..moe
                }),
            };
            Ok((0..layers).map(layer).collect())
        }
        Experts::Glm | Experts::DeepSeek => {
            let expert = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
            let mut moe = routed(fields, "n_routed_experts", expert)?;
            moe.shared = shared(fields, expert)?;
            if family.experts == Experts::Glm {
                moe.router_dtype = FloatDtype::Float32;
                moe.correction_bias = true;
            } else {
                moe.correction_bias = fields.text("topk_method")? == Some("noaux_tc");
                moe.blackwell_kernel = moe.correction_bias;
            }
            let first = fields.count_in("first_k_dense_replace", 0, layers)?.unwrap_or(0);
            let sparse: Vec<bool> = (0..layers).map(|i| i >= first).collect();
            either(&sparse, moe, || dense(width()?))
        }
    }
}

/// Which layers route, by the family's names.
fn routed_layers(fields: &Fields<'_>, routing: &Routing, layers: u32) -> Result<Vec<bool>, ConfigError> {
    let none = fields.count_in(routing.count, 0, MAX_EXPERTS)?.unwrap_or(0) == 0;
    let from = |first: u32| (0..layers).map(|i| i >= first).collect();
    Ok(match routing.sparse {
        _ if none => vec![false; layers as usize],
        Sparse::All => vec![true; layers as usize],
        Sparse::Steps => sparse_layers(fields, layers)?,
        Sparse::From(key, first) => from(fields.count_in(key, 0, MAX_LAYERS)?.unwrap_or(first)),
        Sparse::Types(first) => match layouts::sparse_by_type(fields, layers)? {
            Some(sparse) => sparse,
            None => from(
                fields
                    .count_in("first_k_dense_replace", 0, MAX_LAYERS)?
                    .unwrap_or(first),
            ),
        },
        Sparse::Interval => {
            let bound = |key, default| -> Result<u32, ConfigError> {
                Ok(fields.count_in(key, 0, MAX_LAYERS)?.unwrap_or(default))
            };
            let (first, last) = (
                bound("moe_layer_start_index", 0)?,
                match fields.value("moe_layer_end_index").and_then(Value::as_i64) {
                    // The last layer.
                    Some(-1) => layers.saturating_sub(1),
                    _ => bound("moe_layer_end_index", layers.saturating_sub(1))?,
                },
            );
            let every = bound("moe_layer_interval", 1)?.max(1);
            let route = |i: u32| (first..=last).contains(&i) && (i + 1).is_multiple_of(every);
            (0..layers).map(route).collect()
        }
    })
}

/// The experts of such a layer.
fn named(fields: &Fields<'_>, routing: &Routing) -> Result<Moe, ConfigError> {
    let expert = fields.required(routing.width, MAX_EXPERT_WIDTH, "the experts")?;
    let shared = match routing.shared {
        Shared::None => 0,
        Shared::Width(key) => fields.count_in(key, 0, MAX_INTERMEDIATE)?.unwrap_or(0),
        Shared::Times(key, default, own) => {
            let count = fields.count_in(key, 0, 64)?.unwrap_or(default);
            let width = match own {
                "" => None,
                own => fields.count(own, MAX_EXPERT_WIDTH)?,
            };
            width.unwrap_or(expert).saturating_mul(count)
        }
    };
    let wide = match routing.wide_router {
        Wide::Never => false,
        Wide::Always => true,
        Wide::Text(key) => fields.text(key)? == Some("fp32"),
    };
    let moe = routed_as(fields, routing.count, routing.per_token, expert)?;
    let second_width = match routing.images {
        "" => 0,
        key => fields.required(key, MAX_EXPERT_WIDTH, "the experts of images")?,
    };
    Ok(Moe {
        second_width,
        shared: (shared > 0).then_some(SharedExpert {
            intermediate_size: shared,
            gate: false,
        }),
        router_dtype: if wide {
            FloatDtype::Float32
        } else {
            moe.router_dtype
        },
        correction_bias: switch(fields, routing.correction_bias)?,
        ..moe
    })
}

/// Width of a dense feed-forward.
fn width(fields: &Fields<'_>, from: Width, hidden_size: u32) -> Result<u32, ConfigError> {
    let key = "intermediate_size";
    match from {
        Width::Field => fields.required(key, MAX_INTERMEDIATE, "the feed-forward layers"),
        Width::Half => {
            let both = fields.required("intermediate_size", MAX_INTERMEDIATE, "the feed-forward layers")?;
            Ok(both / 2)
        }
        Width::FieldOrField(own) => match fields.count(own, MAX_INTERMEDIATE)? {
            Some(width) => Ok(width),
            None => fields.required(key, MAX_INTERMEDIATE, "the feed-forward layers"),
        },
        Width::FieldOrFour => Ok(fields
            .count(key, MAX_INTERMEDIATE)?
            .unwrap_or(hidden_size.saturating_mul(4))),
        Width::Four => Ok(hidden_size.saturating_mul(4)),
    }
}

/// `n_shared_experts` of `expert` side by side.
fn shared(fields: &Fields<'_>, expert: u32) -> Result<Option<SharedExpert>, ConfigError> {
    let count = fields.count_in("n_shared_experts", 0, 64)?.unwrap_or(0);
    Ok((count > 0).then(|| SharedExpert {
        intermediate_size: expert.saturating_mul(count),
        gate: false,
    }))
}

fn llama4(fields: &Fields<'_>, layers: u32) -> Result<Vec<FeedForward>, ConfigError> {
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
    let sparse: Vec<bool> = (1..=layers).map(|i| i % step == 0).collect();
    either(&sparse, moe, || {
        let width = fields.required(
            "intermediate_size_mlp",
            MAX_INTERMEDIATE,
            "the feed-forward layers",
        )?;
        Ok(DenseMlp::gated(width))
    })
}

/// Every layer alike.
fn same(dense: Option<DenseMlp>, moe: Option<Moe>, layers: u32) -> Vec<FeedForward> {
    vec![FeedForward { dense, moe }; layers as usize]
}

/// Experts where `sparse` says so, else a dense feed-forward, whose fields are only read if a layer has one.
pub(super) fn either(
    sparse: &[bool],
    moe: Moe,
    dense: impl FnOnce() -> Result<DenseMlp, ConfigError>,
) -> Result<Vec<FeedForward>, ConfigError> {
    let dense = if sparse.contains(&false) {
        Some(dense()?)
    } else {
        None
    };
    let layer = |sparse: &bool| FeedForward {
        dense: dense.filter(|_| !sparse),
        moe: sparse.then_some(moe),
    };
    Ok(sparse.iter().map(layer).collect())
}

/// Feed-forwards without a gate, each a layer of its own.
fn nemotron_h(fields: &Fields<'_>) -> Result<Vec<FeedForward>, ConfigError> {
    let pattern = layouts::pattern(fields)?;
    let mlp = if pattern.contains('-') {
        let width = fields.required("intermediate_size", MAX_INTERMEDIATE, "the feed-forward layers")?;
        Some(DenseMlp {
            gated: false,
            bias: fields.flag("mlp_bias")?.unwrap_or(false),
            ..DenseMlp::gated(width)
        })
    } else {
        None
    };
    let mut experts = Vec::new();
    if pattern.contains('E') && !fields.has(layouts::BLOCKS) {
        experts = vec![Some(nemotron_experts(fields)?); pattern.len()];
    }
    for block in layouts::blocks(fields, NEMOTRON_EXPERTS)? {
        let own = |block: Map<String, Value>| nemotron_experts(&Fields::new(&block, ""));
        experts.push(block.map(own).transpose()?);
    }
    let layer = |(i, c)| FeedForward {
        dense: mlp.filter(|_| c == '-'),
        moe: experts.get(i).copied().flatten().filter(|_| c == 'E'),
    };
    Ok(pattern.chars().enumerate().map(layer).collect())
}

/// What [`nemotron_experts`] reads.
const NEMOTRON_EXPERTS: &[&str] = &[
    "n_routed_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "moe_latent_size",
    "n_shared_experts",
    "moe_shared_expert_intermediate_size",
    "mlp_bias",
];

fn nemotron_experts(fields: &Fields<'_>) -> Result<Moe, ConfigError> {
    let latent = fields.count("moe_latent_size", MAX_EXPERT_WIDTH)?;
    let bias = fields.flag("mlp_bias")?.unwrap_or(false);
    let width = fields.required("moe_intermediate_size", MAX_EXPERT_WIDTH, "the experts")?;
    let shared = fields.count_in("n_shared_experts", 0, 64)?.unwrap_or(0);
    let shared_width = fields
        .count("moe_shared_expert_intermediate_size", MAX_EXPERT_WIDTH)?
        .unwrap_or(width);
    Ok(Moe {
        gated: false,
        correction_bias: true,
        wide_router_before_hopper: true,
        latent: latent.map(|size| LatentMoe {
            size,
            norm: false,
            bias,
        }),
        shared: (shared > 0).then(|| SharedExpert {
            intermediate_size: shared_width.saturating_mul(shared),
            gate: false,
        }),
        ..routed(fields, "n_routed_experts", width)?
    })
}

pub(super) fn routed(fields: &Fields<'_>, key: &'static str, width: u32) -> Result<Moe, ConfigError> {
    // Gemma 4 and Kimi have names of their own for it.
    let own = ["top_k_experts", "num_experts_per_token"];
    let per_token = own
        .into_iter()
        .find(|name| fields.has(name))
        .unwrap_or("num_experts_per_tok");
    routed_as(fields, key, per_token, width)
}

/// Routed experts of that width, under those names.
pub(super) fn routed_as(
    fields: &Fields<'_>,
    key: &'static str,
    per_token: &'static str,
    width: u32,
) -> Result<Moe, ConfigError> {
    let num_experts = fields.required(key, MAX_EXPERTS, "the experts")?;
    let per_token = fields.required(per_token, MAX_EXPERTS, "the activation peak")?;
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
        latent: None,
        idle_experts: 0,
        sinks: 0,
        second_width: 0,
        least_share: 1,
        router_dtype: FloatDtype::Bfloat16,
        correction_bias: false,
        image_bias: false,
        bias: false,
        output_bias: false,
        gated: true,
        wide_router_before_hopper: false,
        router_scales: false,
        blackwell_kernel: true,
        hashed: false,
    })
}

/// Qwen's rule: every `decoder_sparse_step`-th layer, unless `mlp_only_layers` names it.
fn sparse_layers(fields: &Fields<'_>, layers: u32) -> Result<Vec<bool>, ConfigError> {
    let step = fields.count("decoder_sparse_step", MAX_LAYERS)?.unwrap_or(1);
    let only = fields.list("mlp_only_layers")?.unwrap_or_default();
    let dense: Vec<u64> = only.iter().filter_map(Value::as_u64).collect();
    Ok((0..layers)
        .map(|i| (i + 1) % step == 0 && !dense.contains(&u64::from(i)))
        .collect())
}
