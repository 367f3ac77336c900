//! Models that give vectors or classes instead of text: which architectures vLLM makes of a generating one.
//!
//! Mirrors `vllm/config/model.py: _SUFFIX_TO_DEFAULTS`, `model_executor/models/registry.py: _normalize_arch` and
//! `model_executor/models/adapters.py` at 0.33.0.
use super::{
    ConfigError, families,
    family::{Family, Head, Positions},
    fields::Fields,
    resolve::short,
};

/// The last layers of a model that classifies, in float32 (`models/adapters.py`, `models/{bert,roberta}.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classifier {
    /// Classes.
    pub labels: u32,
    /// A square layer before them.
    pub dense: bool,
    /// Biases.
    pub bias: bool,
    /// Split over the ranks: the square layer by its outputs, the labels by their inputs.
    pub split: bool,
}

impl Classifier {
    /// Elements on one of `tp` ranks, behind a last layer of that width.
    pub fn elements(&self, hidden_size: u64, tp: u64) -> u64 {
        let ranks = if self.split { tp.max(1) } else { 1 };
        let (labels, inner) = (u64::from(self.labels), hidden_size / ranks);
        let square = inner * hidden_size + u64::from(self.bias) * inner;
        labels * inner + u64::from(self.bias) * labels + if self.dense { square } else { 0 }
    }
}

/// A model that gives vectors or classes: it has no output head and no sampler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pooling {
    /// What classifies, where it does.
    pub classifier: Option<Classifier>,
    /// Elements of layers in the model's own type behind the last one.
    pub projector: u64,
}

/// What vLLM does where nobody says `--runner`, and the class does not decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unasked {
    /// Text comes out.
    #[default]
    Generates,
    /// It pools if the repository has sentence-transformers' files, which config.json does not tell.
    Either,
    /// The repository has them, so it pools.
    Pools,
}

/// No field of a config.json: whoever reads a model's folder sets it where sentence-transformers' `modules.json` lies
/// there with a pooling module (`transformers_utils/config.py: get_sentence_transformer_pooling_config`).
pub const BESIDE: &str = "sentence_transformers_pooling";

/// Published repositories whose architecture generates and which have such files: as their pages on the Hub list them
/// (`modules.json` and `1_Pooling`), for Qwen3-Embedding as a log of 0.12.0 without `--runner` shows (no output head).
const PUBLISHED: &[&str] = &[
    "Alibaba-NLP/gte-Qwen2-1.5B-instruct",
    "Alibaba-NLP/gte-Qwen2-7B-instruct",
    "BAAI/bge-multilingual-gemma2",
    "intfloat/e5-mistral-7b-instruct",
    "Linq-AI-Research/Linq-Embed-Mistral",
    "Qwen/Qwen3-Embedding-0.6B",
    "Qwen/Qwen3-Embedding-4B",
    "Qwen/Qwen3-Embedding-8B",
    "Qwen/Qwen3-VL-Embedding-2B",
    "Qwen/Qwen3-VL-Embedding-8B",
    "Salesforce/SFR-Embedding-Mistral",
];

/// Whether a repository of that name is known to have such files. Of a path the last part counts, and in the Hub's own
/// cache the folder of the repository.
pub fn published(id: &str) -> bool {
    let id = id.trim_end_matches('/');
    let path = id.matches('/').count() != 1 || id.starts_with(['/', '.', '~']);
    let last = id.rsplit('/').next();
    let same = |known: &str| {
        let cached = || {
            known
                .split('/')
                .fold("models".to_owned(), |name, part| name + "--" + part)
        };
        let named = last == known.rsplit('/').next();
        known == id || (path && (named || id.split('/').any(|part| part == cached())))
    };
    PUBLISHED.iter().any(|known| same(known))
}

/// An architecture whose layers are those of a generating one.
pub(super) struct Pooled {
    pub(super) family: &'static Family,
    /// vLLM pools without being asked to.
    pub(super) by_default: bool,
    /// What stands behind the last layer.
    pub(super) head: Head,
    /// It attends in both directions, whatever its config says.
    pub(super) bidirectional: bool,
}

/// `*Model` architectures that the registry knows as a class which generates: without the repository's
/// `modules.json`, vLLM takes them so.
const GENERATING: &[&str] = &["LlamaModel", "MistralModel", "Qwen2Model", "Gemma2Model"];

const BIDIRECTIONAL: &[&str] = &[
    "LlamaBidirectionalModel",
    "LlamaBidirectionalForSequenceClassification",
];

/// `models/voyage.py`; its config's class makes it attend in both directions.
const VOYAGE: &str = "VoyageQwen3BidirectionalEmbedModel";

const JINA_V5: &str = "JinaEmbeddingsV5Model";

/// Architectures with a class of their own around another's layers.
const OWN: &[(&str, &str, Head)] = &[
    ("Gemma3TextModel", "Gemma3ForCausalLM", Head::None),
    (JINA_V5, "Qwen3ForCausalLM", Head::None),
    (VOYAGE, "Qwen3ForCausalLM", Head::Embedding),
    ("JinaForRanking", "Qwen3ForCausalLM", Head::Ranking),
    ("InternLM2ForRewardModel", "InternLM2ForCausalLM", Head::Value),
    ("Qwen2ForRewardModel", "Qwen2ForCausalLM", Head::Reward(1)),
    ("Qwen2ForProcessRewardModel", "Qwen2ForCausalLM", Head::Reward(2)),
];

