//! Rows of families whose experts differ by names alone, and of dense ones that came with them.
//!
//! Mirrors `vllm/model_executor/models/<module>.py` at 0.33.0. None of them was held against vLLM's own figures.
use super::{
    QkNorm,
    families::{DEEPSEEK, LLAMA, MIXTRAL, QWEN2, QWEN3},
    family::{Experts, Family, KvHeads, Pattern, Routing, Shared, Sparse, Switch, Wide, Width},
    layouts::Layout,
    plain::{COHERE2, MINICPM, PLAIN},
    positions::RopeKind,
};

/// Names of classes that more than one room asks for.
pub(super) const ZAMBA2: &str = "Zamba2ForCausalLM";
pub(super) const LONGCAT: &str = "LongcatFlashForCausalLM";
pub(super) const K2_HORIZON: &str = "K2HorizonForCausalLM";
/// Names of language models that the registry does not have.
pub(super) const ERNIE_VL: &str = "Ernie4_5_VLMoeForCausalLM";
pub(super) const ARIA: &str = "AriaTextModel";
pub(super) const STEP3: &str = "Step3TextForCausalLM";
pub(super) const MOONDREAM: &str = "Moondream3TextModel";
pub(super) const LING25: &str = "BailingMoeV2_5ForCausalLM";
const LING3: &str = "BailingMoeV3ForCausalLM";

const ROUTING: Routing = Routing {
    count: "num_experts",
    per_token: "num_experts_per_tok",
    width: "moe_intermediate_size",
    shared: Shared::Times("num_shared_experts", 0, ""),
    sparse: Sparse::From("first_k_dense_replace", 0),
    wide_router: Wide::Never,
    correction_bias: Switch::Always,
    images: "",
};

/// Ling and Ring, and those who took their class.
const BAILING: Family = Family {
    architecture: "BailingMoeForCausalLM",
    unchecked: true,
    qkv_bias: Switch::Either("use_bias", "use_qkv_bias"),
    o_bias: Switch::Field("use_bias"),
    mlp_bias: Switch::Field("use_bias"),
    qk_norm: QkNorm::PerHead,
    qk_norm_field: Some("use_qk_norm"),
    pattern: Pattern::None,
    experts: Experts::Named(&Routing {
        wide_router: Wide::Text("router_dtype"),
        correction_bias: Switch::Field("moe_router_enable_expert_bias"),
        shared: Shared::Times("num_shared_experts", 0, "moe_shared_expert_intermediate_size"),
        ..ROUTING
    }),
    ..LLAMA
};

const EXAONE_MOE: Family = Family {
    architecture: "ExaoneMoEForCausalLM",
    unchecked: true,
    qkv_bias: Switch::Either("attention_bias", "bias"),
    o_bias: Switch::Either("attention_bias", "bias"),
    qk_norm: QkNorm::PerHead,
    pattern: Pattern::FullEvery(4),
    experts: Experts::Named(&Routing {
        sparse: Sparse::Types(1),
        ..ROUTING
    }),
    ..LLAMA
};

const ERNIE: Family = Family {
    architecture: "Ernie4_5_MoeForCausalLM",
    unchecked: true,
    qkv_bias: Switch::Field("use_bias"),
    mlp_bias: Switch::Field("use_bias"),
    tied: true,
    pattern: Pattern::None,
    experts: Experts::Named(&ERNIE_ROUTING),
    ..PLAIN
};

const ERNIE_ROUTING: Routing = Routing {
    count: "moe_num_experts",
    per_token: "moe_k",
    shared: Shared::Times("moe_num_shared_experts", 0, ""),
    sparse: Sparse::Interval,
    wide_router: Wide::Always,
    ..ROUTING
};

