//! What leads from a tower's blocks to the language model.
use super::{
    Cut, TowerLinear, TowerTensor,
    fields::whole,
    fixed::{cut, dense},
    kinds::{Connector, Positions},
    read::Reader,
};
use crate::model::{ConfigError, fields::Fields, wrappers::version};
use serde_json::{Map, Value};

impl Reader<'_> {
    /// Its tensors, and the width of what it hands on.
    pub(super) fn connector(&self) -> Result<(Vec<TowerTensor>, u32), ConfigError> {
        let (w, text) = (self.width, self.text());
        let merge = self.merge()?;
        let merged = w.saturating_mul(merge * merge);
        let mut out = Vec::with_capacity(8);
        let mut output = text;
        let top_bias = |default: bool| {
            self.top
                .flag("multimodal_projector_bias")
                .map(|bias| bias.unwrap_or(default))
        };
        match self.row.connector {
            Connector::Merger => {
                output = self.merger(merged, &mut out)?;
            }
            Connector::Averaged => {
                out.push(whole(u64::from(w) * u64::from(text), 1));
                out.push(whole(u64::from(w), 1));
            }
            Connector::Plain => {
                out.push(self.projection("embedding_projection", w, text, Cut::Whole, false)?);
                out.extend(self.per_layer_embeddings()?);
            }
            Connector::PatchMerger => {
                out.push(whole(u64::from(w), 1));
                out.push(whole(u64::from(merged) * u64::from(w), 1));
                self.two_layers(top_bias(false)?, &mut out)?;
            }
            Connector::TwoLayers => self.two_layers(top_bias(true)?, &mut out)?,
            Connector::TwoLayersNewline => {
                self.two_layers(top_bias(true)?, &mut out)?;
                out.push(whole(u64::from(text), 1));
            }
            Connector::PixelShuffle => {
                let (between, last) = (
                    self.number("projector_input_dim")?,
                    self.number("projector_output_dim")?,
                );
                let bias = self.fields.flag("multi_modal_projector_bias")?.unwrap_or(false);
                out.push(self.projection("fc1", self.mlp, between, Cut::Outputs, bias)?);
                out.push(self.projection("fc2", between, last, Cut::Inputs, bias)?);
                let shuffled = self.number("vision_output_dim")?;
                out.push(self.projection("linear_1", shuffled, text, Cut::OutputsAlways, false)?);
            }
            Connector::Whole => {
                out.push(whole(u64::from(w), 2));
                out.push(self.projection("linear_1", merged, merged, Cut::Whole, true)?);
                out.push(self.projection("linear_2", merged, text, Cut::Whole, true)?);
            }
            Connector::TwoWhole => {
                for inputs in [w, text] {
                    out.push(whole(u64::from(inputs) * u64::from(text), 1));
                    out.push(whole(u64::from(text), u32::from(top_bias(true)?)));
                }
                out.push(whole(u64::from(text), 1));
                out.retain(|tensor| !matches!(tensor, TowerTensor::Whole { count: 0, .. }));
            }
            Connector::Merged => {
                let between = self.top.count("projector_hidden_size", 1 << 16)?.unwrap_or(2560);
                if self.top.flag("projector_use_layernorm")?.unwrap_or(true) {
                    out.push(whole(u64::from(merged), 2));
                }
                for (inputs, outputs) in [(merged, between), (between, text)] {
                    out.push(whole(u64::from(inputs) * u64::from(outputs), 1));
                    if self.top.flag("projector_bias")?.unwrap_or(true) {
                        out.push(whole(u64::from(outputs), 1));
                    }
                }
            }
            Connector::MergedGated => {
                let between = self
                    .top
                    .count("alignment_intermediate_size", 1 << 20)?
                    .unwrap_or(36_864);
                out.push(cut(merged, between, 2, Cut::OutputsAlways, false, false));
                out.push(cut(between / 2, text, 1, Cut::InputsAlways, false, false));
            }
            Connector::Downsampled => {
                out.push(cut(merged, text, 1, Cut::Outputs, false, false));
                out.push(cut(text, text, 1, Cut::Inputs, false, false));
                out.push(whole(u64::from(text), 3));
                // The other half of their bytes.
                out.push(TowerTensor::Buffer {
                    bytes: 3 * 2 * u64::from(text),
                });
            }
            Connector::OneWhole => {
                output = self.number("projection_dim")?;
                out.push(whole(u64::from(w) * u64::from(output), 1));
                out.push(whole(u64::from(output), 1));
            }
            Connector::Shuffled => {
                out.push(self.projection("proj", merged, text, Cut::Whole, false)?);
            }
            Connector::InternVl | Connector::InternWhole => {
                let ratio = self.top.number("downsample_ratio")?.unwrap_or(0.5);
                if (ratio - 0.5).abs() > 1e-9 {
                    return Err(self.top.inconsistent("downsample_ratio", "only 0.5 is modelled"));
                }
                out.push(whole(u64::from(merged), 2));
                for inputs in [merged, text] {
                    out.push(whole(u64::from(inputs) * u64::from(text), 1));
                    out.push(whole(u64::from(text), 1));
                }
            }
            Connector::Gated | Connector::GatedByText | Connector::GatedTokens => {
                let own_width = self.row.connector != Connector::GatedTokens;
                let hidden = if own_width {
                    self.number("out_hidden_size")?
                } else {
                    text
                };
                let own = self.fields.count("projection_intermediate_size", 1 << 18)?;
                let between = match (self.row.connector, own, self.spec.mlp()) {
                    (Connector::GatedByText, Some(own), _) => own,
                    (Connector::GatedByText | Connector::GatedTokens, None, Some(mlp)) => {
                        mlp.intermediate_size
                    }
                    _ => self.number("intermediate_size")?,
                };
                output = hidden;
                let first = if own_width { Cut::Outputs } else { Cut::Whole };
                out.push(self.projection("proj", hidden, hidden, first, false)?);
                out.push(whole(u64::from(hidden), if own_width { 2 } else { 4 }));
                out.push(self.projection("gate_up_proj", hidden, 2 * between, Cut::Outputs, false)?);
                out.push(self.projection("down_proj", between, hidden, Cut::Inputs, false)?);
                // The convolution that merges patches.
                out.push(whole(u64::from(merged) * u64::from(hidden), 1));
                out.push(whole(u64::from(hidden), 1));
            }
            Connector::Audio => {
                out.push(self.projection("linear", w, text, Cut::Whole, true)?);
            }
            Connector::Decoder => {
                out.push(whole(
                    u64::from(self.number("max_target_positions")?) * u64::from(w),
                    1,
                ));
                let layers = self.number("decoder_layers")?;
                out.push(whole(u64::from(w), 2 * layers));
            }
            Connector::AudioTokens => {
                let last = self.number("output_dim")?;
                out.push(whole(u64::from(last), 2));
                out.push(self.projection("proj", w, last, Cut::Whole, true)?);
            }
            Connector::AudioMerged => {
                for inputs in [merged, text] {
                    out.push(whole(u64::from(inputs) * u64::from(text), 1));
                }
                // What turns sound into bands.
                out.push(TowerTensor::Buffer {
                    bytes: 4 * 201 * u64::from(self.number("num_mel_bins")?),
                });
            }
            Connector::AudioTwice => {
                output = self.number("output_dim")?;
                for outputs in [w, output] {
                    out.push(self.projection("proj", w, outputs, Cut::Whole, true)?);
                }
            }
            Connector::Windowed => {
                let (w, text) = (u64::from(w), u64::from(text));
                out.push(cut(self.width, 3 * self.width, 3, Cut::Outputs, true, true));
                out.push(cut(self.width, self.width, 1, Cut::Inputs, true, true));
                out.push(whole(w, 2));
                for (between, outputs) in [(4 * u64::from(self.mlp), w), (4 * w, text)] {
                    out.push(whole(4 * w, 2));
                    dense(&mut out, 4 * w, between);
                    dense(&mut out, between, outputs);
                }
            }
            Connector::Words(marks) => {
                let words = u64::from(self.words()?);
                let logits = words.saturating_sub(u64::from(marks));
                out.push(whole(u64::from(merged) * logits, 1));
                out.push(whole(logits, 2));
                out.push(whole(words * u64::from(text), 1));
            }
            Connector::Pooled => {
                let (adapter, layers) = self.adapter()?;
                let hidden = adapter.required("hidden_size", 1 << 16, "the projector")?;
                let between = adapter.required("intermediate_size", 1 << 20, "the projector")?;
                let pooled = w.saturating_mul(u32::try_from(layers.len()).unwrap_or(u32::MAX).min(64));
                out.push(cut(pooled, hidden, 1, Cut::Outputs, true, true));
                out.push(cut(pooled, 2 * hidden, 2, Cut::Outputs, true, true));
                out.push(cut(hidden, hidden, 1, Cut::Inputs, true, true));
                out.push(self.projection("merged_linear", hidden, 2 * between, Cut::Outputs, false)?);
                out.push(self.projection("down_proj", between, text, Cut::Inputs, false)?);
            }
            Connector::AudioDense => {
                dense(&mut out, u64::from(w), u64::from(text));
                dense(&mut out, u64::from(text), u64::from(text));
            }
            Connector::Conformer => {
                let last = self.number("output_proj_dims")?;
                out.push(self.projection("output_proj", w, last, Cut::Whole, true)?);
                out.push(self.projection("embedding_projection", last, text, Cut::Whole, false)?);
            }
            Connector::Resampler => self.resampler(&mut out)?,
            Connector::Spacetime => {
                let frames = self.top.count("temporal_conv_size", 64)?.unwrap_or(2);
                let temporal = self.top.flag("use_temporal_conv")?.unwrap_or(true);
                for inputs in [Some(merged), temporal.then_some(frames * merged)]
                    .into_iter()
                    .flatten()
                {
                    for inputs in [inputs, merged] {
                        out.push(cut(inputs, merged, 1, Cut::OutputsAlways, false, false));
                    }
                    out.push(whole(u64::from(merged), 2));
                }
                out.push(cut(merged, text, 1, Cut::OutputsAlways, false, false));
                out.push(whole(u64::from(text), 1));
            }
            Connector::Convolutions => {
                let (w, text) = (u64::from(w), u64::from(text));
                let last = u64::from(self.number("output_hidden_size")?);
                dense(&mut out, 4 * w, last);
                dense(&mut out, 9 * last, 2 * last);
                out.push(whole(2 * last * text, 1));
                if self.top.flag("projector_bias")?.unwrap_or(true) {
                    out.push(whole(text, 1));
                }
            }
            Connector::Perception => {
                let d = u64::from(w);
                dense(&mut out, 9 * d, 2 * d);
                dense(&mut out, 18 * d, 4 * d);
                let bias = self.top.flag("projector_bias")?.unwrap_or(true);
                let wide = w.saturating_mul(4);
                out.push(self.projection("vit_large_projector", wide, text, Cut::Outputs, bias)?);
            }
            Connector::Convolved => {
                let d = u64::from(w);
                dense(&mut out, u64::from(merged), 2 * d);
                dense(&mut out, 2 * d, 4 * d);
                out.push(self.projection("mlp", w.saturating_mul(4), text, Cut::Whole, true)?);
                out.push(whole(4 * d, 1));
                out.push(whole(u64::from(text), 4));
                out.push(whole(d, 1));
            }
            Connector::QFormer => self.q_former(&mut out)?,
            Connector::Windows => output = self.windows(&mut out)?,
            Connector::Queries => {
                // `AriaConfig` takes the most that `projector_patch_to_query_dict` names.
                let named = self.top.object("projector_patch_to_query_dict")?;
                let queries = named.and_then(|named| named.values().filter_map(Value::as_u64).max());
                let d = u64::from(w);
                out.push(whole(queries.unwrap_or(256).min(1 << 12) * d, 1));
                // Queries, keys and values once without biases and once with them; output and one matrix more.
                out.push(whole(3 * d * d, 2));
                out.push(whole(3 * d, 1));
                dense(&mut out, d, d);
                dense(&mut out, d, d);
                out.push(whole(d, 6));
                out.push(self.projection("linear_in", w, text, Cut::OutputsAlways, false)?);
                out.push(self.projection("linear_out", text, text, Cut::InputsAlways, false)?);
            }
            Connector::WholeNormed => {
                out.push(self.projection("linear_1", merged, merged, Cut::Whole, false)?);
                out.push(self.projection("linear_2", merged, text, Cut::Whole, false)?);
                out.push(whole(u64::from(text), 1));
            }
            Connector::Twice => {
                let between = self.top.count("projector_hidden_size", 1 << 16)?.unwrap_or(text);
                for (name, inputs) in [
                    ("multi_modal_projector", w),
                    ("patch_merge_mlp", text * merge * merge),
                ] {
                    let [first, second] = ["linear_1", "linear_2"].map(|layer| format!("{name}.{layer}"));
                    out.push(self.projection(&first, inputs, between, Cut::Outputs, true)?);
                    out.push(self.projection(&second, between, text, Cut::Inputs, true)?);
                }
            }
            Connector::Adapter => {
                let between =
                    self.top
                        .required("projector_hidden_size", 1 << 16, "the size of the projector")?;
                for (inputs, outputs) in [(merged, between), (between, between), (between, text)] {
                    out.push(whole(u64::from(inputs) * u64::from(outputs), 1));
                }
            }
            Connector::Separators => {
                // The class keeps a token embedding of its own, beside the language model's.
                out.push(TowerTensor::Linear(TowerLinear {
                    inputs: text,
                    outputs: self.spec.vocab_size.next_multiple_of(64),
                    shards: 1,
                    keys: None,
                    cut: Cut::OutputsAlways,
                    bias: false,
                    attention: false,
                    quantizable: false,
                    quantized: false,
                }));
                let wide = 4 * self.number("image_dim_out")?;
                out.push(whole(u64::from(wide), 2));
                for inputs in [wide, text] {
                    out.push(whole(u64::from(inputs) * u64::from(text), 1));
                    out.push(whole(u64::from(text), 1));
                }
            }
        }
        Ok((out, output))
    }

    /// `granite4_vision.py: WindowQFormerDownsampler`, one for each pair of `deepstack_layer_map` and four more over the
    /// last layer; each is one block of BLIP-2's Q-Former (`blip2.py: Blip2QFormerModel`), whole on every rank.
    fn windows(&self, out: &mut Vec<TowerTensor>) -> Result<u32, ConfigError> {
        let key = "downsample_rate";
        let rate = self.top.text(key)?.unwrap_or_default();
        let side = |text: &str| text.parse::<u64>().ok().filter(|side| (1..=64).contains(side));
        let sides = rate
            .split_once('/')
            .and_then(|(few, many)| Some((side(few)?, side(many)?)));
        let Some((queries, window)) = sides else {
            return Err(self
                .top
                .inconsistent(key, "expected the sides of queries and of a window, such as 4/8"));
        };
        let map = self.top.list("deepstack_layer_map")?.unwrap_or_default();
        let levels = u32::try_from(map.len().min(64)).unwrap_or(64) + 4;
        let (w, text) = (u64::from(self.width), self.text());
        for _ in 0..levels {
            out.push(whole(w, 2));
            q_former_block(out, w, Some(w), 3072);
            out.push(whole(w, 2));
            out.push(whole(queries * queries * w, 1));
            out.push(whole(window * window * w, 1));
            dense(out, w, u64::from(text));
        }
        out.push(whole(u64::from(text), 1));
        out.push(TowerTensor::PerToken {
            width: text,
            count: levels,
        });
        Ok(text.saturating_mul(levels))
    }

    /// `blip2.py: Blip2QFormerModel` between learned queries and a layer, whole on every rank.
    fn q_former(&self, out: &mut Vec<TowerTensor>) -> Result<(), ConfigError> {
        let key = "qformer_config";
        let none = Map::new();
        let fields = Fields::new(self.top.object(key)?.unwrap_or(&none), key).with_defaults(
            "hidden_size 768 num_hidden_layers 12 intermediate_size 3072 cross_attention_frequency 2 \
             encoder_hidden_size 1408",
        );
        let number = |key: &str| fields.required(key, 1 << 16, "the projector");
        let (width, mlp) = (
            u64::from(number("hidden_size")?),
            u64::from(number("intermediate_size")?),
        );
        let (every, encoded) = (
            number("cross_attention_frequency")?,
            number("encoder_hidden_size")?,
        );
        let queries = self.top.count("num_query_tokens", 1 << 12)?.unwrap_or(32);
        out.push(whole(u64::from(queries) * width, 1));
        out.push(whole(width, 2));
        for index in 0..number("num_hidden_layers")?.min(1 << 10) {
            let across = index.is_multiple_of(every).then_some(u64::from(encoded));
            q_former_block(out, width, across, mlp);
        }
        dense(out, width, u64::from(self.text()));
        Ok(())
    }

    /// Visual words that patches are described in.
    pub(super) fn words(&self) -> Result<u32, ConfigError> {
        self.top
            .required("visual_vocab_size", 1 << 20, "the table of visual words")
    }

    /// Molmo 2's projector, and the layers that it pools over, counted from the end where they are negative.
    pub(super) fn adapter(&self) -> Result<(Fields<'_>, Vec<i64>), ConfigError> {
        let adapter = self
            .top
            .object("adapter_config")?
            .ok_or_else(|| ConfigError::Missing {
                field: "adapter_config".to_owned(),
                needed_for: "the projector",
            })?;
        let fields = Fields::new(adapter, "adapter_config");
        let layers = fields.list("vit_layers")?.unwrap_or_default();
        let numbers: Vec<i64> = layers.iter().filter_map(Value::as_i64).collect();
        if numbers.is_empty() || numbers.len() != layers.len() {
            return Err(fields.inconsistent("vit_layers", "expected a list of layers' numbers"));
        }
        Ok((fields, numbers))
    }

    /// Gemma 4 E2B and E4B keep the embeddings of every layer for a whole step (`models/gemma4_mm.py` at 0.33.0).
    fn per_layer_embeddings(&self) -> Result<Option<TowerTensor>, ConfigError> {
        let Some(text) = self.top.object("text_config")? else {
            return Ok(None);
        };
        let text = Fields::new(text, "text_config");
        let width = text.count_in("hidden_size_per_layer_input", 0, 1 << 16)?;
        Ok(width
            .filter(|width| *width > 0)
            .map(|width| TowerTensor::PerToken {
                width: width.saturating_mul(self.spec.num_hidden_layers()),
                count: 1,
            }))
    }

    fn two_layers(&self, bias: bool, out: &mut Vec<TowerTensor>) -> Result<(), ConfigError> {
        let (w, text) = (self.width, self.text());
        out.push(self.projection("linear_1", w, text, Cut::OutputsAlways, bias)?);
        out.push(self.projection("linear_2", text, text, Cut::InputsAlways, bias)?);
        Ok(())
    }

    /// Merged patches through a norm and two layers; once more for each level of deepstack.
    fn merger(&self, merged: u32, out: &mut Vec<TowerTensor>) -> Result<u32, ConfigError> {
        let w = self.width;
        // Qwen2-VL and dots.ocr hand on `hidden_size`, beside a width called `embed_dim`.
        let last = if self.fields.has("embed_dim") && !self.fields.has("out_hidden_size") {
            self.number("hidden_size")?
        } else {
            self.number("out_hidden_size")?
        };
        let rms = self.row.block.gated && self.row.block.qkv_bias;
        out.push(whole(u64::from(w), if rms { 1 } else { 2 }));
        let names = if self.row.positions == Positions::None {
            ["mlp.0", "mlp.2"]
        } else {
            ["linear_fc1", "linear_fc2"]
        };
        let layers = |out: &mut Vec<TowerTensor>, root: &str| -> Result<(), ConfigError> {
            let [first, second] = names.map(|name| format!("{root}.{name}"));
            out.push(self.projection(&first, merged, merged, Cut::Outputs, true)?);
            out.push(self.projection(&second, merged, last, Cut::Inputs, true)?);
            Ok(())
        };
        layers(out, "merger")?;
        let levels = match self.fields.list("deepstack_visual_indexes")? {
            Some(list) => u32::try_from(list.len()).unwrap_or(u32::MAX).min(64),
            None => self.fields.count("deepstack", 64)?.unwrap_or(0),
        };
        for level in 0..levels {
            out.push(whole(u64::from(merged), 2));
            layers(out, &format!("deepstack_merger_list.{level}"))?;
        }
        if levels > 0 {
            // The language model adds them to its first layers, from buffers of a whole step.
            out.push(TowerTensor::PerToken {
                width: self.text(),
                count: levels,
            });
        }
        Ok(last.saturating_mul(1 + levels))
    }

    /// Learned queries that attend to the patches (`layers/resampler.py: BaseResampler`).
    fn resampler(&self, out: &mut Vec<TowerTensor>) -> Result<(), ConfigError> {
        let (w, text) = (self.width, self.text());
        let d = u64::from(text);
        let queries = self.top.required("query_num", 1 << 12, "the resampler")?;
        out.push(whole(u64::from(queries) * d, 1));
        if w != text {
            out.push(self.projection("kv_proj", w, text, Cut::Whole, false)?);
        }
        // Queries, keys and values with their biases, the output with its own, three norms and a matrix.
        out.extend([
            whole(3 * d * d, 1),
            whole(3 * d, 1),
            whole(d * d, 1),
            whole(d, 1),
            whole(d, 6),
            whole(d * d, 1),
        ]);
        // Positions of 70 × 70 patches; from 4.5 on those of 36000 points in time as well.
        out.push(TowerTensor::Cache {
            elements: 70 * 70 * d,
        });
        if version(self.top)?.is_some_and(|version| version > 4.4) {
            out.push(TowerTensor::Cache { elements: 36_000 * d });
        }
        Ok(())
    }
}

/// Attention among queries, in some blocks to what was encoded, a feed-forward; a norm behind each.
fn q_former_block(out: &mut Vec<TowerTensor>, width: u64, encoded: Option<u64>, mlp: u64) {
    for keys in [Some(width), encoded].into_iter().flatten() {
        for inputs in [width, keys, keys, width] {
            dense(out, inputs, width);
        }
        out.push(whole(width, 2));
    }
    dense(out, width, mlp);
    dense(out, mlp, width);
    out.push(whole(width, 2));
}
