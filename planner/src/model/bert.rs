//! Rows of BERT and its relatives: encoders, which vLLM only pools (`models/{bert,bert_with_rope,roberta,modernbert}.py` at
//! 0.33.0).
use super::{
    families::LLAMA,
    family::{Experts, Family, Head, Pattern, Positions, Switch},
    fields::Names,
    positions::RopeKind,
};

const BERT: Family = Family {
    architecture: "BertModel",
    qkv_bias: Switch::Always,
    o_bias: Switch::Always,
    mlp_bias: Switch::Always,
    norm_bias: true,
    pattern: Pattern::None,
    rope: RopeKind::None,
    gated: false,
    last_norm: Switch::Never,
    embedding_norm: Switch::Always,
    positions: Positions::Split,
    pools: Some(Head::None),
    ..LLAMA
};

const MASKED: Family = Family {
    architecture: "BertForMaskedLM",
    pools: Some(Head::Masked),
    ..BERT
};

/// Gated, with rotary embeddings (`models/bert_with_rope.py`).
const GTE: Family = Family {
    architecture: "GteNewModel",
    bare_up: true,
    rope: RopeKind::Common,
    gated: true,
    positions: Positions::Types,
    ..BERT
};

/// Nomic's config takes its names from GPT-2's.
const NOMIC_NAMES: Names = &[
    ("hidden_size", "n_embd"),
    ("num_hidden_layers", "n_layer"),
    ("num_attention_heads", "n_head"),
    ("intermediate_size", "n_inner"),
    ("max_position_embeddings", "n_positions"),
];

/// Gated, without biases, with rotary embeddings of two thetas (`models/modernbert.py`). Its first layer has no norm
/// before the attention; as many are counted by leaving out the one behind the embedding.
const MODERN_BERT: Family = Family {
    architecture: "ModernBertModel",
    pattern: Pattern::None,
    rope: RopeKind::TwoThetas,
    pools: Some(Head::None),
    ..LLAMA
};

/// Where a config does not say how wide a token's vector is, the file's own matrix does: 128 in ColBERT v2
/// (`models/colbert.py`).
const COLBERT: Head = Head::Vectors(128);

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    BERT,
    Family {
        architecture: "RobertaModel",
        ..BERT
    },
    Family {
        architecture: "XLMRobertaModel",
        ..BERT
    },
    Family {
        architecture: "RobertaForMaskedLM",
        ..BERT
    },
    Family {
        architecture: "BgeM3EmbeddingModel",
        pools: Some(Head::Sparse),
        ..BERT
    },
    MASKED,
    Family {
        architecture: "BertSpladeSparseEmbeddingModel",
        ..MASKED
    },
    Family {
        architecture: "BertForSequenceClassification",
        pools: Some(Head::Dense),
        ..BERT
    },
    Family {
        architecture: "RobertaForSequenceClassification",
        pools: Some(Head::Dense),
        ..BERT
    },
    Family {
        architecture: "XLMRobertaForSequenceClassification",
        pools: Some(Head::Dense),
        ..BERT
    },
    Family {
        architecture: "BertForTokenClassification",
        pools: Some(Head::Labels),
        ..BERT
    },
    Family {
        architecture: "RobertaForTokenClassification",
        pools: Some(Head::Labels),
        ..BERT
    },
    Family {
        architecture: "XLMRobertaForTokenClassification",
        pools: Some(Head::Labels),
        ..BERT
    },
    Family {
        architecture: "HF_ColBERT",
        pools: Some(COLBERT),
        ..BERT
    },
    GTE,
    Family {
        architecture: "GteModel",
        ..GTE
    },
    Family {
        architecture: "GteNewForSequenceClassification",
        pools: Some(Head::Dense),
        ..GTE
    },
    Family {
        architecture: "NomicBertModel",
        names: NOMIC_NAMES,
        qkv_bias: Switch::Field("qkv_proj_bias"),
        o_bias: Switch::Field("qkv_proj_bias"),
        mlp_bias: Switch::Field("qkv_proj_bias"),
        bare_up: false,
        experts: Experts::Nomic,
        ..GTE
    },
    MODERN_BERT,
    Family {
        architecture: "ColBERTModernBertModel",
        pools: Some(COLBERT),
        ..MODERN_BERT
    },
    Family {
        // A norm without bias in the place of the square layer's bias.
        architecture: "ModernBertForSequenceClassification",
        pools: Some(Head::Dense),
        ..MODERN_BERT
    },
];
