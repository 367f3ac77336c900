//! A vision or audio tower as the arithmetic needs it: the tensors of each of its blocks.
mod block;
mod conformer;
mod connector;
mod fields;
mod fixed;
mod gemma3n;
mod inkling;
mod kinds;
mod layer;
mod moondream;
mod phi4mm;
mod radio;
pub(super) mod read;
mod rows;

/// How a linear layer of a tower is cut over the ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Whole on every rank.
    Whole,
    /// By outputs; whole with `--mm-encoder-tp-mode data`.
    Outputs,
    /// By inputs; whole with `--mm-encoder-tp-mode data`.
    Inputs,
    /// By outputs in either mode: projectors that ignore it.
    OutputsAlways,
    /// By inputs in either mode.
    InputsAlways,
}

/// A linear layer of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TowerLinear {
    /// Inputs in all.
    pub inputs: u32,
    /// Outputs in all, of every fused shard together.
    pub outputs: u32,
    /// Layers that are fused into it: 3 for queries, keys and values.
    pub shards: u32,
    /// Outputs of the keys, and of one of their heads, where they are fewer than the queries: a rank has one at least.
    pub keys: Option<(u32, u32)>,
    /// How it is cut.
    pub cut: Cut,
    /// With a bias.
    pub bias: bool,
    /// Part of the attention.
    pub attention: bool,
    /// The class hands the quantisation to it.
    pub quantizable: bool,
    /// It is quantised in this checkpoint.
    pub quantized: bool,
}

/// What a module of a tower keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TowerTensor {
    /// So many equal tensors of so many elements in the model's type, whole on every rank.
    Whole {
        /// Elements of one.
        elements: u64,
        /// How many.
        count: u32,
    },
    /// A buffer of so many elements in the model's type, whole on every rank; no parameter.
    Cache {
        /// Its elements.
        elements: u64,
    },
    /// A buffer of so many bytes, whole on every rank; its type is its own.
    Buffer {
        /// Its size.
        bytes: u64,
    },
    /// So many tensors of max_num_batched_tokens × width in the model's type that are neither parameters nor buffers.
    PerToken {
        /// Elements for each token.
        width: u32,
        /// How many.
        count: u32,
    },
    /// A linear layer.
    Linear(TowerLinear),
}

impl TowerTensor {
    /// Elements as published: buffers are none.
    fn parameters(&self) -> u64 {
        match *self {
            Self::Whole { elements, count } => elements * u64::from(count),
            Self::Cache { .. } | Self::Buffer { .. } | Self::PerToken { .. } => 0,
            Self::Linear(linear) => {
                let outputs = u64::from(linear.outputs);
                u64::from(linear.inputs) * outputs + if linear.bias { outputs } else { 0 }
            }
        }
    }
}

/// Equal blocks that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TowerBlock {
    /// How many.
    pub count: u32,
    /// In order of creation.
    pub tensors: Vec<TowerTensor>,
}

/// What vLLM's profile run encodes, and what encoding takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoder {
    /// Width of the blocks.
    pub width: u32,
    /// Width of their feed-forward.
    pub intermediate_size: u32,
    /// With a gate beside it.
    pub gated: bool,
    /// Queries and keys are rotated, in copies.
    pub rotary: bool,
    /// Elements of a patch's pixels.
    pub patch: u32,
    /// Patches that become one token.
    pub patches_per_token: u32,
    /// Width of a token that the tower hands on, those of deepstack beside it.
    pub output: u32,
    /// Tokens of the largest image or sound, as the family's published preprocessor has it, or as many as the context
    /// holds; 0 where it is not known.
    pub item_tokens: u32,
    /// Pixels of a token, where `max_pixels` of the preprocessor decides on their number; else 0.
    pub pixels_per_token: u32,
    /// Tokens of a part of a video; 0 where the family has none, or none that is larger than an image.
    pub video_tokens: u32,
    /// Parts of the longest video that is encoded.
    pub video_parts: u32,
    /// Tokens that are encoded at once, where the class takes an item in pieces; else 0.
    pub at_once: u32,
}

impl Encoder {
    /// Tokens of the largest item in a context of that length, given how many items of an image's and of a video's kind
    /// a prompt may have, and that number. `max_pixels` is the preprocessor's own limit.
    pub fn largest(
        &self,
        max_model_len: u32,
        items: u32,
        videos: u32,
        max_pixels: Option<u32>,
    ) -> (u32, u32) {
        let limited = |tokens: u32| match max_pixels {
            Some(pixels) if self.pixels_per_token > 0 => (pixels / self.pixels_per_token).max(1),
            _ => tokens,
        };
        let image = if items > 0 {
            limited(self.item_tokens).min(max_model_len)
        } else {
            0
        };
        if videos == 0 || self.video_tokens == 0 {
            return (image, items);
        }
        let part = limited(self.video_tokens);
        let video = part.saturating_mul((max_model_len / part).clamp(1, self.video_parts.max(1)));
        if video >= image {
            (video, videos)
        } else {
            (image, items)
        }
    }
}

/// What a class does where the ranks do not divide its heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uneven {
    /// vLLM refuses.
    #[default]
    Refused,
    /// The tower is whole on every rank.
    Whole,
    /// Its attention is; the rest is cut.
    AttentionWhole,
}

/// The towers of a model: empty where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tower {
    /// Embedding, blocks and projectors.
    pub blocks: Vec<TowerBlock>,
    /// Heads that the ranks must divide; 0 where the tower is whole on every rank.
    pub heads: u32,
    /// Where they do not.
    pub uneven: Uneven,
    /// The class heeds `--mm-encoder-tp-mode data`; the others warn and cut the tower.
    pub by_data: bool,
    /// What profiling runs.
    pub encoder: Encoder,
    /// vLLM's names of what it takes, the first of them images, chunks of vision or sound: with a limit of 0 for all of
    /// them it is not loaded.
    pub modalities: &'static [&'static str],
    /// Its class builds it in any case: on every stage, and where nothing is to be encoded.
    pub always: bool,
    /// It follows from vLLM's code and the published count alone.
    pub unchecked: bool,
}

impl Tower {
    /// Parameters as published.
    pub fn parameters(&self) -> u64 {
        let block =
            |b: &TowerBlock| u64::from(b.count) * b.tensors.iter().map(TowerTensor::parameters).sum::<u64>();
        self.blocks.iter().map(block).sum()
    }

    /// Ranks that its attention and its other layers are cut over; `None` where vLLM refuses the cut.
    pub fn ranks(&self, tp: u32, data_parallel: bool) -> Option<(u32, u32)> {
        if self.heads == 0 || data_parallel {
            return Some((1, 1));
        }
        match self.uneven {
            _ if self.heads.is_multiple_of(tp) => Some((tp, tp)),
            Uneven::Refused => None,
            Uneven::Whole => Some((1, 1)),
            Uneven::AttentionWhole => Some((1, tp)),
        }
    }

    /// With everything quantised while loading that the classes let be.
    pub(in crate::model) fn quantize(&mut self) {
        for tensor in self.blocks.iter_mut().flat_map(|block| &mut block.tensors) {
            if let TowerTensor::Linear(linear) = tensor {
                linear.quantized = linear.quantizable;
            }
        }
    }
}

/// The tower of a config whose language model is another's.
#[cfg(test)]
pub(crate) fn alone(
    config: &serde_json::Map<String, serde_json::Value>,
    spec: &super::ModelSpec,
) -> Result<Tower, super::ConfigError> {
    let fields = super::fields::Fields::new(config, "");
    read::read(&fields, spec, &mut serde_json::Map::new())
}
