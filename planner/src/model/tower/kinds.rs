//! How kinds of towers differ.
//!
//! Mirrors the `__init__` methods in `vllm/model_executor/models/` at 0.33.0, and in transformers 5.24 where vLLM takes
//! a tower from there.
use super::Uneven;

/// Which of a tower's linear layers a checkpoint's quantisation may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Covered {
    /// All of them.
    All,
    /// All but the projector.
    Blocks,
    /// As `All`, but a feed-forward only where both of its widths are multiples of 64 (SigLIP).
    In64,
    /// All but the projector, and only where both widths are multiples of 64; compressed-tensors in any case (Gemma 4).
    TowerIn64,
    /// All, except of compressed-tensors (Kimi).
    NotCompressed,
    /// None: the class does not pass it on.
    None,
}

/// How patches get their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Positions {
    /// None is learned.
    None,
    /// So many rows.
    Rows(&'static str),
    /// One row for each patch of an image.
    Grid,
    /// One row for each patch of an image of `max_image_size`, and one more (HunyuanOCR).
    LargestImage,
    /// As `Grid`, and the numbers of the rows as int64.
    GridAndIds,
    /// A table for each axis (Gemma 4).
    Axes,
    /// A plane (Muse Glimmer).
    Plane,
    /// A plane, and a float32 buffer for the frames of a video (MoonViT).
    PlaneAndTime,
    /// One row for each step of sound, behind two convolutions (Whisper).
    Sound,
    /// The same computed, in float32 (Qwen2.5-Omni).
    SoundWaves,
    /// Two convolutions over a picture of sound (Gemma 4).
    SoundPicture,
    /// Three convolutions over pictures of sound, a layer behind them, and computed positions in float32 (Qwen3-Omni).
    SoundPictures,
}

impl Positions {
    /// Of sound: there are no patches.
    pub(super) fn is_sound(self) -> bool {
        matches!(
            self,
            Self::Sound | Self::SoundWaves | Self::SoundPicture | Self::SoundPictures
        )
    }
}

/// Buffers of rotary positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Rotary {
    /// None is kept.
    None,
    /// vLLM's cache of 8192 positions for half of each head.
    Cache,
    /// The same over all positions of the language model (GLM-5.3).
    TextCache,
    /// A complex number for each position and pair (Llama 4).
    Complex,
    /// Two float32 buffers, of a head's size divided by this, as transformers keeps them.
    Frequencies(u64),
    /// One of a quarter of a head (dots.ocr).
    Inverse,
    /// One of float32 for each patch of an image and number of a head, in every block (Step's perception encoder).
    InBlocks,
    /// Three for the axes of a video, of a sixth of a head each (MiniMax M3).
    ThreeAxes,
}

/// What leads from the blocks to the language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Connector {
    /// A norm and two layers over merged patches; `deepstack_visual_indexes` gives it copies (Qwen).
    Merger,
    /// Gemma 3: one matrix behind an average.
    Averaged,
    /// Gemma 4: one layer without bias.
    Plain,
    /// Mistral: patches merged by a layer, then two layers.
    PatchMerger,
    /// Two layers (LLaVA).
    TwoLayers,
    /// As `TwoLayers`, and a learned end of a line of an image (LLaVA-NeXT).
    TwoLayersNewline,
    /// Llama 4: two layers over shuffled pixels, then one.
    PixelShuffle,
    /// Kimi: a norm and two whole layers over merged patches.
    Whole,
    /// InternVL: a norm and two whole layers over merged patches, with the language model's width between.
    InternVl,
    /// GLM: a convolution, then a gated feed-forward.
    Gated,
    /// GLM-4V: the same behind a whole layer and as wide as the language model's, with two learned tokens around it.
    GatedTokens,
    /// Phi-3: two whole layers behind learned separators.
    Separators,
    /// Qwen2-Audio: one whole layer with a bias.
    Audio,
    /// Whisper: none; the decoder's positions and third norms are counted here.
    Decoder,
    /// Qwen2.5-Omni's sound: the same, and two learned tokens around it.
    AudioTokens,
    /// Voxtral: two whole layers without biases over four steps of sound each, which no quantisation reaches.
    AudioMerged,
    /// Qwen3-Omni's sound: two whole layers.
    AudioTwice,
    /// MiniCPM-V: learned queries that attend to the patches.
    Resampler,
    /// MiniCPM-V 4.6: attention in windows and two layers among the blocks, then a norm and two layers, all over four patches.
    Windowed,
    /// Ovis: logits over a table of visual words, whose embeddings are as wide as the language model; so many of the words
    /// mark images and have no logits.
    Words(u32),
    /// Molmo 2: attention pools over several layers' outputs, then a gated feed-forward; sizes in `adapter_config`.
    Pooled,
    /// MiniCPM-o's sound: two whole layers, which no quantisation reaches.
    AudioDense,
    /// Kimi K3: two whole layers without biases, and a norm behind them.
    WholeNormed,
    /// MiniMax M3: two layers, then two over merged patches.
    Twice,
    /// Muse Glimmer: three whole layers without biases.
    Adapter,
    /// Two whole layers and a learned end of a line, which no quantisation reaches (LLaVA-OneVision).
    TwoWhole,
    /// One whole layer with a bias, which no quantisation reaches (PaliGemma).
    OneWhole,
    /// One whole layer over shuffled pixels (Idefics 3, SmolVLM).
    Shuffled,
    /// Two layers over merged patches and three learned vectors in float32, which no quantisation reaches (DeepSeek V4.1).
    Downsampled,
    /// Two whole layers over merged patches, a norm before them, which no quantisation reaches (LFM2-VL).
    Merged,
    /// Two layers over merged patches, the first with a gate, which no quantisation reaches (Command A Vision).
    MergedGated,
    /// As `Gated`, as wide as the language model's feed-forward where it names no width; the blocks have a width of their own (GLM-OCR).
    GatedByText,
    /// As `InternVl`; the blocks' attention is whole on every rank (InternVL's published in transformers' form).
    InternWhole,
    /// Gemma 4's sound: one layer with a bias, then one without.
    Conformer,
    /// ERNIE 4.5 VL: two layers over merged patches, two over pairs of frames of them, a norm behind each, then one
    /// more and a norm.
    Spacetime,
    /// Step 3: two convolutions and a layer, which no quantisation reaches.
    Convolutions,
    /// Step 3.7: two convolutions, which no quantisation reaches, and a layer.
    Perception,
    /// BLIP-2: learned queries that attend to the patches, and a layer.
    QFormer,
    /// Granite 4 Vision: for each level of the language model that it feeds, learned queries that attend to windows of
    /// patches, and a layer.
    Windows,
    /// HunyuanOCR: two convolutions, a whole layer and learned tokens between norms; the blocks' feed-forward is whole.
    Convolved,
    /// Aria: learned queries that attend to the patches, then two layers.
    Queries,
}

