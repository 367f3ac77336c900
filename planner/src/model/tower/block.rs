//! A tower's embedding and the blocks behind it.
use super::{
    Cut, TowerTensor,
    fields::whole,
    kinds::{Connector, Positions, Rotary},
    read::Reader,
};
use crate::model::ConfigError;

impl Reader<'_> {
    /// Patches, positions and what stands around the blocks.
    pub(super) fn embedding(&self) -> Result<Vec<TowerTensor>, ConfigError> {
        let w = u64::from(self.width);
        if self.row.positions == Positions::SoundPicture {
            return self.sound_picture();
        }
        let mut out = Vec::with_capacity(8);
        let vectors = |count: u32| whole(w, count);
        if self.row.positions == Positions::SoundPictures {
            let channels = u64::from(self.number("downsample_hidden_size")?);
            let bins = u64::from(self.number("num_mel_bins")?)
                .div_ceil(2)
                .div_ceil(2)
                .div_ceil(2);
            out.push(whole(9 * channels, 1));
            out.push(whole(9 * channels * channels, 2));
            out.push(whole(channels, 3));
            out.push(whole(channels * bins * w, 1));
        } else if self.row.connector == Connector::PixelShuffle {
            let patch = self.linear(
                "patch_embedding",
                self.pixels()?,
                self.width,
                1,
                Cut::Outputs,
                false,
            )?;
            out.push(TowerTensor::Linear(patch));
        } else {
            out.push(whole(w * u64::from(self.pixels()?), 1));
        }
        let patch_bias = self.fields.flag("patch_embed_proj_bias")?;
        out.push(vectors(u32::from(patch_bias.unwrap_or(self.row.patch_bias))));
        let class = self.class_token()?;
        out.push(vectors(u32::from(class)));
        let class = u64::from(class);
        let grid = || self.grid().map(|grid| u64::from(grid) * u64::from(grid) + class);
        match self.row.positions {
            Positions::None | Positions::SoundPicture => {}
            Positions::Grid if self.fields.flag("use_abs_posemb")? == Some(false) => {}
            Positions::Rows(key) => out.push(whole(u64::from(self.number(key)?) * w, 1)),
            Positions::Grid => out.push(whole(grid()? * w, 1)),
            Positions::LargestImage => {
                let side = u64::from(self.number("max_image_size")? / self.patch);
                out.push(whole((side * side + 1) * w, 1));
            }
            Positions::GridAndIds => {
                out.push(whole(grid()? * w, 1));
                out.push(TowerTensor::Buffer { bytes: grid()? * 8 });
            }
            Positions::SoundPictures => out.push(TowerTensor::Buffer {
                bytes: 4 * u64::from(self.number("max_source_positions")?) * w,
            }),
            Positions::Sound | Positions::SoundWaves => {
                out.push(whole(3 * w * w, 1));
                out.push(vectors(2));
                let steps = u64::from(self.number("max_source_positions")?) * w;
                out.push(if self.row.positions == Positions::Sound {
                    whole(steps, 1)
                } else {
                    TowerTensor::Buffer { bytes: 4 * steps }
                });
            }
            Positions::Plane => {
                let side = |side: &str| {
                    let names = [format!("pos_emb_{side}"), format!("init_pos_emb_{side}")];
                    self.number(
                        names
                            .iter()
                            .find(|name| self.fields.has(name))
                            .unwrap_or(&names[0]),
                    )
                };
                let plane = u64::from(side("height")?) * u64::from(side("width")?);
                out.push(whole(plane * w, 1));
            }
            Positions::Axes => {
                let rows = u64::from(self.number("position_embedding_size")?);
                out.push(whole(2 * rows * w, 1));
            }
            Positions::PlaneAndTime => {
                let plane = u64::from(self.number("init_pos_emb_height")?)
                    * u64::from(self.number("init_pos_emb_width")?);
                out.push(whole(plane * w, 1));
                let time = u64::from(self.number("init_pos_emb_time")?) * w;
                out.push(if self.reached().is_some() {
                    TowerTensor::Buffer { bytes: 4 * time }
                } else {
                    // Converted with the rest of the tower.
                    TowerTensor::Cache { elements: time }
                });
            }
        }
        let rms = self.fields.text("norm_type")? == Some("rmsnorm");
        let norms = if rms {
            self.row.vectors / 2
        } else {
            self.row.vectors
        };
        let named = |key: &str| self.fields.flag(key).map(|set| set == Some(true));
        let around = u32::from(named("use_ln_pre")?) + u32::from(named("use_ln_post")?);
        out.push(vectors(norms + 2 * around));
        if self.row.connector == Connector::InternWhole
            && self.fields.flag("use_mean_pooling")? == Some(false)
        {
            out.push(vectors(2));
        }
        let head = u64::from(self.width / self.heads);
        match self.row.rotary {
            Rotary::None | Rotary::InBlocks => {}
            Rotary::Cache => out.push(TowerTensor::Cache {
                elements: 8192 * (head / 2),
            }),
            Rotary::TextCache => out.push(TowerTensor::Cache {
                elements: u64::from(self.spec.derived_max_model_len) * (head / 2),
            }),
            Rotary::Complex => out.push(TowerTensor::Buffer {
                bytes: grid()? * (head / 2) * 8,
            }),
            Rotary::Frequencies(parts) => {
                let head = self.fields.count("head_dim", 1 << 10)?.map_or(head, u64::from);
                out.extend(
                    [TowerTensor::Buffer {
                        bytes: head / parts * 4,
                    }; 2],
                );
            }
            Rotary::ThreeAxes => {
                let axis = head / 2 * 2 / 3 / 2;
                out.extend([TowerTensor::Buffer { bytes: axis * 4 }; 3]);
            }
            Rotary::Inverse => out.push(TowerTensor::Buffer { bytes: head / 4 * 4 }),
        }
        if self.row.connector == Connector::Plain {
            let standardize = self.fields.flag("standardize")?.unwrap_or(false);
            out.push(vectors(if standardize { 2 } else { 0 }));
        }
        out.retain(|tensor| !matches!(tensor, TowerTensor::Whole { count: 0, .. }));
        Ok(out)
    }

    fn class_token(&self) -> Result<bool, ConfigError> {
        Ok(self.fields.flag("use_cls_token")?.unwrap_or(self.row.class_token))
    }

    /// One block of the transformer.
    pub(super) fn block(&self, index: u32) -> Result<Vec<TowerTensor>, ConfigError> {
        if self.row.positions == Positions::SoundPicture {
            return self.conformer(index);
        }
        let block = &self.row.block;
        let [list, qkv, o, up, down] = block.names.map(str::to_owned);
        let name = |part: &str| format!("{list}.{index}.{part}");
        let (outputs, inputs) = if self.row.whole {
            (Cut::Whole, Cut::Whole)
        } else {
            (Cut::Outputs, Cut::Inputs)
        };
        let clipped = self.row.whole && self.fields.flag("use_clipped_linears")?.unwrap_or(false);
        let w = self.width;
        let heads = match (
            self.fields.count("qkv_hidden_size", 1 << 16)?,
            self.fields.count("head_dim", 1 << 10)?,
        ) {
            (Some(width), _) => width,
            (None, Some(dim)) => self.heads.saturating_mul(dim),
            (None, None) => w,
        };
        // Some towers' configs say which biases there are.
        let flag = |key: &str, default: bool| self.fields.flag(key).map(|set| set.unwrap_or(default));
        let attention_bias =
            |default: bool| flag("use_bias", default).and_then(|bias| flag("attn_bias", bias));
        // Its attention alone is transformers' own.
        let bare = self.row.connector == Connector::InternWhole;
        let qkv_bias = if bare {
            flag("attention_bias", block.qkv_bias)?
        } else {
            flag("qkv_bias", attention_bias(block.qkv_bias)?)?
        };
        let o_bias = attention_bias(block.o_bias)?;
        let mlp_bias = flag("linear_bias", flag("use_bias", block.mlp_bias)?)?;
        let (up_cut, down_cut) = match self.row.connector {
            Connector::Adapter | Connector::Convolved => (Cut::Whole, Cut::Whole),
            Connector::InternWhole => (Cut::OutputsAlways, Cut::InputsAlways),
            _ => (outputs, inputs),
        };
        let (outputs, inputs) = if bare {
            (Cut::Whole, Cut::Whole)
        } else {
            (outputs, inputs)
        };
        let head = heads / self.heads.max(1);
        let keys = if block.grouped {
            Some((self.number("num_key_value_heads")?.saturating_mul(head), head))
        } else {
            None
        };
        let kv = keys.map_or(heads, |(width, _)| width);
        let ups = if block.gated { 2 } else { 1 };
        let mut out = Vec::with_capacity(6);
        // Layers that are fused elsewhere stand on their own in a tower of transformers.
        let alone = self.row.whole;
        for (part, k, n, shards, cut, bias, attention) in [
            (name(&qkv), w, heads + 2 * kv, 3, outputs, qkv_bias, true),
            (name(&o), heads, w, 1, inputs, o_bias, true),
            (name(&up), w, ups * self.mlp, ups, up_cut, mlp_bias, false),
            (name(&down), self.mlp, w, 1, down_cut, mlp_bias, false),
        ] {
            let (times, n, shards) = if alone || bare {
                (shards, n / shards, 1)
            } else {
                (1, n, shards)
            };
            let mut linear = self.linear(&part, k, n, shards, cut, bias)?;
            linear.attention = attention;
            linear.keys = keys.filter(|_| attention && part == name(&qkv));
            for time in 0..times {
                // Keys have no bias in transformers; vLLM's fused layer keeps zeros for it.
                linear.bias = bias && !(time == 1 && self.row.positions.is_sound());
                out.push(TowerTensor::Linear(linear));
                if clipped {
                    out.push(whole(1, 4));
                }
            }
        }
        if matches!(self.row.connector, Connector::Plain | Connector::GatedByText) {
            // Norms of queries and keys.
            out.push(whole(u64::from(heads / self.heads.max(1)), 2));
        }
        if self.row.rotary == Rotary::InBlocks {
            let grid = u64::from(self.grid()?);
            let patches = grid * grid + u64::from(self.class_token()?);
            out.push(TowerTensor::Buffer {
                bytes: 4 * patches * u64::from(head),
            });
        }
        let scales = if self.fields.has("ls_init_value") { 2 } else { 0 };
        let rms = matches!(self.fields.text("norm_type")?, Some("rms_norm" | "rmsnorm"));
        let normed = match self.row.connector {
            Connector::InternVl => flag("qk_normalization", false)?,
            Connector::InternWhole => flag("use_qk_norm", false)?,
            _ => false,
        };
        let vectors = block.vectors + scales - if rms { 2 } else { 0 } + if normed { 2 } else { 0 };
        out.push(whole(u64::from(w), vectors));
        Ok(out)
    }
}
