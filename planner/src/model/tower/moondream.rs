//! Moondream 3's tower: a SigLIP, and two layers over the whole image's patches beside those of its crops.
//!
//! Mirrors `models/moondream3.py` and `transformers_utils/configs/moondream3.py: Moondream3VisionConfig` at 0.33.0.
use super::{
    Cut, Tower, TowerBlock, Uneven,
    fields::{kept_object, whole},
    fixed::{cut, dense, encoder},
};
use crate::model::{ConfigError, ModelSpec, fields::Fields};
use serde_json::{Map, Value};

pub(super) const ARCHITECTURES: &[&str] = &["Moondream3ForCausalLM", "HfMoondream"];

const MAX_WIDTH: u32 = 1 << 16;

pub(super) fn tower(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
    let defaults = "enc_dim 1152 enc_patch_size 14 enc_n_layers 27 enc_ff_dim 4304 enc_n_heads 16 proj_inner_dim 8192 crop_size 378";
    kept_object(top, "vision_config", defaults, kept, |fields| {
        read(fields, spec.hidden_size)
    })
}

fn read(fields: &Fields<'_>, text: u32) -> Result<Tower, ConfigError> {
    let number = |key: &str| fields.required(key, MAX_WIDTH, "the tower");
    let (width, mlp, between) = (
        number("enc_dim")?,
        number("enc_ff_dim")?,
        number("proj_inner_dim")?,
    );
    let patch = fields.required("enc_patch_size", 256, "the tower")?;
    let layers = fields.required("enc_n_layers", 1 << 10, "the tower")?;
    let heads = number("enc_n_heads")?;
    if !width.is_multiple_of(heads) {
        return Err(fields.inconsistent("enc_n_heads", format!("{heads} does not divide enc_dim, {width}")));
    }
    let side = (fields.required("crop_size", 1 << 14, "the tower")? / patch).max(1);
    let (w, pixels) = (u64::from(width), 3 * patch * patch);
    let mut embedding = Vec::new();
    dense(&mut embedding, u64::from(pixels), w);
    embedding.push(whole(u64::from(side * side) * w, 1));
    let block = vec![
        cut(width, 3 * width, 3, Cut::Outputs, true, false),
        cut(width, width, 1, Cut::Inputs, true, false),
        cut(width, mlp, 1, Cut::Outputs, false, false),
        cut(mlp, width, 1, Cut::Inputs, false, false),
        whole(w, 4),
    ];
    let connector = vec![
        whole(w, 2),
        cut(2 * width, between, 1, Cut::Outputs, false, false),
        cut(between, text, 1, Cut::Inputs, false, false),
    ];
    let parts = [(1, embedding), (layers, block), (1, connector)];
    Ok(Tower {
        blocks: parts
            .map(|(count, tensors)| TowerBlock { count, tensors })
            .to_vec(),
        heads,
        uneven: Uneven::Refused,
        // The image and one crop; the mark before it is a token as well.
        encoder: encoder(width, mlp, pixels, 2, text, side * side + 1),
        modalities: &["image"],
        unchecked: true,
        ..Tower::default()
    })
}