/// The blocks of a tower.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Block {
    /// What the modules are called: the list of blocks, then queries, output, and the feed-forward's layers.
    pub(in crate::model) names: [&'static str; 5],
    pub(in crate::model) qkv_bias: bool,
    pub(in crate::model) o_bias: bool,
    pub(in crate::model) mlp_bias: bool,
    pub(in crate::model) gated: bool,
    /// Keys and values have fewer heads: `num_key_value_heads`.
    pub(in crate::model) grouped: bool,
    /// Vectors of the tower's width: 4 for two norms with biases.
    pub(in crate::model) vectors: u32,
}

/// A kind of tower.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Row {
    pub(in crate::model) architectures: &'static [&'static str],
    /// The object of the config.
    pub(in crate::model) object: &'static str,
    /// Its `model_type`, where the class takes towers of several; else empty.
    pub(in crate::model) model_type: &'static str,
    /// What the config's class fills in: names and numbers in turn, as a text, which is a third of a table of pointers.
    pub(in crate::model) defaults: &'static str,
    /// Names of the tower's module, in vLLM and in checkpoints.
    pub(in crate::model) roots: &'static [&'static str],
    /// Names of the projector's.
    pub(in crate::model) connector_roots: &'static [&'static str],
    pub(in crate::model) connector: Connector,
    pub(in crate::model) covered: Covered,
    /// Whole on every rank.
    pub(in crate::model) whole: bool,
    pub(in crate::model) uneven: Uneven,
    /// `--mm-encoder-tp-mode data` is heeded (`supports_encoder_tp_data` of the class); else the ranks share it all the same.
    pub(in crate::model) by_data: bool,
    /// The patch embedding has a bias.
    pub(in crate::model) patch_bias: bool,
    /// A token for the whole image.
    pub(in crate::model) class_token: bool,
    pub(in crate::model) positions: Positions,
    pub(in crate::model) rotary: Rotary,
    pub(in crate::model) block: Block,
    /// Vectors of the tower's width before and behind the blocks.
    pub(in crate::model) vectors: u32,
    /// Tokens of the largest image, as published preprocessors and processors have it.
    pub(in crate::model) tokens: Tokens,
    pub(in crate::model) video: Video,
    /// vLLM's names of what the tower takes, images or sound first.
    pub(in crate::model) modalities: &'static [&'static str],
    /// It follows from vLLM's code and the published count alone.
    pub(in crate::model) unchecked: bool,
}

/// Tokens of the largest image or sound that profiling takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Tokens {
    /// As many for any item.
    Fixed(u32),
    /// As many as the context holds.
    Context,
    /// An image of so many pixels.
    Pixels(u32),
    /// An image of `image_size`.
    Image,
    /// So many tiles of `image_size`, of which a quarter of the patches become tokens.
    Tiles(u32),
    /// Not known here.
    Unknown,
}

/// Videos that take more than an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Video {
    /// None does.
    None,
    /// Up to so many pairs of frames, each like the largest image, as the context has room for.
    Pairs(u32),
    /// So many tokens.
    Fixed(u32),
    /// Parts of so many tokens, up to so many as the context has room for.
    Parts(u32, u32),
}
