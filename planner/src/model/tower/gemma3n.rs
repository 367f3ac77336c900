//! The towers of Gemma 3n: timm's `mobilenetv5_300m_enc` for images, a conformer for sound, and what embeds either.
//!
//! Mirrors `models/gemma3n_mm.py` at 0.33.0, timm's `mobilenetv5.py` at 1.0.31 and transformers' `Gemma3nAudioEncoder` at
//! 5.24, which vLLM builds as they are: whole on every rank, and in 16 bits whatever the checkpoint's quantisation.
use super::{
    Cut, Tower, TowerBlock, TowerLinear, TowerTensor,
    fields::{kept_object, whole},
    fixed::{cut, encoder},
};
use crate::model::{ConfigError, ModelSpec, fields::Fields};
use serde_json::{Map, Value};

pub(super) const ARCHITECTURE: &str = "Gemma3nForConditionalGeneration";

const MAX_WIDTH: u32 = 1 << 16;

/// Tokens of an image, whatever its size (`TOKENS_PER_IMAGE`).
const TOKENS: u32 = 256;

/// Bytes alive at once for each of an image's tokens: in the first block of the second stage 768 channels of 192 × 192,
/// their norm and the block's input, as transformers' own tower kept them for 1, 2 and 4 images of 768 × 768 pixels
/// (192,356,352 bytes for one).
const ALIVE: u32 = 192_356_352 / TOKENS;

/// A block of the image's tower.
#[derive(Clone, Copy)]
enum Stage {
    /// A 3 × 3 convolution to so many channels and one back (`EdgeResidual`).
    Edge([u64; 3]),
    /// Channels, kernel before, channels between, kernel there, channels after; a kernel of 0 is none
    /// (`UniversalInvertedResidual`).
    Inverted([u64; 5]),
    /// Attention with one head of keys: channels, width of the queries and of a head, and whether keys and values are
    /// of every second pixel (`MobileAttention`).
    Attention([u64; 3], bool),
}

use Stage::{Attention, Edge, Inverted};

/// Its blocks, each row so many times over.
const STAGES: &[(u32, &[Stage])] = &[
    (
        1,
        &[Edge([64, 256, 128]), Edge([128, 512, 128]), Edge([128, 512, 128])],
    ),
    (1, &[Inverted([128, 3, 768, 5, 256])]),
    (
        2,
        &[Inverted([256, 5, 1024, 0, 256]), Inverted([256, 3, 1024, 0, 256])],
    ),
    (1, &[Inverted([256, 5, 1536, 5, 640])]),
    (7, &[Inverted([640, 5, 2560, 0, 640])]),
    (1, &[Inverted([640, 0, 640, 0, 640])]),
    (
        14,
        &[Attention([640, 768, 64], true), Inverted([640, 0, 1280, 0, 640])],
    ),
    (1, &[Inverted([640, 5, 3840, 5, 1280])]),
    (
        19,
        &[
            Attention([1280, 1536, 96], false),
            Inverted([1280, 0, 2560, 0, 1280]),
        ],
    ),
];

impl Stage {
    fn tensors(self) -> Vec<TowerTensor> {
        let mut out = Vec::new();
        match self {
            Edge([from, between, to]) => {
                convolution(&mut out, from * 9, between);
                convolution(&mut out, between, to);
            }
            Inverted([from, before, between, there, to]) => {
                if before > 0 {
                    convolution(&mut out, before * before, from);
                }
                convolution(&mut out, from, between);
                if there > 0 {
                    convolution(&mut out, there * there, between);
                }
                convolution(&mut out, between, to);
                out.push(whole(to, 1));
            }
            Attention([width, queries, head], halved) => {
                out.push(whole(width, 2));
                if halved {
                    out.extend([whole(width * 9, 2), whole(width, 2)]);
                }
                out.extend([whole(width * queries, 2), whole(width * head, 2)]);
            }
        }
        out
    }
}

/// Its weights and its norm's.
fn convolution(out: &mut Vec<TowerTensor>, inputs: u64, outputs: u64) {
    out.extend([whole(inputs * outputs, 1), whole(outputs, 1)]);
}

pub(super) fn tower(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
    let mut blocks = Vec::new();
    let text = spec.hidden_size;
    let defaults = "hidden_size 2048 vocab_size 128";
    kept_object(top, "vision_config", defaults, kept, |fields| {
        images(fields, &mut blocks)?;
        embedder(fields, text, &mut blocks)
    })?;
    let defaults = "hidden_size 1536 vocab_size 128 conf_num_hidden_layers 12 conf_num_attention_heads 8 \
                    conf_conv_kernel_size 5 input_feat_size 128";
    kept_object(top, "audio_config", defaults, kept, |fields| {
        sound(fields, &mut blocks)?;
        embedder(fields, text, &mut blocks)
    })?;
    if let Some(input) = spec.per_layer_input {
        // The embeddings of every layer for a whole step.
        let width = input
            .hidden_size_per_layer_input
            .saturating_mul(spec.num_hidden_layers());
        blocks.push(TowerBlock {
            count: 1,
            tensors: vec![TowerTensor::PerToken { width, count: 1 }],
        });
    }
    // Of the bytes, what the outputs take is counted apart.
    let alive = (ALIVE / 2).saturating_sub(spec.hidden_size.saturating_mul(2));
    Ok(Tower {
        blocks,
        heads: 0,
        encoder: encoder(0, 0, alive, 1, spec.hidden_size, TOKENS),
        modalities: &["image", "audio"],
        unchecked: true,
        ..Tower::default()
    })
}