const GRANITE_SWA: Family = Family {
    architecture: "GraniteSWAForCausalLM",
    unchecked: true,
    sinks: true,
    pattern: Pattern::None,
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: MOONDREAM,
        unchecked: true,
        qkv_bias: Switch::Always,
        o_bias: Switch::Always,
        mlp_bias: Switch::Always,
        lm_head_bias: Switch::Always,
        norms_per_layer: 1,
        norm_bias: true,
        pattern: Pattern::None,
        rotary_fraction: 0.5,
        gated: false,
        experts: Experts::Named(&Routing {
            count: "moe.n_experts",
            per_token: "moe.n_experts_per_tok",
            width: "moe.expert_inner_dim",
            shared: Shared::None,
            sparse: Sparse::From("moe.start_layer", 4),
            ..ROUTING
        }),
        ..LLAMA
    },
    BAILING,
    Family {
        architecture: "BailingMoeV2ForCausalLM",
        ..BAILING
    },
    Family {
        architecture: "SarvamMoEForCausalLM",
        ..BAILING
    },
    Family {
        // Through Transformers' own class (`models/transformers/moe.py`), whose lists are alike for all layers.
        architecture: "HunYuanMoEV1ForCausalLM",
        names: &[
            ("num_experts_per_tok", "moe_topk.0"),
            ("num_experts_per_tok", "moe_topk"),
            ("moe_intermediate_size", "moe_intermediate_size.0"),
            ("moe_intermediate_size", "moe_intermediate_size"),
            ("moe_intermediate_size", "intermediate_size"),
        ],
        unchecked: true,
        o_bias: Switch::Field("attention_bias"),
        qk_norm: QkNorm::PerHead,
        rope: RopeKind::Frequencies(1),
        experts: Experts::Named(&Routing {
            shared: Shared::Width("intermediate_size"),
            sparse: Sparse::All,
            correction_bias: Switch::Never,
            ..ROUTING
        }),
        ..PLAIN
    },
    EXAONE_MOE,
    Family {
        architecture: "ExaoneMoeForCausalLM",
        ..EXAONE_MOE
    },
    GRANITE_SWA,
    Family {
        architecture: "GraniteMoeSWAForCausalLM",
        sinks: true,
        ..GRANITE_SHARED
    },
    GRANITE_SHARED,
    Family {
        // A scalar for each side of its activation, and two that stay the same.
        architecture: "ApertusForCausalLM",
        unchecked: true,
        qkv_bias: Switch::Either("attention_bias", "bias"),
        o_bias: Switch::Either("attention_bias", "bias"),
        qk_norm: QkNorm::PerHead,
        scalars_per_layer: 4,
        gated: false,
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        // Trinity.
        architecture: "AfmoeForCausalLM",
        unchecked: true,
        own_gate: true,
        qkv_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        norms_per_layer: 4,
        pattern: Pattern::FullEvery(4),
        experts: Experts::Named(&Routing {
            sparse: Sparse::From("num_dense_layers", 1),
            shared: Shared::Times("num_shared_experts", 2, ""),
            wide_router: Wide::Always,
            ..ROUTING
        }),
        ..PLAIN
    },
    ERNIE,
    Family {
        // Experts for text and as many for images; lists of two where others have a number
        // (`models/ernie45_vl_moe.py`).
        architecture: ERNIE_VL,
        names: &[
            ("moe_num_experts", "moe_num_experts.0"),
            ("moe_intermediate_size", "moe_intermediate_size.0"),
            ("moe_layer_start_index", "moe_layer_start_index.0"),
            ("moe_layer_end_index", "moe_layer_end_index.1"),
        ],
        experts: Experts::Named(&Routing {
            images: "moe_intermediate_size.1",
            ..ERNIE_ROUTING
        }),
        rope: RopeKind::ThreeAxes,
        ..ERNIE
    },
    Family {
        architecture: ARIA,
        unchecked: true,
        experts: Experts::Named(&Routing {
            count: "moe_num_experts",
            per_token: "moe_topk",
            width: "intermediate_size",
            shared: Shared::Times("moe_num_shared_experts", 2, ""),
            sparse: Sparse::All,
            correction_bias: Switch::Never,
            ..ROUTING
        }),
        ..LLAMA
    },
    Family {
        architecture: LONGCAT,
        unchecked: true,
        names: &[
            ("num_hidden_layers", "num_layers"),
            ("intermediate_size", "ffn_hidden_size"),
            ("moe_intermediate_size", "expert_ffn_hidden_size"),
        ],
        layout: Layout::Longcat,
        experts: Experts::Named(&Routing {
            count: "n_routed_experts",
            per_token: "moe_topk",
            shared: Shared::None,
            sparse: Sparse::All,
            wide_router: Wide::Always,
            ..ROUTING
        }),
        ..DEEPSEEK
    },
    Family {
        // Ling 3: Kimi's linear attention between its layers of latent attention.
        architecture: LING3,
        unchecked: true,
        kda: true,
        mlp_bias: Switch::Field("use_bias"),
        experts: Experts::Named(&Routing {
            shared: Shared::Times("num_shared_experts", 0, "moe_shared_expert_intermediate_size"),
            wide_router: Wide::Always,
            ..ROUTING
        }),
        ..DEEPSEEK
    },
    Family {
        // Ling 2.5: lightning attention between them.
        architecture: LING25,
        unchecked: true,
        kda: true,
        mlp_bias: Switch::Field("use_bias"),
        // Two caches of one size: half of the linear heads, all that has positions of the latent ones.
        rope: RopeKind::DeepSeekIndexer,
        experts: Experts::Named(&Routing {
            shared: Shared::Times("num_shared_experts", 0, "moe_shared_expert_intermediate_size"),
            wide_router: Wide::Always,
            correction_bias: Switch::Field("moe_router_enable_expert_bias"),
            ..ROUTING
        }),
        ..DEEPSEEK
    },
    Family {
        architecture: STEP3,
        unchecked: true,
        names: &[("max_position_embeddings", "max_position_embedding")],
        layout: Layout::Step3,
        qkv_bias: Switch::Never,
        pattern: Pattern::None,
        ..PLAIN
    },
    Family {
        architecture: ZAMBA2,
        unchecked: true,
        layout: Layout::Zamba,
        qkv_bias: Switch::Never,
        norms_per_layer: 1,
        tied: true,
        pattern: Pattern::None,
        rope: RopeKind::Flagged,
        ..PLAIN
    },
    Family {
        // Its value experts (MoVA) are refused, as is a gate on its attention.
        architecture: K2_HORIZON,
        unchecked: true,
        qk_norm: QkNorm::AllHeadsSharded,
        qk_norm_field: Some("query_key_norm"),
        o_bias: Switch::Field("attention_bias"),
        pattern: Pattern::None,
        experts: Experts::Named(&Routing {
            shared: Shared::Times("num_shared_experts", 0, ""),
            sparse: Sparse::Steps,
            correction_bias: Switch::Field("moe_gate_bias"),
            ..ROUTING
        }),
        ..PLAIN
    },
    // Through Transformers' own classes, from here on to Kolibri.
    Family {
        architecture: "MellumForCausalLM",
        unchecked: true,
        pattern: Pattern::None,
        rope: RopeKind::Frequencies(2),
        experts: Experts::Named(&Routing {
            shared: Shared::None,
            sparse: Sparse::Types(0),
            correction_bias: Switch::Never,
            ..ROUTING
        }),
        ..QWEN3
    },
    Family {
        architecture: "FlexOlmoForCausalLM",
        unchecked: true,
        o_bias: Switch::Field("attention_bias"),
        qk_norm: QkNorm::AllHeads,
        pattern: Pattern::None,
        rope: RopeKind::Frequencies(1),
        experts: Experts::Named(&Routing {
            width: "intermediate_size",
            shared: Shared::None,
            sparse: Sparse::All,
            correction_bias: Switch::Never,
            ..ROUTING
        }),
        ..PLAIN
    },
    Family {
        architecture: "VaultGemmaForCausalLM",
        unchecked: true,
        tied: true,
        scalar_buffers: 1,
        pattern: Pattern::FullEvery(2),
        rope: RopeKind::Frequencies(1),
        ..PLAIN
    },
    Family {
        architecture: "Kolibri1ForCausalLM",
        unchecked: true,
        qkv_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        norms_per_layer: 4,
        pattern: Pattern::FullEvery(5),
        rope: RopeKind::Frequencies(1),
        experts: Experts::Named(&Routing {
            shared: Shared::Width("shared_expert_intermediate_size"),
            sparse: Sparse::All,
            ..ROUTING
        }),
        ..PLAIN
    },
    Family {
        // Its own config's class makes windows of these two fields (`models/plamo3.py`).
        architecture: "Plamo3ForCausalLM",
        unchecked: true,
        names: &[("sliding_window", "window_size")],
        qkv_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        norms_per_layer: 4,
        tied: true,
        pattern: Pattern::FullEvery(8),
        rope: RopeKind::TwoThetas,
        ..PLAIN
    },
    Family {
        architecture: "HyperCLOVAXForCausalLM",
        unchecked: true,
        sandwich: Some("use_post_norm"),
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        // Tencent's Hy3. Their own kernels, where installed, would keep norms and positions in float32.
        architecture: "HYV3ForCausalLM",
        unchecked: true,
        names: &[("moe_intermediate_size", "expert_hidden_dim")],
        qkv_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        qk_norm_field: Some("qk_norm"),
        pattern: Pattern::None,
        experts: Experts::Named(&Routing {
            wide_router: Wide::Always,
            ..ROUTING
        }),
        ..PLAIN
    },
    Family {
        architecture: "HYV4ForCausalLM",
        unchecked: true,
        layout: Layout::Hy4,
        rope: RopeKind::Common,
        experts: Experts::Named(&Routing {
            count: "n_routed_experts",
            shared: Shared::Times("n_shared_experts", 1, ""),
            sparse: Sparse::Types(1),
            wide_router: Wide::Always,
            ..ROUTING
        }),
        ..DEEPSEEK
    },
    Family {
        architecture: "Cohere2MoeForCausalLM",
        unchecked: true,
        width: Width::FieldOrField("prefix_dense_intermediate_size"),
        experts: Experts::Named(&Routing {
            width: "intermediate_size",
            sparse: Sparse::Types(0),
            correction_bias: Switch::Never,
            ..ROUTING
        }),
        ..COHERE2
    },
    Family {
        architecture: "Param2MoEForCausalLM",
        unchecked: true,
        qkv_bias: Switch::Field("use_qkv_bias"),
        o_bias: Switch::Field("use_bias"),
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::PerHead,
        qk_norm_field: Some("use_qk_norm"),
        pattern: Pattern::None,
        experts: Experts::Named(&Routing {
            shared: Shared::Times("num_shared_experts", 1, ""),
            sparse: Sparse::From("first_k_dense_replace", 1),
            wide_router: Wide::Always,
            correction_bias: Switch::Unless("moe_router_enable_expert_bias"),
            ..ROUTING
        }),
        ..LLAMA
    },
    Family {
        architecture: "SarvamMLAForCausalLM",
        unchecked: true,
        experts: Experts::Named(&Routing {
            shared: Shared::Times("num_shared_experts", 1, "moe_shared_expert_intermediate_size"),
            sparse: Sparse::From("first_k_dense_replace", 1),
            correction_bias: Switch::Unless("moe_router_enable_expert_bias"),
            ..ROUTING
        }),
        ..DEEPSEEK
    },
    Family {
        architecture: "MistralLarge3ForCausalLM",
        unchecked: true,
        ..DEEPSEEK
    },
    Family {
        architecture: "AXK1ForCausalLM",
        unchecked: true,
        norms_per_layer: 3,
        ..DEEPSEEK
    },
    Family {
        architecture: "PanguUltraMoEForCausalLM",
        unchecked: true,
        sandwich: Some("sandwich_norm"),
        experts: Experts::Named(&Routing {
            count: "n_routed_experts",
            shared: Shared::Times("n_shared_experts", 0, ""),
            correction_bias: Switch::Field("router_enable_expert_bias"),
            ..ROUTING
        }),
        ..DEEPSEEK
    },
    Family {
        architecture: "PanguEmbeddedForCausalLM",
        unchecked: true,
        qkv_bias: Switch::Either("attention_bias", "bias"),
        o_bias: Switch::Either("attention_bias", "bias"),
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        architecture: "Step1ForCausalLM",
        unchecked: true,
        names: &[("num_key_value_heads", "num_attention_groups")],
        tied: true,
        kv_heads: KvHeads::FieldOrOne,
        alibi: Switch::Always,
        pattern: Pattern::None,
        ..LLAMA
    },
    Family {
        // Its layers keep their states as Qwen3-Next's do.
        architecture: "OlmoHybridForCausalLM",
        unchecked: true,
        linear: true,
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        mlp_bias: Switch::Never,
        qk_norm: QkNorm::AllHeads,
        pattern: Pattern::None,
        ..QWEN2
    },
    Family {
        architecture: "MiniCPMForCausalLM",
        experts: Experts::Named(&Routing {
            width: "intermediate_size",
            shared: Shared::None,
            sparse: Sparse::All,
            correction_bias: Switch::Never,
            ..ROUTING
        }),
        ..MINICPM
    },
    Family {
        architecture: "FalconH1ForCausalLM",
        unchecked: true,
        layout: Layout::FalconH1,
        qkv_bias: Switch::Never,
        o_bias: Switch::Never,
        // Of each mixer: attention and Mamba stand side by side.
        norms_per_layer: 1,
        pattern: Pattern::None,
        ..LLAMA
    },
];

const GRANITE_SHARED: Family = Family {
    architecture: "GraniteMoeSharedForCausalLM",
    unchecked: true,
    pattern: Pattern::None,
    experts: Experts::Named(&Routing {
        count: "num_local_experts",
        width: "intermediate_size",
        shared: Shared::Width("shared_intermediate_size"),
        sparse: Sparse::All,
        correction_bias: Switch::Never,
        ..ROUTING
    }),
    ..MIXTRAL
};
