//! The towers of Inkling: four layers over an image's patches, and a table for sound.
//!
//! Mirrors `models/inkling/common/{towers,mm_preprocess}.py` at 0.33.0. No quantisation is handed to either, and they are
//! built on every rank and stage, also where nothing is to be encoded.
use super::{Encoder, Tower, TowerBlock, fields::whole};
use crate::model::{ConfigError, fields::Fields};
use serde_json::{Map, Value};

pub(super) const ARCHITECTURE: &str = "InklingForConditionalGeneration";

const MAX_WIDTH: u32 = 1 << 18;

/// What the published encoder of images has; the widths of its layers follow (`plan_out_scales`).
const IMAGES: &[(&str, u32)] = &[
    ("n_channels", 3),
    ("n_layers", 4),
    ("patch_size", 40),
    ("temporal_patch_size", 2),
];

/// Inputs and outputs of its layers before the last: 5, 2 and 4 pixels each way are folded.
const LAYERS: [(u64, u64); 3] = [(3 * 25, 128), (128 * 4, 320), (320 * 16, 4800)];

/// Patches of the image that is encoded while profiling: four each way, twice as large.
const PATCHES: u32 = 64;

/// Steps of the longest sound that is taken (`MAX_AUDIO_TOKENS`).
const STEPS: u32 = 12_000;

/// Its two towers, each there where its object names the width of the language model.
pub(super) fn tower(top: &Fields<'_>, kept: &mut Map<String, Value>) -> Result<Tower, ConfigError> {
    let mut object = |name: &'static str, read: fn(&Fields<'_>, u32) -> Result<TowerBlock, ConfigError>| {
        let Some(object) = top.object(name)? else {
            return Ok(None);
        };
        let fields = Fields::new(object, name);
        let width = fields.count("decoder_dmodel", MAX_WIDTH)?;
        let block = width.map(|width| read(&fields, width).map(|block| (width, block)));
        kept.insert(name.to_owned(), Value::Object(fields.touched()));
        block.transpose()
    };
    let (images, sound) = (object("vision_config", images)?, object("audio_config", sound)?);
    let output = images
        .iter()
        .chain(&sound)
        .map(|(width, _)| *width)
        .max()
        .unwrap_or(0);
    let encoder = Encoder {
        output,
        patch: 9600,
        patches_per_token: 1,
        item_tokens: if sound.is_some() { STEPS } else { PATCHES },
        video_tokens: PATCHES,
        video_parts: 1,
        ..Encoder::default()
    };
    let (encoder, modalities): (_, &[_]) = match (&images, &sound) {
        (_, Some(_)) => (
            Encoder {
                patch: 6 * 80,
                ..encoder
            },
            &["audio", "image"],
        ),
        (Some(_), None) => (encoder, &["image"]),
        (None, None) => (Encoder::default(), &[]),
    };
    Ok(Tower {
        blocks: images.into_iter().chain(sound).map(|(_, block)| block).collect(),
        encoder,
        modalities,
        always: true,
        unchecked: true,
        ..Tower::default()
    })
}

fn images(fields: &Fields<'_>, width: u32) -> Result<TowerBlock, ConfigError> {
    for (key, published) in IMAGES {
        if fields.required(key, 1 << 16, "the size of the tower")? != *published {
            return Err(fields.inconsistent(
                key,
                format!("only the published encoder's {published} is modelled"),
            ));
        }
    }
    let mut tensors = Vec::new();
    for (inputs, outputs) in LAYERS {
        tensors.extend([whole(inputs * outputs, 1), whole(outputs, 1)]);
    }
    let width = u64::from(width);
    tensors.push(whole(2 * 4800 * width, 1));
    if fields.flag("use_vision_norm")? == Some(true) {
        tensors.push(whole(width, 1));
    }
    Ok(TowerBlock { count: 1, tensors })
}

fn sound(fields: &Fields<'_>, width: u32) -> Result<TowerBlock, ConfigError> {
    let size = |key| {
        fields
            .required(key, 1 << 16, "the size of the tower")
            .map(u64::from)
    };
    let width = u64::from(width);
    let mut tensors = vec![whole(size("n_mel_bins")? * size("mel_vocab_size")? * width, 1)];
    if fields.flag("use_audio_norm")? == Some(true) {
        tensors.push(whole(width, 1));
    }
    Ok(TowerBlock { count: 1, tensors })
}
