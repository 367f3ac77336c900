//! A `vision_config` becomes a [`Tower`].
use super::{
    Encoder, Tower, TowerBlock,
    fields::{first, side},
    fixed,
    kinds::{Connector, Positions, Rotary, Row, Tokens, Video},
    rows,
};
use crate::model::{ConfigError, ModelSpec, fields::Fields};
use serde_json::{Map, Value};

const MAX_WIDTH: u32 = 1 << 16;
const MAX_LAYERS: u32 = 1 << 10;

/// Reads the tower of a model whose config has one; puts the fields that it read in `kept`, by object.
pub(in crate::model) fn read(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
    if let Some(tower) = fixed::read(top, spec, kept) {
        return tower;
    }
    let mut found: Option<Tower> = None;
    let mut objects = Vec::new();
    for row in rows::find(&spec.architecture) {
        objects.push(row.object);
        match (&mut found, one(top, spec, row, kept)?) {
            (Some(first), Some(mut tower)) => first.blocks.append(&mut tower.blocks),
            (None, Some(tower)) => found = Some(tower),
            (_, None) => {}
        }
    }
    // A tower that no row describes.
    let other = ["vision_config", "audio_config", "sound_config"]
        .into_iter()
        .find(|other| !objects.contains(other) && top.has(other));
    match (found, other) {
        (Some(_), Some(other)) => Err(ConfigError::unsupported(format!(
            "the tower in `{other}` is not modelled yet"
        ))),
        (Some(tower), None) => Ok(tower),
        (None, _) => Err(ConfigError::unsupported(format!(
            "{} has a vision or audio tower whose memory is not modelled yet",
            spec.architecture
        ))),
    }
}

/// The tower of one row; `None` where it is a second one that the config does not have.
fn one(
    top: &Fields<'_>,
    spec: &ModelSpec,
    row: &Row,
    kept: &mut Map<String, Value>,
) -> Result<Option<Tower>, ConfigError> {
    let none = Map::new();
    let object = top.object(row.object)?;
    if object.is_none() && row.object == "audio_config" {
        return Ok(None);
    }
    let of_another = |object: &Map<String, Value>| {
        let own = object.get("model_type").and_then(Value::as_str);
        !object.is_empty() && !row.model_type.is_empty() && own != Some(row.model_type)
    };
    if object.is_some_and(of_another) {
        return Ok(None);
    }
    if object.is_some_and(Map::is_empty) {
        return Err(ConfigError::unsupported(format!(
            "`{}` is empty: it was left out of this link or file, and with it the sizes of the tower",
            row.object
        )));
    }
    let fields = Fields::new(object.unwrap_or(&none), row.object).with_defaults(row.defaults);
    if row.connector == Connector::Perception {
        fields.call_by(&[
            ("hidden_size", "width"),
            ("num_hidden_layers", "layers"),
            ("num_attention_heads", "heads"),
        ]);
    }
    let tower = Reader::new(top, &fields, spec, row).and_then(|reader| reader.tower());
    if object.is_some() {
        if !row.model_type.is_empty() {
            fields.has("model_type");
        }
        kept.insert(row.object.to_owned(), Value::Object(fields.touched()));
    }
    tower.map(Some)
}

/// Reads one tower.
pub(super) struct Reader<'a> {
    pub(super) top: &'a Fields<'a>,
    pub(super) fields: &'a Fields<'a>,
    pub(super) spec: &'a ModelSpec,
    pub(super) row: &'a Row,
    pub(super) width: u32,
    pub(super) layers: u32,
    pub(super) heads: u32,
    pub(super) mlp: u32,
    pub(super) patch: u32,
}

