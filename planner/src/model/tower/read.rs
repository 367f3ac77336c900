//! A `vision_config` becomes a [`Tower`].
use super::{
    Encoder, Tower, TowerBlock, TowerTensor,
    kinds::{Connector, Positions, Rotary, Row, Tokens, Video},
    rows,
};
use crate::model::{ConfigError, ModelSpec, fields::Fields};
use serde_json::{Map, Value};

const MAX_WIDTH: u32 = 1 << 16;
const MAX_LAYERS: u32 = 1 << 10;
const MAX_SIDE: u32 = 1 << 14;

/// Reads the tower of a model whose config has one; puts the fields that it read in `kept`, by object.
pub(in crate::model) fn read(
    top: &Fields<'_>,
    spec: &ModelSpec,
    kept: &mut Map<String, Value>,
) -> Result<Tower, ConfigError> {
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
    if object.is_some_and(Map::is_empty) {
        return Err(ConfigError::unsupported(format!(
            "`{}` is empty: it was left out of this link or file, and with it the sizes of the tower",
            row.object
        )));
    }
    let fields = Fields::new(object.unwrap_or(&none), row.object).with_defaults(row.defaults);
    let tower = Reader::new(top, &fields, spec, row).and_then(|reader| reader.tower());
    if object.is_some() {
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
    layers: u32,
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
        let mlp = match fields.count("mlp_ratio", 64)? {
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
            side(fields, "patch_size")?
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
        };
        Ok(Tower {
            blocks,
            heads: if self.row.whole { 0 } else { self.heads },
            uneven: self.row.uneven,
            encoder: Encoder {
                width: self.width,
                intermediate_size: self.mlp,
                gated: self.row.block.gated,
                rotary: self.row.rotary != Rotary::None || self.row.positions == Positions::PlaneAndTime,
                patch: self.pixels()?,
                patches_per_token: merge * merge,
                output,
                item_tokens,
                video_tokens,
                video_parts,
            },
            modalities: self.row.modalities,
        })
    }

    /// Elements of a patch's pixels.
    pub(super) fn pixels(&self) -> Result<u32, ConfigError> {
        if self.row.positions == Positions::SoundPicture {
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
        let frames = frames.or(self.fields.count("patch_temporal", 64)?).unwrap_or(1);
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
            (Connector::Averaged, None) => {
                let tokens = self.top.count("mm_tokens_per_image", 1 << 16)?.unwrap_or(256);
                (self.grid()? / tokens.isqrt().max(1)).max(1)
            }
            (Connector::Plain, None) => self.fields.count("pooling_kernel_size", 64)?.unwrap_or(3),
            (Connector::TwoLayers | Connector::TwoLayersNewline, None) => 1,
            (_, None) => 2,
        })
    }

    fn tokens(&self, merge: u32) -> Result<u32, ConfigError> {
        let side = self.patch * merge;
        Ok(match self.row.tokens {
            Tokens::Fixed(tokens) => tokens,
            Tokens::Pixels(pixels) => pixels / (side * side),
            Tokens::Image => {
                let grid = self.grid()? / merge;
                grid * grid
            }
            Tokens::Tiles(tiles) => {
                let grid = self.grid()?;
                tiles * grid * grid / 4
            }
            Tokens::Unknown => 0,
        })
    }

    /// Layers up to the one whose output is used.
    fn kept_layers(&self) -> Result<u32, ConfigError> {
        let (fields, key, default, behind) = match self.row.connector {
            Connector::TwoLayers | Connector::TwoLayersNewline => (self.top, "vision_feature_layer", -2, 0),
            Connector::PatchMerger => (self.top, "vision_feature_layer", -1, 0),
            Connector::Separators => (self.fields, "layer_idx", -2, 1),
            Connector::InternVl => (self.top, "select_layer", -1, 1),
            _ => return Ok(self.layers),
        };
        let layer = |value: &Value| -> Result<i64, ConfigError> {
            let at = value
                .as_i64()
                .ok_or_else(|| fields.wrong(key, "a layer's number", value))?;
            let count = i64::from(self.layers);
            Ok(if at < 0 { count + at + 1 } else { at + behind })
        };
        let last = match fields.value(key) {
            None => i64::from(self.layers) + default + 1,
            Some(Value::Array(list)) => {
                let mut last = 0;
                for value in list {
                    last = last.max(layer(value)?);
                }
                last
            }
            Some(value) => layer(value)?,
        };
        u32::try_from(last)
            .ok()
            .filter(|last| (1..=self.layers).contains(last))
            .ok_or_else(|| fields.inconsistent(key, format!("the tower has {} layers", self.layers)))
    }
}

/// So many equal tensors.
pub(super) fn whole(elements: u64, count: u32) -> TowerTensor {
    TowerTensor::Whole { elements, count }
}

/// The first of these fields that is there, or the class's default of one of them.
fn first(fields: &Fields<'_>, keys: &[&str], max: u32, needed_for: &'static str) -> Result<u32, ConfigError> {
    if let Some(key) = keys.iter().find(|key| fields.has(key)) {
        return fields.required(key, max, needed_for);
    }
    for key in keys {
        if let Some(default) = fields.count(key, max)? {
            return Ok(default);
        }
    }
    let last = keys.last().copied().unwrap_or_default();
    fields.required(last, max, needed_for)
}

/// The side of an image or patch: a number, or a list of two equal ones.
fn side(fields: &Fields<'_>, key: &str) -> Result<u32, ConfigError> {
    let Some(Value::Array(sides)) = fields.value(key) else {
        return fields.required(key, MAX_SIDE, "the size of the tower");
    };
    let number = |value: &Value| {
        value
            .as_u64()
            .and_then(|side| u32::try_from(side).ok())
            .filter(|side| (1..=MAX_SIDE).contains(side))
    };
    match sides.as_slice() {
        [a, b] if a == b => number(a),
        _ => None,
    }
    .ok_or_else(|| fields.inconsistent(key, "expected two equal sides"))
}
