//! The towers of Nemotron Nano VL, Omni and Parse: RADIO for images and videos, Parakeet for sound.
//!
//! Mirrors `models/{nano_nemotron_vl,nemotron_parse,radio,intern_vit,parakeet}.py` and `transformers_utils/configs/{radio,parakeet}.py` at
//! 0.33.0, and transformers' `ParakeetEncoder` at 5.24. No quantisation is handed to either.
use super::{
    Cut, Encoder, Tower, TowerBlock, TowerTensor, Uneven,
    fields::whole,
    fixed::{cut, dense, encoder},
};
use crate::model::{ConfigError, ModelSpec, fields::Fields};
use serde_json::{Map, Value};

pub(super) const ARCHITECTURES: &[&str] = &[
    "NemotronH_Nano_VL_V2",
    "NemotronH_Nano_Omni_Reasoning_V3",
    "NemotronH_Super_Omni_Reasoning_V3",
    "NemotronH_Omni_Reasoning_V3",
];

/// timm's names, with width, layers, heads and width of the feed-forward (`configs/radio.py: VIT_TIMM_DIM_BY_NAME`).
const BY_NAME: &[(&str, [u32; 4])] = &[
    ("vit_small_patch16_224", [384, 12, 6, 1536]),
    ("vit_base_patch16_224", [768, 12, 12, 3072]),
    ("vit_large_patch16_224", [1024, 24, 16, 4096]),
    ("vit_huge_patch16_224", [1280, 32, 16, 5120]),
    ("vit_so400m_patch16_224", [1152, 27, 16, 4304]),
];

const MAX_WIDTH: u32 = 1 << 16;
pub(super) const PARSE: &str = "NemotronParseForConditionalGeneration";

const IMAGES: &str = "vision_config";
const ENCODER: &str = "encoder";
const ARGS: &str = "args";
/// Frames of a video that are encoded at once (`nano_nemotron_vl.py: extract_feature`).
const FRAMES: u32 = 128;

pub(super) fn tower(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
    let mut blocks = Vec::new();
    let (heads, encoder) = of_object(top, IMAGES, kept, |outer, args| {
        images(top, outer, args, spec.hidden_size, &mut blocks)
    })?;
    let mut hears = false;
    for name in ["sound_config", "audio_config"] {
        if let Some(object) = top.object(name)? {
            let fields = Fields::new(object, name).with_defaults(
                "hidden_size 1024 num_hidden_layers 24 num_attention_heads 8 intermediate_size 4096 conv_kernel_size 9 \
                 subsampling_factor 8 subsampling_conv_channels 256 num_mel_bins 80 subsampling_conv_kernel_size 3 \
                 subsampling_conv_stride 2",
            );
            let read = sound(&fields, u64::from(spec.hidden_size), &mut blocks);
            kept.insert(name.to_owned(), Value::Object(fields.touched()));
            read?;
            hears = true;
            break;
        }
    }
    Ok(Tower {
        blocks,
        heads,
        uneven: Uneven::Refused,
        by_data: false,
        always: false,
        encoder,
        modalities: if hears {
            &["image", "video", "audio"]
        } else {
            &["image", "video"]
        },
        unchecked: true,
    })
}

/// Width, layers, heads and width of the feed-forward: by timm's name, as vLLM's class has them, or as transformers'
/// `RadioConfig` writes them out.
fn sizes(outer: &Fields<'_>, args: &Fields<'_>) -> Result<[u32; 4], ConfigError> {
    if let Some(name) = args.text("model")? {
        let known = BY_NAME.iter().find(|(known, _)| *known == name);
        return known.map(|(_, sizes)| *sizes).ok_or_else(|| {
            args.inconsistent(
                "model",
                "it is not one of the vision transformers that vLLM knows by name",
            )
        });
    }
    let number = |key: &str, default: u32| {
        let set = outer.count(key, MAX_WIDTH)?;
        Ok::<_, ConfigError>(set.unwrap_or(default))
    };
    let width = number("hidden_size", 1280)?;
    Ok([
        width,
        number("num_hidden_layers", 32)?.min(1 << 10),
        number("num_attention_heads", 16)?,
        number("intermediate_size", width.saturating_mul(4))?,
    ])
}

/// A vision transformer as it was read.
struct Vit {
    width: u32,
    heads: u32,
    mlp: u32,
    patch: u32,
    frames: u32,
}

impl Vit {
    /// What encoding takes: so many patches become one token of that width.
    fn encoder(&self, merged: u32, output: u32, item: u32) -> Encoder {
        encoder(
            self.width,
            self.mlp,
            3 * self.patch * self.patch,
            merged,
            output,
            item,
        )
    }
}