/// What vLLM makes of an architecture that has no row of its own.
pub(super) fn of(top: &Fields<'_>, architecture: &str) -> Option<Pooled> {
    // jina-embeddings-v5 comes with two kinds of layers (`models/jina.py: JinaEmbeddingsV5Model`).
    if architecture == JINA_V5 && matches!(top.flag("is_decoder"), Ok(Some(false))) {
        return Some(Pooled {
            family: families::find("LlamaForCausalLM")?,
            by_default: true,
            head: Head::None,
            bidirectional: true,
        });
    }
    if let Some((_, language, head)) = OWN.iter().find(|(own, ..)| *own == architecture) {
        return Some(Pooled {
            family: families::find(language)?,
            by_default: true,
            head: *head,
            bidirectional: architecture == VOYAGE,
        });
    }
    let suffixes = ["ForSequenceClassification", "ForTokenClassification", "Model"];
    let (suffix, stem) = suffixes
        .iter()
        .find_map(|suffix| architecture.strip_suffix(suffix).map(|stem| (*suffix, stem)))?;
    let bidirectional = BIDIRECTIONAL.contains(&architecture);
    let stem = stem.strip_suffix("Bidirectional").unwrap_or(stem);
    let family = ["ForCausalLM", "LMHeadModel"]
        .iter()
        .find_map(|generating| families::find(&format!("{stem}{generating}")))?;
    Some(Pooled {
        family,
        by_default: !GENERATING.contains(&architecture),
        head: if suffix == "Model" {
            Head::None
        } else {
            Head::Score
        },
        bidirectional,
    })
}

/// The pooler of a model that pools: with a classifier in float32, or without any weight.
pub(super) fn pooling(fields: &Fields<'_>, head: Head) -> Result<Pooling, ConfigError> {
    let (labels, dense, split) = match head {
        Head::None => return Ok(Pooling::default()),
        Head::Ranking | Head::Masked => {
            let size = |key| fields.required(key, 1 << 22, "the layers behind the last one");
            let h = u64::from(size("hidden_size")?);
            return Ok(Pooling {
                projector: if head == Head::Masked {
                    // Square with a bias, a norm, and rows of its own for every word.
                    h * h + 3 * h + u64::from(size("vocab_size")?) * (h + 1)
                } else {
                    h / 2 * h + h / 2 * 512
                },
                ..Pooling::default()
            });
        }
        Head::Embedding => {
            let width = fields.required("hidden_size", 1 << 22, "the layer behind the last one")?;
            return Ok(Pooling {
                projector: u64::from(labels(fields)?) * u64::from(width),
                ..Pooling::default()
            });
        }
        Head::Sparse => (1, true, false),
        Head::Score | Head::Labels => (labels(fields)?, false, false),
        Head::Value => (1, false, true),
        Head::Vectors(width) => (vectors(fields)?.unwrap_or(width), false, false),
        Head::Dense => (labels(fields)?, true, false),
        Head::Reward(labels) => (labels, true, true),
    };
    Ok(Pooling {
        projector: 0,
        classifier: Some(Classifier {
            labels,
            dense,
            bias: dense || head == Head::Labels,
            split,
        }),
    })
}

/// `models/colbert.py: get_colbert_dim_from_config`.
fn vectors(fields: &Fields<'_>) -> Result<Option<u32>, ConfigError> {
    for key in ["colbert_dim", "dim", "projection_dim"] {
        if let Some(width) = fields.count(key, 1 << 16)? {
            return Ok(Some(width));
        }
    }
    Ok(None)
}

/// `PreTrainedConfig.num_labels`: what `id2label` lists, two where the file has neither. A reranker made of a
/// generating model takes its score from tokens' rows of the head.
fn labels(fields: &Fields<'_>) -> Result<u32, ConfigError> {
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).clamp(1, 1 << 16);
    if let Some(tokens) = fields.list("classifier_from_token")? {
        let softmax = fields.text("method")? == Some("from_2_way_softmax");
        return Ok(if softmax { 1 } else { count(tokens.len()) });
    }
    if let Some(map) = fields.object("id2label")? {
        return Ok(count(map.len()));
    }
    Ok(fields.count("num_labels", 1 << 16)?.unwrap_or(2))
}

/// Classes that attend in both directions where `is_causal` is false.
const ASK_IS_CAUSAL: &[&str] = &[
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
];

/// Whether the layers attend in both directions, and so keep nothing.
pub(super) fn bidirectional(fields: &Fields<'_>, family: &Family) -> Result<bool, ConfigError> {
    if family.pools.is_some() {
        return match fields.text("position_embedding_type")? {
            Some(other)
                if (family.positions == Positions::Split && other != "absolute")
                    || (family.positions == Positions::Types && !matches!(other, "rope" | "rotary")) =>
            {
                Err(ConfigError::unsupported(format!(
                    "`position_embedding_type` {} is not modelled yet for {}",
                    short(other),
                    family.architecture
                )))
            }
            _ => Ok(true),
        };
    }
    // EmbeddingGemma's config decides by a name of its own (`models/config.py: Gemma3TextModelConfig`).
    if family.architecture == "Gemma3ForCausalLM" && fields.flag("use_bidirectional_attention")? == Some(true)
    {
        return Ok(true);
    }
    if fields.flag("is_causal")? != Some(false) {
        return Ok(false);
    }
    if ASK_IS_CAUSAL.contains(&family.architecture) {
        return Ok(true);
    }
    Err(ConfigError::unsupported(format!(
        "`is_causal` false is not modelled yet for {}",
        family.architecture
    )))
}
