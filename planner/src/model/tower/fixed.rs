//! The towers of DeepSeek-OCR, DeepSeek-OCR 2, DeepSeek-VL2 and Molmo, whose sizes stand in their classes, not in a
//! config.
//!
//! Mirrors `models/{deepseek_ocr,deepseek_ocr2,deepencoder,deepencoder2,deepseek_vl2,molmo}.py` at 0.33.0, and timm's
//! `vit_so400m_patch14_siglip_384`.
use super::{
    Cut, Encoder, Tower, TowerBlock, TowerLinear, TowerTensor, Uneven, fields::whole, gemma3n, inkling,
    moondream, phi4mm, radio,
};
use crate::model::{ConfigError, ModelSpec, fields::Fields};
use serde_json::{Map, Value};

const OCR: &str = "DeepseekOCRForCausalLM";
const UNLIMITED: &str = "UnlimitedOCRForCausalLM";
const OCR2: &str = "DeepseekOCR2ForCausalLM";
const VL2: &str = "DeepseekVLV2ForCausalLM";
const MOLMO: &str = "MolmoForCausalLM";
const GEMMA4: &str = "Gemma4UnifiedForConditionalGeneration";

const MAX_WIDTH: u32 = 1 << 16;

/// The tower, where the architecture is one of these; puts what it read of the config in `kept`.
pub(super) fn read(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Option<Result<Tower, ConfigError>> {
    let architecture = spec.architecture.as_str();
    if architecture == phi4mm::ARCHITECTURE {
        return Some(phi4mm::tower(top, spec.hidden_size, kept));
    }
    if architecture == gemma3n::ARCHITECTURE {
        return Some(gemma3n::tower(top, spec, kept));
    }
    if moondream::ARCHITECTURES.contains(&architecture) {
        return Some(moondream::tower(top, spec, kept));
    }
    if architecture == inkling::ARCHITECTURE {
        return Some(inkling::tower(top, kept));
    }
    if architecture == radio::PARSE {
        return Some(radio::parse(top, spec, kept));
    }
    if radio::ARCHITECTURES.contains(&architecture) {
        return Some(radio::tower(top, spec, kept));
    }
    if architecture == GEMMA4 {
        return Some(gemma4(top, spec, kept));
    }
    if ![OCR, UNLIMITED, OCR2, VL2, MOLMO].contains(&architecture) {
        return None;
    }
    let stored = spec.quantization.as_ref().filter(|own| !own.from_16_bits());
    Some(match (stored, spec.mlp()) {
        (Some(_), _) => Err(ConfigError::unsupported(
            "which layers of this tower a quantised checkpoint reaches is not known here",
        )),
        (None, Some(mlp)) if architecture == MOLMO => Ok(molmo(spec.hidden_size, mlp.intermediate_size)),
        (None, _) => tower(top, architecture, kept),
    })
}

fn tower(top: &Fields<'_>, architecture: &str, kept: &mut Map<String, Value>) -> Result<Tower, ConfigError> {
    let none = Map::new();
    let object = top.object("projector_config")?.unwrap_or(&none);
    let fields = Fields::new(object, "projector_config")
        .with_defaults("input_dim 1152 n_embed 2048 depth 2 mlp_ratio 1 downsample_ratio 2");
    let connector = projector(&fields);
    if !object.is_empty() {
        kept.insert("projector_config".to_owned(), Value::Object(fields.touched()));
    }
    let (mut connector, output) = connector?;
    let mut blocks = Vec::new();
    let one = |tensors| TowerBlock { count: 1, tensors };
    let (heads, encoder) = match architecture {
        VL2 => {
            so400m(&mut blocks);
            // Nine tiles of 27 × 27 patches in a column, and the whole image.
            (4304, encoder(1152, 4304, 588, 4, output, 2101))
        }
        // Images are encoded one after the other: a global view of 64 × 64 patches, then its tiles.
        OCR | UNLIMITED => {
            sam(&mut blocks, 1024);
            clip(&mut blocks);
            // Two by two tiles, or 32 in a column.
            let tokens = if architecture == OCR { 693 } else { 3793 };
            (16, encoder(768, 3072, 768, 1, output, tokens))
        }
        _ => {
            sam(&mut blocks, 896);
            qwen2(&mut blocks);
            (0, encoder(768, 3072, 768, 1, output, 1121))
        }
    };
    // What ends a line of an image, and what stands between its views.
    connector.push(whole(u64::from(output), if architecture == OCR2 { 1 } else { 2 }));
    blocks.push(one(connector));
    Ok(Tower {
        blocks,
        heads,
        uneven: Uneven::Refused,
        by_data: false,
        encoder,
        modalities: &["image"],
        always: false,
        unchecked: true,
    })
}

/// `gemma4_unified.py: Gemma4UnifiedVisionEmbedder`: a layer over pixels with positions of both axes and three norms, and
/// a matrix behind it; one matrix for sound.
fn gemma4(top: &Fields<'_>, spec: &ModelSpec, kept: &mut Map<String, Value>) -> Result<Tower, ConfigError> {
    let [patch, pooled, width, rows, output] = sizes(
        top,
        kept,
        "vision_config",
        "patch_size 16 pooling_kernel_size 3 mm_embed_dim 3840 mm_posemb_size 1120 output_proj_dims 3840",
        [
            "patch_size",
            "pooling_kernel_size",
            "mm_embed_dim",
            "mm_posemb_size",
            "output_proj_dims",
        ],
    )?;
    let text = u64::from(spec.hidden_size);
    let pixels = 3 * patch.saturating_mul(pooled).min(1 << 10).pow(2);
    let (d, w) = (u64::from(pixels), u64::from(width));
    // Which of it a quantised file holds in fewer bits is not known; the published ones leave it out.
    let mut tensors = vec![
        whole(d, 2),
        cut(pixels, width, 1, Cut::OutputsAlways, false, true),
        whole(w, 4),
        whole(2 * u64::from(rows) * w, 1),
        whole(u64::from(output) * text, 1),
    ];
    if top.has("audio_config") && top.object("audio_config")?.is_some() {
        let [sound] = sizes(
            top,
            kept,
            "audio_config",
            "audio_embed_dim 640",
            ["audio_embed_dim"],
        )?;
        tensors.push(whole(u64::from(sound) * text, 1));
    }
    Ok(Tower {
        blocks: vec![TowerBlock { count: 1, tensors }],
        heads: 0,
        uneven: Uneven::Refused,
        by_data: false,
        encoder: Encoder {
            video_tokens: 2496,
            video_parts: 1,
            ..encoder(width, 0, 2 * pixels, 1, spec.hidden_size, 280)
        },
        modalities: &["image", "video", "audio"],
        always: false,
        unchecked: true,
    })
}

/// Fields of an object of the config.
fn sizes<const N: usize>(
    top: &Fields<'_>,
    kept: &mut Map<String, Value>,
    name: &'static str,
    defaults: &'static str,
    keys: [&str; N],
) -> Result<[u32; N], ConfigError> {
    let object = top.object(name)?.ok_or_else(|| ConfigError::Missing {
        field: name.to_owned(),
        needed_for: "the tower",
    })?;
    let fields = Fields::new(object, name).with_defaults(defaults);
    let mut sizes = [0; N];
    for (size, key) in sizes.iter_mut().zip(keys) {
        *size = fields.required(key, MAX_WIDTH, "the tower")?;
    }
    kept.insert(name.to_owned(), Value::Object(fields.touched()));
    Ok(sizes)
}

pub(super) fn encoder(
    width: u32,
    intermediate_size: u32,
    patch: u32,
    patches_per_token: u32,
    output: u32,
    item_tokens: u32,
) -> Encoder {
    Encoder {
        width,
        intermediate_size,
        patch,
        patches_per_token,
        output,
        item_tokens,
        ..Encoder::default()
    }
}

/// `deepseek_vl2.py: MlpProjector`.
fn projector(fields: &Fields<'_>) -> Result<(Vec<TowerTensor>, u32), ConfigError> {
    let number = |key: &str| fields.required(key, MAX_WIDTH, "the projector");
    let (input, output) = (number("input_dim")?, number("n_embed")?);
    let mut widths = vec![input];
    match fields.text("projector_type")?.unwrap_or("downsample_mlp_gelu") {
        "linear" => {}
        "downsample_mlp_gelu" => {
            let merged = number("downsample_ratio")?.saturating_pow(2);
            widths[0] = input.saturating_mul(merged).min(1 << 24);
            let between = output.saturating_mul(number("mlp_ratio")?).min(1 << 24);
            widths.extend((1..number("depth")?.min(64)).map(|_| between));
        }
        other => {
            let name: String = other.chars().take(60).collect();
            return Err(fields.inconsistent("projector_type", format!("`{name}` is not one that vLLM has")));
        }
    }
    widths.push(output);
    let mut out = Vec::new();
    for pair in widths.windows(2) {
        if let [inputs, outputs] = *pair {
            dense(&mut out, u64::from(inputs), u64::from(outputs));
        }
    }
    Ok((out, output))
}

/// A whole layer with its bias.
pub(super) fn dense(out: &mut Vec<TowerTensor>, inputs: u64, outputs: u64) {
    out.extend([whole(inputs * outputs, 1), whole(outputs, 1)]);
}

/// `deepencoder.py: ImageEncoderViT`: SAM's base model and the convolutions behind it.
fn sam(blocks: &mut Vec<TowerBlock>, last: u64) {
    const W: u64 = 768;
    let mut embedding = vec![whole(64 * 64 * W, 1)];
    dense(&mut embedding, W, W);
    blocks.push(TowerBlock {
        count: 1,
        tensors: embedding,
    });
    // Positions relative to each other: in windows of 14 patches, in every third block over all 64.
    let block = |side: u64| {
        let mut tensors = vec![whole(W, 4)];
        dense(&mut tensors, W, 3 * W);
        dense(&mut tensors, W, W);
        tensors.push(whole((2 * side - 1) * 64, 2));
        dense(&mut tensors, W, 4 * W);
        dense(&mut tensors, 4 * W, W);
        tensors
    };
    for _ in 0..4 {
        blocks.extend([(2, 14), (1, 64)].map(|(count, side)| TowerBlock {
            count,
            tensors: block(side),
        }));
    }
    blocks.push(TowerBlock {
        count: 1,
        tensors: vec![
            whole(W * 256, 1),
            whole(256, 2),
            whole(256 * 256 * 9, 1),
            whole(256, 2),
            whole(256 * 512 * 9, 1),
            whole(512 * last * 9, 1),
        ],
    });
}

/// A layer with a bias that the ranks share, and which a quantisation may reach.
pub(super) fn cut(
    inputs: u32,
    outputs: u32,
    shards: u32,
    cut: Cut,
    attention: bool,
    quantizable: bool,
) -> TowerTensor {
    TowerTensor::Linear(TowerLinear {
        inputs,
        outputs,
        shards,
        keys: None,
        cut,
        bias: true,
        attention,
        quantizable,
        quantized: false,
    })
}

/// `molmo.py: MolmoVisionBackbone`: CLIP's large model, pooling over two of its layers, and a gated projector of the
/// language model's width.
fn molmo(text: u32, mlp: u32) -> Tower {
    const W: u32 = 1024;
    let w = u64::from(W);
    let attention = |inputs: u32| {
        let into = cut(inputs, W, 1, Cut::Outputs, true, true);
        [into, into, into, cut(W, W, 1, Cut::Inputs, true, true)]
    };
    let plain = |inputs: u32, outputs: u32, shards: u32, way: Cut| {
        TowerTensor::Linear(TowerLinear {
            inputs,
            outputs,
            shards,
            keys: None,
            cut: way,
            bias: false,
            attention: false,
            quantizable: true,
            quantized: false,
        })
    };
    let mut block = attention(W).to_vec();
    block.extend([
        cut(W, 4 * W, 1, Cut::Outputs, false, true),
        cut(4 * W, W, 1, Cut::Inputs, false, true),
        whole(w, 4),
    ]);
    let mut connector = attention(2 * W).to_vec();
    connector.extend([
        plain(W, mlp.saturating_mul(2), 2, Cut::Outputs),
        plain(mlp, text, 1, Cut::Inputs),
        whole(4 * w, 1),
    ]);
    let embedding = vec![
        whole(w, 1),
        whole(577 * w, 1),
        whole(3 * 14 * 14 * w, 1),
        whole(w, 2),
    ];
    let blocks = [(1, embedding), (23, block), (1, connector)];
    Tower {
        blocks: blocks
            .map(|(count, tensors)| TowerBlock { count, tensors })
            .to_vec(),
        heads: 16,
        uneven: Uneven::Refused,
        by_data: false,
        // Twelve crops of 24 × 24 patches beside each other, and the whole image.
        encoder: encoder(W, 4 * W, 3 * 14 * 14, 5, text, 1460),
        modalities: &["image"],
        always: false,
        unchecked: true,
    }
}

/// `deepencoder.py: DeepCLIPVisionTransformer`: CLIP's large model, on SAM's features, without the norm at its end.
fn clip(blocks: &mut Vec<TowerBlock>) {
    const W: u32 = 1024;
    let w = u64::from(W);
    blocks.push(TowerBlock {
        count: 1,
        tensors: vec![
            whole(w, 1),
            whole(3 * 14 * 14 * w, 1),
            whole(257 * w, 1),
            TowerTensor::Buffer { bytes: 257 * 8 },
            whole(w, 2),
        ],
    });
    blocks.push(TowerBlock {
        count: 24,
        tensors: vec![
            cut(W, 3 * W, 3, Cut::Outputs, true, true),
            cut(W, W, 1, Cut::Inputs, true, true),
            whole(w, 4),
            cut(W, 4 * W, 1, Cut::Outputs, false, true),
            cut(4 * W, W, 1, Cut::Inputs, false, true),
        ],
    });
}

/// timm's SigLIP, whose attention is whole on every rank (`deepseek_vl2.py: patch_vit_for_tp`), with the pooling at its
/// end that nothing reads.
fn so400m(blocks: &mut Vec<TowerBlock>) {
    const W: u32 = 1152;
    const MLP: u32 = 4304;
    let w = u64::from(W);
    let mut embedding = vec![whole(27 * 27 * w, 1)];
    dense(&mut embedding, 3 * 14 * 14, w);
    blocks.push(TowerBlock {
        count: 1,
        tensors: embedding,
    });
    let feed_forward = [
        cut(W, MLP, 1, Cut::Outputs, false, false),
        cut(MLP, W, 1, Cut::Inputs, false, false),
    ];
    let mut block = vec![whole(w, 4)];
    dense(&mut block, w, 3 * w);
    dense(&mut block, w, w);
    block.extend(feed_forward);
    blocks.push(TowerBlock {
        count: 27,
        tensors: block,
    });
    let mut pool = vec![whole(w, 2), whole(w, 1)];
    dense(&mut pool, w, w);
    dense(&mut pool, w, 2 * w);
    dense(&mut pool, w, w);
    pool.push(whole(w, 2));
    pool.extend(feed_forward);
    blocks.push(TowerBlock {
        count: 1,
        tensors: pool,
    });
}

/// `deepencoder2.py`: transformers' Qwen 2 of 0.5 billion parameters without token embeddings, with two sets of queries.
fn qwen2(blocks: &mut Vec<TowerBlock>) {
    const W: u64 = 896;
    let mut block = Vec::new();
    dense(&mut block, W, W);
    dense(&mut block, W, 128);
    dense(&mut block, W, 128);
    block.push(whole(W * W, 1));
    block.extend([whole(W * 4864, 3), whole(W, 2)]);
    blocks.push(TowerBlock {
        count: 24,
        tensors: block,
    });
    blocks.push(TowerBlock {
        count: 1,
        tensors: vec![whole(W, 1), whole(144 * W, 1), whole(256 * W, 1)],
    });
}