fn images(fields: &Fields<'_>, blocks: &mut Vec<TowerBlock>) -> Result<(), ConfigError> {
    const KNOWN: &str = "mobilenetv5_300m_enc";
    let name = fields.text("architecture")?.unwrap_or(KNOWN);
    if name != KNOWN {
        return Err(fields.inconsistent("architecture", format!("only {KNOWN} is modelled")));
    }
    if fields.required("hidden_size", MAX_WIDTH, "the tower")? != 2048 {
        return Err(fields.inconsistent("hidden_size", format!("{KNOWN} hands on 2048 channels")));
    }
    let mut stem = Vec::new();
    convolution(&mut stem, 27, 64);
    stem.push(whole(64, 1));
    // What joins the last two stages.
    let mut joined = Vec::new();
    convolution(&mut joined, 1920, 3840);
    convolution(&mut joined, 3840, 2048);
    joined.push(whole(2048, 1));
    let one = |tensors| TowerBlock { count: 1, tensors };
    blocks.push(one(stem));
    for (count, stages) in STAGES {
        blocks.push(TowerBlock {
            count: *count,
            tensors: stages.iter().flat_map(|stage| stage.tensors()).collect(),
        });
    }
    blocks.push(one(joined));
    Ok(())
}

/// `Gemma3nAudioEncoder`: two convolutions that halve, then blocks of a feed-forward, attention, a convolution over time and
/// a feed-forward.
fn sound(fields: &Fields<'_>, blocks: &mut Vec<TowerBlock>) -> Result<(), ConfigError> {
    for (key, published) in [
        ("sscp_conv_channel_size", serde_json::json!([128, 32])),
        ("sscp_conv_kernel_size", serde_json::json!([[3, 3], [3, 3]])),
        ("sscp_conv_stride_size", serde_json::json!([[2, 2], [2, 2]])),
    ] {
        if fields.value(key).is_some_and(|own| *own != published) {
            return Err(fields.inconsistent(key, format!("only {published} is modelled")));
        }
    }
    let number = |key: &str, max: u32| fields.required(key, max, "the tower").map(u64::from);
    let w = number("hidden_size", MAX_WIDTH)?;
    let layers = fields.required("conf_num_hidden_layers", 1 << 10, "the tower")?;
    let head = w / number("conf_num_attention_heads", 1 << 10)?;
    let kernel = number("conf_conv_kernel_size", 1 << 10)?;
    let bands = number("input_feat_size", 1 << 14)?.div_ceil(2).div_ceil(2);
    let mut embedding = Vec::new();
    convolution(&mut embedding, 9, 128);
    convolution(&mut embedding, 128 * 9, 32);
    embedding.push(whole(32 * bands * w, 1));
    let block = vec![
        // Two feed-forwards, each between two norms.
        whole(4 * w * w, 4),
        whole(w, 4),
        // Queries, keys, values, output and relative positions, a scale per channel of a head, two norms.
        whole(w * w, 5),
        whole(head, 1),
        whole(w, 2),
        // Twice as wide and gated, over time, and back, with two norms; one more behind the block.
        whole(2 * w * w, 1),
        whole(w * kernel, 1),
        whole(w * w, 1),
        whole(w, 3),
        TowerTensor::Buffer { bytes: w / 2 * 4 },
    ];
    blocks.extend([(1, embedding), (layers, block)].map(|(count, tensors)| TowerBlock { count, tensors }));
    Ok(())
}

/// `Gemma3nMultimodalEmbedder`: rows for the marks around an image or sound, two norms and a layer.
fn embedder(fields: &Fields<'_>, text: u32, blocks: &mut Vec<TowerBlock>) -> Result<(), ConfigError> {
    let width = fields.required("hidden_size", MAX_WIDTH, "the tower")?;
    let rows = fields.required("vocab_size", MAX_WIDTH, "the tower")?;
    let unbiased = |tensor| match tensor {
        TowerTensor::Linear(linear) => TowerTensor::Linear(TowerLinear {
            bias: false,
            ..linear
        }),
        other => other,
    };
    let tensors = vec![
        unbiased(cut(width, rows, 1, Cut::OutputsAlways, false, false)),
        whole(u64::from(width), 2),
        unbiased(cut(width, text, 1, Cut::InputsAlways, false, false)),
    ];
    blocks.push(TowerBlock { count: 1, tensors });
    Ok(())
}