impl<'a> Reader<'a> {
    fn new(
        top: &'a Fields<'a>,
        fields: &'a Fields<'a>,
        spec: &'a ModelSpec,
        row: &'a Row,
    ) -> Result<Self, ConfigError> {
        let any = |keys: &[&str], max: u32, needed_for: &'static str| first(fields, keys, max, needed_for);
        let width = any(
            &["embed_dim", "vt_hidden_size", "d_model", "hidden_size"],
            MAX_WIDTH,
            "the size of the tower",
        )?;
        let layers = any(
            &[
                "depth",
                "vt_num_hidden_layers",
                "encoder_layers",
                "num_hidden_layers",
            ],
            MAX_LAYERS,
            "the size of the tower",
        )?;
        let heads = any(
            &[
                "num_heads",
                "vt_num_attention_heads",
                "encoder_attention_heads",
                "num_attention_heads",
            ],
            1 << 10,
            "cutting the tower",
        )?;
        let whole = match row.connector {
            Connector::Perception => None,
            _ => fields.count("mlp_ratio", 64)?,
        };
        let mlp = match whole {
            None if row.connector == Connector::Perception => {
                let ratio = fields.number("mlp_ratio")?.unwrap_or(0.0);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped to the bound"
                )]
                let width = (f64::from(width) * ratio).clamp(1.0, f64::from(4 * MAX_WIDTH)) as u32;
                width
            }
            Some(ratio) => ratio * width,
            None if row.positions == Positions::SoundPicture => 4 * width,
            // GLM's blocks have the projector's width, and the projector has theirs.
            None if row.connector == Connector::Gated => {
                any(&["out_hidden_size"], MAX_WIDTH, "the size of the tower")?
            }
            None => any(
                &["vt_intermediate_size", "encoder_ffn_dim", "intermediate_size"],
                MAX_WIDTH * 4,
                "the size of the tower",
            )?,
        };
        // Sound has no patches: a convolution over three steps takes their place.
        let patch = if row.positions.is_sound() {
            1
        } else {
            let own = "image_patch_size";
            side(fields, if fields.has(own) { own } else { "patch_size" })?
        };
        let attended = fields.count("qkv_hidden_size", MAX_WIDTH)?.unwrap_or(width);
        if !attended.is_multiple_of(heads) {
            return Err(fields.inconsistent(
                "num_heads",
                format!("{heads} does not divide the width, {attended}"),
            ));
        }
        Ok(Self {
            top,
            fields,
            spec,
            row,
            width,
            layers,
            heads,
            mlp,
            patch,
        })
    }

    /// The width of the language model.
    pub(super) fn text(&self) -> u32 {
        self.spec.hidden_size
    }

    /// A field of the tower's object, or the class's default.
    pub(super) fn number(&self, key: &str) -> Result<u32, ConfigError> {
        first(self.fields, &[key], MAX_WIDTH, "the size of the tower")
    }

    /// Patches along a side of an image.
    pub(super) fn grid(&self) -> Result<u32, ConfigError> {
        Ok((side(self.fields, "image_size")? / self.patch).max(1))
    }

    fn tower(&self) -> Result<Tower, ConfigError> {
        let (connector, output) = self.connector()?;
        let mut blocks = vec![TowerBlock {
            count: 1,
            tensors: self.embedding()?,
        }];
        for index in 0..self.kept_layers()? {
            let tensors = self.block(index)?;
            match blocks.last_mut() {
                Some(last) if index > 0 && last.tensors == tensors => last.count += 1,
                _ => blocks.push(TowerBlock { count: 1, tensors }),
            }
        }
        blocks.push(TowerBlock {
            count: 1,
            tensors: connector,
        });
        let merge = self.merge()?;
        let item_tokens = self.tokens(merge)?;
        let (video_tokens, video_parts) = match self.row.video {
            Video::None => (0, 0),
            Video::Pairs(pairs) => (item_tokens, pairs),
            Video::Fixed(tokens) => (tokens, 1),
            Video::Parts(tokens, parts) => (tokens, parts),
        };
        Ok(Tower {
            blocks,
            heads: if self.row.whole { 0 } else { self.heads },
            uneven: self.row.uneven,
            by_data: self.row.by_data,
            encoder: Encoder {
                width: self.width,
                intermediate_size: self.mlp,
                gated: self.row.block.gated,
                rotary: self.row.rotary != Rotary::None || self.row.positions == Positions::PlaneAndTime,
                patch: self.pixels()?
                    + match self.row.connector {
                        // The words of a token: twice in 16 bits and once in float32 at the widest point.
                        Connector::Words(_) => 4 * self.words()? / (merge * merge),
                        _ => 0,
                    },
                patches_per_token: merge * merge,
                output,
                item_tokens,
                pixels_per_token: match self.row.tokens {
                    Tokens::Pixels(_) => (self.patch * merge).pow(2),
                    _ => 0,
                },
                video_tokens,
                video_parts,
                at_once: 0,
            },
            modalities: self.row.modalities,
            always: false,
            unchecked: self.row.unchecked,
        })
    }

    /// Elements of a patch's pixels.
    pub(super) fn pixels(&self) -> Result<u32, ConfigError> {
        if matches!(
            self.row.positions,
            Positions::SoundPicture | Positions::SoundPictures
        ) {
            return Ok(9);
        }
        if self.row.positions.is_sound() {
            return Ok(3 * self.number("num_mel_bins")?);
        }
        let channels = first(
            self.fields,
            &["in_channels", "num_channels"],
            64,
            "the patch embedding",
        )
        .or_else(|error| match error {
            ConfigError::Missing { .. } => Ok(3),
            other => Err(other),
        })?;
        let frames = self.compression("temporal_patch_size")?;
        let frames = frames.or(self.fields.count("patch_temporal", 64)?);
        // PaddleOCR's class ignores it.
        let frames = frames
            .filter(|_| self.row.connector != Connector::Whole)
            .unwrap_or(1);
        Ok(channels * frames * self.patch * self.patch)
    }

    /// A field of the tower's object, or of MiniMax M3's object for it.
    fn compression(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        if let Some(own) = self.fields.count(key, 64)? {
            return Ok(Some(own));
        }
        match self.fields.object("img_token_compression_config")? {
            Some(inner) => Fields::new(inner, "img_token_compression_config").count(key, 64),
            None => Ok(None),
        }
    }

    /// Patches along a side of what becomes one token.
    pub(super) fn merge(&self) -> Result<u32, ConfigError> {
        let own = self.compression("spatial_merge_size")?;
        let own = own.or(self.fields.count("merge_size", 64)?);
        Ok(match (self.row.connector, own) {
            (Connector::PatchMerger, _) => self.top.count("spatial_merge_size", 64)?.unwrap_or(2),
            (_, Some(merge)) => merge,
            (Connector::Merged | Connector::MergedGated, None) => {
                self.top.count("downsample_factor", 64)?.unwrap_or(2)
            }
            (Connector::Downsampled, None) => self.number("downsample_ratio")?.min(64),
            (Connector::Shuffled, None) => self.top.count("scale_factor", 64)?.unwrap_or(2),
            (Connector::Averaged, None) => {
                let tokens = self.top.count("mm_tokens_per_image", 1 << 16)?.unwrap_or(256);
                (self.grid()? / tokens.isqrt().max(1)).max(1)
            }
            (Connector::Plain, None) => self.fields.count("pooling_kernel_size", 64)?.unwrap_or(3),
            (Connector::TwoLayers | Connector::TwoLayersNewline | Connector::OneWhole, None) => 1,
            // 64 queries for 1024 patches.
            (
                Connector::Resampler | Connector::Windowed | Connector::Convolutions | Connector::Perception,
                None,
            ) => 4,
            // 32 queries for 257 patches.
            (Connector::QFormer, None) => 3,
            (Connector::Words(_), None) => self.fields.count("hidden_stride", 64)?.unwrap_or(2),
            (_, None) => 2,
        })
    }
}
