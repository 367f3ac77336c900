//! Parameters as published, and those that one token passes.
use super::{Attention, FeedForward, LayerRun, Mixer, ModelSpec, Ngrams, QkNorm};

impl ModelSpec {
    /// Parameters as published: unpadded, unsharded, a quantised weight counted as one.
    pub fn parameters(&self) -> u64 {
        let h = u64::from(self.hidden_size);
        let norm = h * if self.norms.bias { 2 } else { 1 };
        let alt_up = self.alt_up.map_or((0, 0), |alt_up| alt_up.parameters(h));
        let (connections, last) = self.connection_parameters();
        let layer = |run: &LayerRun| {
            self.mixer_parameters(&run.mixer)
                + table(&run.mixer, |ngrams| ngrams.rows)
                + alt_up.0
                + self
                    .per_layer_input
                    .map_or(0, |p| 2 * h * u64::from(p.hidden_size_per_layer_input))
                + norm * u64::from(self.norms.of(run))
                + u64::from(self.norms.scalars_per_layer)
                + self.mlp_parameters(&run.mlp)
                + if self.connected(run) { connections } else { 0 }
        };
        let layers: u64 = self
            .layers
            .iter()
            .map(|run| u64::from(run.count) * layer(run))
            .sum();
        let embedding = u64::from(self.vocab_size) * h;
        let per_layer = self.per_layer_input.map_or(0, |p| {
            let one = u64::from(p.hidden_size_per_layer_input);
            let all = one * u64::from(self.num_hidden_layers());
            all * (u64::from(p.vocab_size_per_layer_input) + h) + one
        });
        let head = self.pooling.is_none() && !self.tie_word_embeddings;
        let heads = if head { 2 } else { 1 };
        let positions = self
            .positions
            .map_or(0, |p| (u64::from(p.rows) + u64::from(p.token_types)) * h);
        let classifier = self.pooling.and_then(|pooling| pooling.classifier);
        let outer = u64::from(self.norms.embedding) + u64::from(self.norms.last);
        embedding * heads
            + u64::from(self.more_embeddings) * h * if self.whole_embedding { heads } else { 1 }
            + bias(self.lm_head_bias, u64::from(self.vocab_size))
            + positions
            + classifier.map_or(0, |classifier| classifier.elements(h, 1))
            + self.pooling.map_or(0, |pooling| pooling.projector)
            + layers
            + norm * outer
            + last
            + per_layer
            + alt_up.1
    }

    /// Of a layer's hyper-connections, and of what ends them.
    fn connection_parameters(&self) -> (u64, u64) {
        let (streams, h) = (u64::from(self.hyper_streams), u64::from(self.hidden_size));
        if streams < 2 {
            return (0, 0);
        }
        let width = streams * h;
        if self.hyper_rank > 0 {
            let mix = width * (1 + 2 * u64::from(self.hyper_rank));
            return (2 * (mix + width * streams), mix);
        }
        let [mixes, scales] = self.stream_mixes();
        let last = if self.ends_streams() {
            streams * (width + 1) + 1
        } else {
            0
        };
        (2 * (mixes * (width + 1) + scales), last)
    }

    /// Weights that every token is multiplied with in a layer's hyper-connections of low rank.
    pub fn connection_products(&self) -> u64 {
        if self.hyper_rank > 0 {
            self.connection_parameters().0
        } else {
            0
        }
    }