/// `radio.py: RadioInternVisionModel`.
fn vit(outer: &Fields<'_>, args: &Fields<'_>, blocks: &mut Vec<TowerBlock>) -> Result<Vit, ConfigError> {
    let [width, layers, heads, mlp] = sizes(outer, args)?;
    if !width.is_multiple_of(heads) {
        return Err(outer.inconsistent(
            "num_attention_heads",
            format!("{heads} does not divide the width, {width}"),
        ));
    }
    let w = u64::from(width);
    let patch = outer.count("patch_size", 256)?.unwrap_or(16);
    let largest = match args.count("cpe_max_size", 1 << 14)? {
        Some(size) => size,
        None => outer.count("max_img_size", 1 << 14)?.unwrap_or(2048),
    };
    let side = u64::from((largest + patch / 2) / patch);
    let pixels = 3 * u64::from(patch * patch);
    let frames = outer.count("video_temporal_patch_size", 64)?.unwrap_or(1);
    let mut embedding = vec![
        whole(pixels * w, 1),
        whole(side * side * w, 1),
        whole(marks(outer, args)? * w, 1),
    ];
    if frames > 1 {
        embedding.push(whole(u64::from(frames) * pixels * w, 1));
    }
    let block = vec![
        cut(width, width.saturating_mul(3), 3, Cut::Outputs, true, false),
        cut(width, width, 1, Cut::Inputs, true, false),
        cut(width, mlp, 1, Cut::Outputs, false, false),
        cut(mlp, width, 1, Cut::Inputs, false, false),
        // Two norms, and a scale for each half, which no file has.
        whole(w, 6),
    ];
    let one = [(1, embedding), (layers, block)];
    blocks.extend(one.map(|(count, tensors)| TowerBlock { count, tensors }));
    Ok(Vit {
        width,
        heads,
        mlp,
        patch,
        frames,
    })
}

/// Its blocks, and two layers over shuffled pixels. The heads, and what profiling encodes.
fn images(
    top: &Fields<'_>,
    outer: &Fields<'_>,
    args: &Fields<'_>,
    text: u32,
    blocks: &mut Vec<TowerBlock>,
) -> Result<(u32, Encoder), ConfigError> {
    let vit = vit(outer, args, blocks)?;
    let w = u64::from(vit.width);
    let ratio = top.number("downsample_ratio")?.unwrap_or(0.5);
    if ratio.to_bits() != 0.5_f64.to_bits() {
        return Err(top.inconsistent("downsample_ratio", "only 0.5 is modelled"));
    }
    let merged = 4 * w;
    let between = u64::from(top.count("projector_hidden_size", MAX_WIDTH)?.unwrap_or(4096));
    let mut tensors = vec![
        whole(merged, 1),
        whole(merged * between, 1),
        whole(between * u64::from(text), 1),
    ];
    if predicts(top)? {
        tensors.push(whole(w, 2));
    }
    blocks.push(TowerBlock { count: 1, tensors });
    let grid = top.count("force_image_size", 1 << 14)?.unwrap_or(512) / vit.patch;
    let tile = (grid * grid / 4).max(1);
    // Twelve tiles and the whole image, or the most patches.
    let patches = args.count("max_num_patches", 1 << 24)?;
    let item = patches.map_or(tile.saturating_mul(13), |most| most / 4);
    Ok((
        vit.heads,
        Encoder {
            video_tokens: tile,
            video_parts: u32::MAX,
            at_once: tile.saturating_mul(FRAMES / vit.frames).max(item),
            ..vit.encoder(4, text, item)
        },
    ))
}

/// `nemotron_parse.py: RadioWithNeck`, and the third norms of the decoder's layers.
pub(super) fn parse(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
    if spec.quantization.is_some() {
        return Err(ConfigError::unsupported(
            "which layers of this tower a quantised checkpoint reaches is not known here",
        ));
    }
    let mut blocks = Vec::new();
    let vit = of_object(top, ENCODER, kept, |outer, args| vit(outer, args, &mut blocks))?;
    let neck: u64 = 1024;
    let mut tensors = Vec::new();
    dense(&mut tensors, u64::from(vit.width), neck);
    tensors.push(whole(neck, 6));
    tensors.push(whole(4 * neck * neck, 1));
    // Three summaries of the image, each as wide as a block.
    tensors.push(cut(3840, 1024, 1, Cut::OutputsAlways, false, false));
    let layers = spec.num_hidden_layers() / 2;
    tensors.push(whole(u64::from(spec.hidden_size), 2 * layers));
    blocks.push(TowerBlock { count: 1, tensors });
    let side = |at: usize| {
        let sides = top.value("image_size").and_then(Value::as_array);
        let side = sides.and_then(|sides| sides.get(at)).and_then(Value::as_u64);
        side.and_then(|side| u32::try_from(side).ok())
            .filter(|side| (1..=1 << 14).contains(side))
            .map(|side| side / 16)
            .ok_or_else(|| top.inconsistent("image_size", "expected height and width"))
    };
    let item = side(0)? * (side(1)? / 4) + 1;
    Ok(Tower {
        blocks,
        heads: vit.heads,
        uneven: Uneven::Refused,
        by_data: false,
        always: false,
        encoder: vit.encoder(4, 1024, item),
        modalities: &["image"],
        unchecked: true,
    })
}

