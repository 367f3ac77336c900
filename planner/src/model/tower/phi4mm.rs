//! The towers of Phi-4-multimodal: SigLIP for images, a conformer for sound.
//!
//! Mirrors `models/{phi4mm,phi4mm_audio,phi4mm_utils,idefics2_vision_model}.py` at 0.33.0. No quantisation is handed to
//! either tower, and the adapters beside the checkpoint's language model are not loaded with it.
use super::{
    Cut, Tower, TowerBlock, TowerTensor, Uneven,
    fields::whole,
    fixed::{cut, dense, encoder},
};
use crate::model::{ConfigError, fields::Fields};
use serde_json::{Map, Value};

pub(super) const ARCHITECTURE: &str = "Phi4MMForCausalLM";

/// What the published encoder of sound has; its other sizes follow.
const SOUND: &[(&str, u32)] = &[
    ("attention_dim", 1024),
    ("attention_heads", 16),
    ("depthwise_multiplier", 1),
    ("depthwise_seperable_out_channel", 1024),
    ("ext_pw_kernel_size", 1),
    ("ext_pw_out_channel", 1024),
    ("input_size", 80),
    ("kernel_size", 3),
    ("linear_units", 1536),
    ("num_blocks", 24),
    ("time_reduction", 8),
];

const SOUND_OBJECT: &str = "audio_processor";

/// Its two towers, for a language model of that width.
pub(super) fn tower(
    top: &Fields<'_>,
    text: u32,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
    check(top, kept)?;
    let mut blocks = Vec::new();
    images(&mut blocks, u64::from(text));
    sound(&mut blocks, u64::from(text));
    Ok(Tower {
        blocks,
        heads: 16,
        uneven: Uneven::Refused,
        by_data: false,
        // 36 crops of 16 × 16 tokens above each other with their lines' ends, the whole image with its own, and one
        // between them.
        encoder: encoder(1152, 4304, 588, 4, text, 36 * 272 + 272 + 1),
        modalities: &["image", "audio"],
        always: false,
        unchecked: true,
    })
}

fn check(top: &Fields<'_>, kept: &mut Map<String, Value>) -> Result<(), ConfigError> {
    let missing = || ConfigError::Missing {
        field: format!("{SOUND_OBJECT}.config"),
        needed_for: "the size of the tower",
    };
    let outer = Fields::new(top.object(SOUND_OBJECT)?.ok_or_else(missing)?, SOUND_OBJECT);
    let fields = Fields::new(
        outer.object("config")?.ok_or_else(missing)?,
        "audio_processor.config",
    );
    for (key, published) in SOUND {
        if fields.required(key, 1 << 16, "the size of the tower")? != *published {
            return Err(fields.inconsistent(
                key,
                format!("only the published encoder's {published} is modelled"),
            ));
        }
    }
    let config = Map::from_iter([("config".to_owned(), Value::Object(fields.touched()))]);
    kept.insert(SOUND_OBJECT.to_owned(), Value::Object(config));
    Ok(())
}

/// `Phi4MMImageEncoder`: the last of SigLIP's 27 blocks and what stands behind it are left out.
fn images(blocks: &mut Vec<TowerBlock>, text: u64) {
    const W: u32 = 1152;
    const MLP: u32 = 4304;
    let w = u64::from(W);
    let mut embedding = Vec::new();
    dense(&mut embedding, 3 * 14 * 14, w);
    embedding.push(whole(32 * 32 * w, 1));
    let block = vec![
        cut(W, 3 * W, 3, Cut::Outputs, true, false),
        cut(W, W, 1, Cut::Inputs, true, false),
        whole(w, 4),
        cut(W, MLP, 1, Cut::Outputs, false, false),
        cut(MLP, W, 1, Cut::Inputs, false, false),
    ];
    // Two separators before the projector.
    let mut connector = vec![whole(w, 2)];
    projector(&mut connector, w, text);
    let one = [(1, embedding), (26, block), (1, connector)];
    blocks.extend(one.map(|(count, tensors)| TowerBlock { count, tensors }));
}

/// `AudioEmbedding`: convolutions, 24 blocks, and a projector each for sound alone and for sound beside images.
fn sound(blocks: &mut Vec<TowerBlock>, text: u64) {
    const W: u64 = 1024;
    const MLP: u64 = 1536;
    // Three convolutions that halve, two of them by channel, over 80 bands; positions; a bias for each distance up to
    // 500 both ways and each head.
    let mut embedding = Vec::new();
    dense(&mut embedding, 9, W);
    for _ in 0..2 {
        dense(&mut embedding, 9, W);
        dense(&mut embedding, W, W);
    }
    dense(&mut embedding, 10 * W, W);
    embedding.extend([
        TowerTensor::Cache { elements: 5000 * W },
        whole(2 * 500 * 16, 1),
        whole(80, 2),
    ]);
    let mut block = vec![whole(W, 4)];
    for _ in 0..4 {
        dense(&mut block, W, W);
    }
    for _ in 0..2 {
        block.push(whole(W, 2));
        dense(&mut block, W, 2 * MLP);
        dense(&mut block, MLP, W);
    }
    // The convolution: a norm, a gate with two biases more, one by channel, two across them.
    block.push(whole(W, 4));
    dense(&mut block, W, 2 * W);
    dense(&mut block, 3, W);
    dense(&mut block, W, W);
    dense(&mut block, W, W);
    let mut connector = Vec::new();
    projector(&mut connector, W, text);
    projector(&mut connector, W, text);
    let one = [(1, embedding), (24, block), (1, connector)];
    blocks.extend(one.map(|(count, tensors)| TowerBlock { count, tensors }));
}

fn projector(out: &mut Vec<TowerTensor>, inputs: u64, text: u64) {
    dense(out, inputs, text);
    dense(out, text, text);
}
