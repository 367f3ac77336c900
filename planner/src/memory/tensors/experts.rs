//! Routed and shared experts: `layers/fused_moe/layer.py`.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::{
    gpu::XPU,
    model::{LayerRun, LinearScheme, Moe},
    units::FloatDtype,
};

impl Builder<'_> {
    pub(super) fn moe(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let Some(moe) = run.mlp.moe else { return };
        let shape = self.place.shape;
        let (h, experts) = (u64::from(self.spec.hidden_size), u64::from(moe.num_experts));
        let known = experts + u64::from(moe.idle_experts);
        let wide = moe.wide_router_before_hopper && (1..90).contains(&self.place.capability);
        let router = if wide || moe.router_dtype == FloatDtype::Float32 {
            4
        } else {
            self.element
        };
        if run.quantized.router {
            let class = TensorClass::Router;
            self.linear(&Linear::plain(class, &[known], h, h, true), out);
        } else if moe.sinks > 0 {
            let rows = (known + u64::from(moe.sinks)).next_multiple_of(8);
            out.push(whole(TensorClass::Router, rows * h * router, 1));
            out.push(whole(TensorClass::Router, 4, 1));
        } else {
            out.push(whole(TensorClass::Router, known * h * router, 1));
        }
        if moe.bias {
            out.push(whole(TensorClass::Router, experts * self.element, 1));
        }
        if moe.router_scales {
            for elements in [h, experts, 1] {
                out.push(whole(TensorClass::Router, elements * self.element, 1));
            }
        }
        if moe.hashed {
            let table = u64::from(self.spec.vocab_size) * u64::from(moe.num_experts_per_tok);
            out.push(whole(TensorClass::Router, table * 4, 1));
        }
        let biases = u64::from(moe.correction_bias) + u64::from(moe.image_bias);
        out.push(whole(TensorClass::Router, known * 4, biases));
        if let Some(shared) = moe.shared {
            // Sequence-parallel experts keep the shared ones whole on every rank.
            let ranks = if shape.ep && shape.tp > 1 && shape.dp > 1 && moe.sinks == 0 {
                1
            } else {
                self.tp()
            };
            let width = u64::from(shared.intermediate_size) / ranks;
            let quantized = (run.quantized.shared, run.quantized.shared);
            let shards: &[u64] = if moe.gated { &[width, width] } else { &[width] };
            self.feed_forward(
                TensorClass::SharedExperts,
                shards,
                width,
                quantized,
                (false, false),
                ranks,
                out,
            );
            if shared.gate {
                out.push(whole(TensorClass::SharedExperts, h * self.element, 1));
            }
        }
        let inner = moe.inner_size(self.spec.hidden_size);
        if let Some(latent) = moe.latent {
            let projection = |rows: u64, k: u64, out: &mut Vec<Tensor>| {
                let shards = [rows];
                let projection = Linear {
                    bias: if latent.bias { rows } else { 0 },
                    ..Linear::plain(TensorClass::SharedExperts, &shards, k, k, run.quantized.latent)
                };
                self.linear(&projection, out);
            };
            projection(inner, h, out);
            if latent.norm {
                out.push(whole(TensorClass::Norms, inner * self.element, 1));
            }
            projection(h, inner, out);
        }
        let ranks = u64::from(shape.expert_ranks());
        // Moondream's class spreads whole experts over tensor-parallel ranks, and adds 1 to their gates as a float32 bias.
        let own = self.spec.attention.tau;
        let (local, width) = if own {
            let (local, width) = (experts.div_ceil(self.tp()), u64::from(moe.moe_intermediate_size));
            out.push(whole(TensorClass::Experts, experts * 4, 1));
            out.push(whole(TensorClass::Experts, local * 2 * width * 4, 1));
            (local, width)
        } else if shape.ep && ranks > 1 {
            // Rank 0 takes one of the remainder; a map from global to local experts is kept in int32.
            out.push(whole(TensorClass::Experts, experts * 4, 1));
            (experts.div_ceil(ranks), u64::from(moe.moe_intermediate_size))
        } else {
            let least = if self.tp() > 1 {
                u64::from(moe.least_share)
            } else {
                1
            };
            (experts, (u64::from(moe.moe_intermediate_size) / ranks).max(least))
        };
        let class = TensorClass::Experts;
        let quantized = run.quantized.experts;
        let (h, width) = self.expert_padding(inner, width, quantized, moe.blackwell_kernel);
        let ranks = if shape.ep || own { 1 } else { ranks };
        let routed = |width: u64, out: &mut Vec<Tensor>| {
            let shards: &[u64] = if moe.gated { &[width, width] } else { &[width] };
            let up = Linear {
                class,
                shards,
                k: h,
                experts: local,
                quantized,
                bias: 0,
                whole_k: h,
            };
            self.linear(&up, out);
            let down = Linear {
                shards: &[h],
                k: width,
                whole_k: width * ranks,
                ..up
            };
            self.linear(&down, out);
        };
        let first = out.len();
        routed(width, out);
        let kept = self.loaded_expert_width(width, quantized, moe.gated);
        if kept > width {
            let mut wide = Vec::with_capacity(out.len() - first);
            routed(kept, &mut wide);
            for (tensor, wide) in out.iter_mut().skip(first).zip(wide) {
                tensor.loaded = wide.loaded;
            }
        }
        if moe.output_bias {
            out.push(whole(class, u64::from(self.spec.hidden_size) * self.element, 1));
        }
        if moe.bias {
            // Triton's and TensorRT-LLM's kernels take them in float32 (`layers/fused_moe/oracle/mxfp4.py`).
            let wide = quantized && (self.triton_mxfp4() || (100..110).contains(&self.place.capability));
            for rows in [2 * width, h] {
                let element = if wide { 4 } else { self.element };
                out.push(Tensor {
                    loaded: local * rows * element,
                    ..whole(class, local * rows * self.element, 1)
                });
            }
        }
        if moe.second_width > 0 {
            let mut images = *run;
            images.mlp.moe = Some(Moe {
                moe_intermediate_size: moe.second_width,
                second_width: 0,
                shared: None,
                ..moe
            });
            self.moe(&images, out);
        }
    }

    /// gpt-oss's experts run through Triton's kernels for Hopper.
    pub(super) fn triton_mxfp4(&self) -> bool {
        let method = self.spec.quantization.as_ref().map(|q| q.method);
        method == Some("gpt_oss_mxfp4")
            && (90..100).contains(&self.place.capability)
            && !self.spec.marlin_experts
    }

    /// What the experts' kernels round a hidden size and a width up to (`layers/fused_moe/oracle/` at 0.33.0).
    pub(super) fn expert_padding(&self, h: u64, width: u64, quantized: bool, blackwell: bool) -> (u64, u64) {
        let capability = self.place.capability;
        let mxfp4 = self
            .spec
            .quantization
            .as_ref()
            .is_some_and(|q| q.method != "quark" && q.experts.unwrap_or(q.scheme) == LinearScheme::Mxfp4);
        match capability {
            90..100 if quantized && mxfp4 && !self.spec.marlin_experts => (h, width.next_multiple_of(64)),
            XPU if quantized && mxfp4 => (h, width.next_multiple_of(64)),
            _ if quantized && mxfp4 => (h.next_multiple_of(256), width.next_multiple_of(128)),
            100..110 if !quantized && blackwell => (h, width.next_multiple_of(128)),
            _ => (h, width),
        }
    }

    /// The width that FlashInfer's NVFP4 experts are padded to after loading on Blackwell
    /// (`layers/quantization/utils/flashinfer_fp4_moe.py: align_fp4_moe_weights_for_fi` at 0.33.0).
    fn loaded_expert_width(&self, width: u64, quantized: bool, gated: bool) -> u64 {
        let quantization = self.spec.quantization.as_ref();
        let scheme = quantization.map(|q| q.experts.unwrap_or(q.scheme));
        match (self.place.capability, scheme) {
            (100..110, Some(LinearScheme::Nvfp4)) if quantized => {
                width.next_multiple_of(if gated { 64 } else { 128 })
            }
            _ => width,
        }
    }
}