/// Reads an object of the config and its `args`, and keeps what was read of both.
fn of_object<T>(
    top: &Fields<'_>,
    name: &'static str,
    kept: &mut Map<String, Value>,
    read: impl FnOnce(&Fields<'_>, &Fields<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let none = Map::new();
    let outer = Fields::new(top.object(name)?.unwrap_or(&none), name);
    let args = Fields::new(outer.object(ARGS)?.unwrap_or(&none), ARGS);
    let value = read(&outer, &args);
    let mut own = outer.touched();
    if own.contains_key(ARGS) {
        own.insert(ARGS.to_owned(), Value::Object(args.touched()));
    }
    kept.insert(name.to_owned(), Value::Object(own));
    value
}

/// Rows of classes and registers.
fn marks(outer: &Fields<'_>, args: &Fields<'_>) -> Result<u64, ConfigError> {
    if args.text("model")?.is_none() {
        let number =
            |key: &str, default: u32| outer.count_in(key, 0, 1 << 10).map(|set| set.unwrap_or(default));
        return Ok(u64::from(
            number("num_cls_tokens", 3)? + number("num_registers", 7)?,
        ));
    }
    let mut names: Vec<&str> = Vec::new();
    if args.flag("cls_token_per_teacher")? == Some(true) {
        for teacher in args.list("teachers")?.unwrap_or_default() {
            let name = teacher.get("name").and_then(Value::as_str).unwrap_or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let classes = (names.len() as u64).max(1);
    let registers = match args.count("register_multiple", 1 << 10)? {
        Some(multiple) => u64::from(multiple) - classes % u64::from(multiple),
        None => 0,
    };
    Ok(classes + registers)
}

/// The language model has a layer that predicts further tokens, so that a norm stands behind the blocks.
fn predicts(top: &Fields<'_>) -> Result<bool, ConfigError> {
    let Some(text) = top.object("text_config")? else {
        return Ok(false);
    };
    let count = Fields::new(text, "text_config").count_in("num_nextn_predict_layers", 0, 64)?;
    Ok(count.unwrap_or(0) > 0)
}

/// `parakeet.py: ProjectedParakeet`: convolutions that halve, by channel and across, blocks and two layers, whole on every
/// rank.
fn sound(fields: &Fields<'_>, text: u64, blocks: &mut Vec<TowerBlock>) -> Result<(), ConfigError> {
    let number = |key: &str, max: u32| fields.required(key, max, "the tower").map(u64::from);
    let w = number("hidden_size", MAX_WIDTH)?;
    let mlp = number("intermediate_size", 4 * MAX_WIDTH)?;
    let channels = number("subsampling_conv_channels", MAX_WIDTH)?;
    let kernel = number("subsampling_conv_kernel_size", 64)?;
    let steps = number("subsampling_factor", 1 << 10)?.ilog2();
    let stride = number("subsampling_conv_stride", 64)?;
    let bands = number("num_mel_bins", MAX_WIDTH)? / stride.saturating_pow(steps).max(1);
    let mut embedding = Vec::new();
    dense(&mut embedding, kernel * kernel, channels);
    for _ in 1..steps {
        dense(&mut embedding, kernel * kernel, channels);
        dense(&mut embedding, channels, channels);
    }
    dense(&mut embedding, channels * bands, w);
    embedding.push(TowerTensor::Cache { elements: w / 2 });
    // Two feed-forwards; queries, keys, values, output and relative positions; their two biases; the convolution over
    // time between two across, with the means and variances that its norm has seen; five norms.
    let biased = fields.flag("convolution_bias")?.unwrap_or(true);
    let block = vec![
        whole(w * mlp, 4),
        whole(w * w, 5),
        whole(w, 2),
        whole(2 * w * w, 1),
        whole(number("conv_kernel_size", 1 << 10)? * w, 1),
        whole(w * w, 1),
        whole(w, if biased { 4 } else { 0 }),
        whole(w, 2),
        TowerTensor::Cache { elements: w },
        TowerTensor::Cache { elements: w },
        TowerTensor::Buffer { bytes: 8 },
        whole(w, 10),
    ];
    let between = number("projection_hidden_size", MAX_WIDTH)?;
    let mut connector = vec![whole(w, 1), whole(w * between, 1), whole(between * text, 1)];
    if fields.flag("projection_bias")? == Some(true) {
        connector.extend([whole(between, 1), whole(text, 1)]);
    }
    let layers = fields.required("num_hidden_layers", 1 << 10, "the tower")?;
    let one = [(1, embedding), (layers, block), (1, connector)];
    blocks.extend(one.map(|(count, mut tensors)| {
        tensors.retain(|tensor| !matches!(tensor, TowerTensor::Whole { count: 0, .. }));
        TowerBlock { count, tensors }
    }));
    Ok(())
}