    fn mixer_parameters(&self, mixer: &Mixer) -> u64 {
        let h = u64::from(self.hidden_size);
        match mixer {
            Mixer::Attention(
                Attention {
                    block: Some(block), ..
                },
                _,
            ) => block.parameters(h),
            Mixer::Attention(a, _) => {
                let d = u64::from(a.head_dim);
                let (heads, kv_heads) = (u64::from(a.num_attention_heads), u64::from(a.num_key_value_heads));
                let (q, kv) = (heads * d, kv_heads * d);
                let value = u64::from(a.v_head_dim);
                let keys = if a.shares_kv { 0 } else { kv + kv_heads * value };
                let qk_norm = match a.qk_norm {
                    QkNorm::None => 0,
                    QkNorm::PerHead if a.shares_kv => d,
                    QkNorm::PerHead => 2 * d,
                    QkNorm::AllHeads | QkNorm::AllHeadsSharded | QkNorm::EachHead => q + kv,
                };
                let sinks = bias(a.sinks, heads);
                let index = u64::from(a.index_dim) * (h * (kv_heads + 1) + 2);
                let queries = if a.output_gate { 2 * q } else { q };
                let rank = u64::from(a.query_rank);
                let (queries, latent) = if rank > 0 {
                    (rank, rank + rank * q)
                } else {
                    (queries, 0)
                };
                let relative = a.relative.map_or(0, |r| {
                    r.parameters(h, heads, kv) + bias(a.qkv_bias, heads * u64::from(r.d_rel))
                });
                latent
                    + relative
                    + h * (queries + keys + heads * u64::from(a.gate_per_head))
                    + heads * value * h
                    + bias(a.qkv_bias, queries + keys)
                    + bias(a.o_bias, h)
                    + qk_norm
                    + sinks
                    + bias(a.tau, heads * (1 + 2 * (q + 2 * kv)))
                    + if a.index_dim > 0 { index } else { 0 }
                    + a.groups.map_or(0, |groups| {
                        h * groups.width() + 2 * u64::from(groups.indexer_head_dim)
                    })
            }
            Mixer::None => 0,
            Mixer::Mamba1(mamba) => {
                let channels = u64::from(mamba.intermediate_size);
                let (state, rank) = (u64::from(mamba.state_size), u64::from(mamba.time_step_rank));
                let projections = 3 * h + 2 * rank + 3 * state + u64::from(mamba.conv_kernel);
                channels * (projections + 2)
                    + bias(mamba.conv_bias, channels)
                    + bias(mamba.proj_bias, 2 * channels + h)
                    + bias(mamba.norms, rank + 2 * state)
            }
            Mixer::ShortConv(conv) => {
                let dim = u64::from(conv.conv_dim);
                dim * (4 * dim + u64::from(conv.conv_l_cache)) + bias(conv.conv_bias, 5 * dim)
            }
            Mixer::Compressed(layer) => layer.parameters(h),
            Mixer::Kda(kda) => kda.parameters(h),
            Mixer::Mamba2(mamba) => {
                let (channels, matrices) = mamba.widths(1);
                let heads = u64::from(mamba.mamba_num_heads);
                let conv = channels + 2 * matrices;
                h * (2 * channels + 2 * matrices + heads)
                    + conv * u64::from(mamba.conv_kernel)
                    + bias(mamba.conv_bias, conv)
                    + channels * h
                    + 3 * heads
                    + bias(mamba.norm, channels)
            }
            Mixer::GatedDeltaNet(gdn) => {
                let (key, value) = gdn.widths();
                let heads = u64::from(gdn.linear_num_value_heads);
                let conv = (2 * key + value) * u64::from(gdn.linear_conv_kernel_dim);
                h * (2 * key + 2 * value + 2 * heads)
                    + conv
                    + value * h
                    + 2 * heads
                    + u64::from(gdn.linear_value_head_dim)
                    + gdn.ngrams.map_or(0, |ngrams| ngrams.parameters(h))
            }
            Mixer::Mla(mla) => {
                let heads = u64::from(mla.num_attention_heads);
                let (nope, rope, value) = (
                    u64::from(mla.qk_nope_head_dim),
                    u64::from(mla.qk_rope_head_dim),
                    u64::from(mla.v_head_dim),
                );
                let latent = u64::from(mla.kv_lora_rank);
                let queries = match mla.q_lora_rank.map(u64::from) {
                    Some(rank) => h * rank + rank + rank * heads * (nope + rope),
                    None => h * heads * (nope + rope),
                };
                let keys = h * (latent + rope) + latent + latent * heads * (nope + value);
                let rank = u64::from(mla.q_lora_rank.unwrap_or(0));
                let indexer = mla.sparse.map_or(0, |index| index.parameters(h, rank));
                let gate = bias(mla.output_gate, value) + u64::from(mla.gate_per_head);
                queries + keys + heads * value * h + gate * heads * h + bias(mla.sinks, heads) + indexer
            }
        }
    }

