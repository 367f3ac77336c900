//! Rows of BERT and its relatives: encoders, of which vLLM only pools (`models/{bert,roberta}.py` at 0.33.0).
use super::{
    families::{Family, Head, LLAMA, Pattern, Positions, Switch},
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
    embedding_norm: true,
    positions: Positions::Split,
    pools: Some(Head::None),
    ..LLAMA
};

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
];