    fn mlp_parameters(&self, mlp: &FeedForward) -> u64 {
        let h = u64::from(self.hidden_size);
        let dense = mlp.dense.map_or(0, |mlp| {
            let width = u64::from(mlp.intermediate_size);
            let ups = if mlp.gated { 2 } else { 1 };
            h * width * (ups + 1)
                + u64::from(mlp.interleaved)
                + bias(mlp.bias, bias(!mlp.bare_up, width * ups) + h)
        });
        let experts = mlp.moe.map_or(0, |moe| {
            let matrices = if moe.gated { 3 } else { 2 };
            let experts = u64::from(moe.num_experts);
            let inner = moe.inner_size(self.hidden_size);
            let latent = moe.latent.map_or(0, |latent| {
                2 * h * inner + bias(latent.norm, inner) + bias(latent.bias, h + inner)
            });
            let shared = moe.shared.map_or(0, |s| {
                matrices * h * u64::from(s.intermediate_size) + bias(s.gate, h)
            });
            let width = u64::from(moe.moe_intermediate_size);
            let routers = if moe.second_width > 0 { 2 } else { 1 };
            let known = routers * (experts + u64::from(moe.idle_experts));
            experts * moe.expert_parameters(self.hidden_size)
                + latent
                + (known + u64::from(moe.sinks)) * h
                + bias(moe.sinks > 0, 1)
                + bias(moe.bias, experts * (2 * width + h + 1))
                + bias(moe.output_bias, h)
                + bias(moe.correction_bias, known)
                + bias(moe.image_bias, known)
                + bias(moe.router_scales, h + experts + 1)
                + bias(
                    moe.hashed,
                    u64::from(self.vocab_size) * u64::from(moe.num_experts_per_tok),
                )
                + shared
        });
        dense + experts
    }

    /// Weights that every token is multiplied with in a layer: of its mixer, and of its feed-forward without the
    /// routed experts.
    pub fn layer_products(&self, run: &LayerRun) -> (u64, u64) {
        let routed = run.mlp.moe.map_or(0, |moe| {
            u64::from(moe.num_experts) * moe.expert_parameters(self.hidden_size)
        });
        let all = self.mlp_parameters(&run.mlp);
        (self.mixer_parameters(&run.mixer), all.saturating_sub(routed))
    }

    /// Parameters that one token passes.
    pub fn active_parameters(&self) -> u64 {
        let idle = |run: &LayerRun| {
            run.mlp.moe.map_or(0, |moe| {
                let experts = u64::from(moe.num_experts.saturating_sub(moe.num_experts_per_tok));
                u64::from(run.count) * experts * moe.expert_parameters(self.hidden_size)
            })
        };
        let unread = |run: &LayerRun| {
            u64::from(run.count)
                * table(&run.mixer, |ngrams| {
                    ngrams.rows.saturating_sub(u64::from(ngrams.heads))
                })
        };
        let idle = |run: &LayerRun| idle(run) + unread(run);
        self.parameters()
            .saturating_sub(self.layers.iter().map(idle).sum())
    }
}

/// Elements of so many rows of a layer's tables of n-grams.
fn table(mixer: &Mixer, rows: impl Fn(&Ngrams) -> u64) -> u64 {
    mixer.ngrams().map_or(0, |ngrams| rows(ngrams) * ngrams.width())
}

fn bias(there: bool, elements: u64) -> u64 {
    if there { elements } else { 0 }
}
