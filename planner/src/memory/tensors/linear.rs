//! A linear layer, plain or quantised: `layers/linear.py` and the `create_weights` methods of `layers/quantization/`.
use super::{Builder, Tensor, TensorClass, whole};
use crate::{memory::shape::expert_group, model::LinearScheme, units::gcd};

/// A linear layer of a rank: `k` inputs, the outputs of its fused shards.
pub(super) struct Linear<'a> {
    pub(super) class: TensorClass,
    pub(super) shards: &'a [u64],
    pub(super) k: u64,
    /// Experts side by side in one tensor; 1 for a plain layer.
    pub(super) experts: u64,
    pub(super) quantized: bool,
    pub(super) bias: u64,
    /// Whole inputs of the layer where `k` is a share: act-order scales are not cut.
    pub(super) whole_k: u64,
}

impl<'a> Linear<'a> {
    /// One layer without bias.
    pub(super) const fn plain(
        class: TensorClass,
        shards: &'a [u64],
        k: u64,
        whole_k: u64,
        quantized: bool,
    ) -> Self {
        Self {
            class,
            shards,
            k,
            experts: 1,
            quantized,
            bias: 0,
            whole_k,
        }
    }
}

impl Builder<'_> {
    pub(super) fn linear(&self, linear: &Linear<'_>, out: &mut Vec<Tensor>) {
        let class = linear.class;
        match self.spec.quantization.as_ref().filter(|_| linear.quantized) {
            None => {
                let n: u64 = linear.shards.iter().sum();
                out.push(whole(class, linear.experts * n * linear.k * self.element, 1));
            }
            Some(quantization) => {
                let own = quantization.experts.filter(|_| class == TensorClass::Experts);
                let scheme = self.scheme(class, own.unwrap_or(quantization.scheme));
                let first = out.len();
                self.quantized(linear, scheme, out);
                let streams = self.place.streams_online && quantization.from_16_bits();
                if let Some(weight) = out.get_mut(first).filter(|_| streams) {
                    let n: u64 = linear.shards.iter().sum();
                    weight.source = linear.experts * n * linear.k * self.element;
                }
            }
        }
        if linear.bias > 0 {
            out.push(whole(class, linear.bias * self.element, 1));
        }
    }

    fn quantized(&self, linear: &Linear<'_>, scheme: LinearScheme, out: &mut Vec<Tensor>) {
        let (class, k, e) = (linear.class, linear.k, linear.experts);
        let n: u64 = linear.shards.iter().sum();
        let shards = linear.shards.len() as u64;
        // Below 8.9 there is no FP8 tensor core: Marlin keeps 16-bit scales, one per output and block of inputs.
        let marlin = (1..89).contains(&self.place.capability) || (e > 1 && self.spec.marlin_experts);
        match scheme {
            LinearScheme::Fp8PerTensor { static_activation } => {
                let online = self
                    .spec
                    .quantization
                    .as_ref()
                    .is_some_and(|q| q.method == "fp8_per_tensor");
                let scales = if online { 1 } else { shards };
                out.push(whole(class, e * n * k, 1));
                let loaded = if marlin { e * n * self.element } else { e * 4 };
                out.push(Tensor {
                    class,
                    bytes: e * scales * 4,
                    loaded,
                    count: 1,
                    source: 0,
                });
                if static_activation {
                    out.push(Tensor {
                        class,
                        bytes: e * if e > 1 { 1 } else { shards } * 4,
                        loaded: 4,
                        count: 1,
                        source: 0,
                    });
                }
            }
            LinearScheme::Fp8Block { n: rows, k: columns } => {
                out.push(whole(class, e * n * k, 1));
                let (rows, columns) = (u64::from(rows), u64::from(columns));
                // Experts are cut through blocks where their share is no multiple: the blocks then get smaller.
                let width = k.min(linear.shards.first().copied().unwrap_or(k));
                let (rows, columns) = if e > 1 {
                    (gcd(rows, width), gcd(columns, width))
                } else {
                    (rows, columns)
                };
                // Fused shards of a plain layer share blocks where they are no multiple of one.
                let blocks = if e > 1 {
                    linear.shards.iter().map(|shard| shard.div_ceil(rows)).sum()
                } else {
                    n.div_ceil(rows)
                };
                let columns = k.div_ceil(columns);
                let loaded = if marlin {
                    e * n * columns * self.element
                } else {
                    e * blocks * columns * 4
                };
                let exponents = self.spec.quantization.as_ref().is_some_and(|q| q.exponent_scales);
                out.push(Tensor {
                    class,
                    bytes: e * blocks * columns * if exponents { 1 } else { 4 },
                    loaded,
                    count: 1,
                    source: 0,
                });
            }
            LinearScheme::Nvfp4 | LinearScheme::Nvfp4Weights => {
                let alone = scheme == LinearScheme::Nvfp4Weights;
                let (weight, scales) = (e * n * k / 2, e * n * (k / 16));
                let (loaded, loaded_scales) = if alone || (1..100).contains(&self.place.capability) {
                    self.marlin_nvfp4(linear)
                } else {
                    (weight, scales)
                };
                for (bytes, loaded) in [(weight, loaded), (scales, loaded_scales), (e * shards * 4, e * 4)] {
                    out.push(Tensor {
                        class,
                        bytes,
                        loaded,
                        count: 1,
                        source: 0,
                    });
                }
                // Weights alone have a scale of the input for older ModelOpt checkpoints, which is dropped: of linear
                // layers in the model's type.
                let compressed = self
                    .spec
                    .quantization
                    .as_ref()
                    .is_some_and(|q| q.method == "compressed-tensors");
                let element = match (alone && e == 1, compressed) {
                    (true, true) => 0,
                    (true, false) => self.element,
                    (false, _) => 4,
                };
                // FlashInfer's experts know the input scales of all ranks.
                let inputs = if e > 1 && !alone && !compressed && self.place.capability >= 100 {
                    self.spec.moe().map_or(e, |moe| e.max(u64::from(moe.num_experts)))
                } else {
                    e
                };
                out.push(Tensor {
                    class,
                    bytes: inputs * shards * element,
                    loaded: if alone { 0 } else { e * 4 },
                    count: 1,
                    source: 0,
                });
            }
            LinearScheme::Mxfp8 => {
                out.push(whole(class, e * n * k, 1));
                let columns = k.div_ceil(32);
                // FlashInfer's layout on Blackwell: tiles of 128 outputs and 4 blocks of inputs
                // (`layers/quantization/utils/mxfp8_utils.py: swizzle_mxfp8_scale`).
                let loaded = if e == 1 && (100..130).contains(&self.place.capability) {
                    n.next_multiple_of(128) * columns.next_multiple_of(4)
                } else {
                    e * n * columns
                };
                out.push(Tensor {
                    loaded,
                    ..whole(class, e * n * columns, 1)
                });
            }
            LinearScheme::Nf4 { nested } => {
                out.push(whole(class, e * n * k / 2, 1));
                // Beside the parameters: they count once loaded.
                for shard in linear.shards {
                    let scales = (shard * k).div_ceil(64);
                    let kept = if nested {
                        [scales, scales.div_ceil(256) * 4, 256 * 4, 4]
                    } else {
                        [scales * 4, 0, 0, 0]
                    };
                    for loaded in kept.into_iter().chain([16 * 4]) {
                        out.push(Tensor {
                            class,
                            bytes: 0,
                            loaded,
                            count: 1,
                            source: 0,
                        });
                    }
                }
            }
            LinearScheme::Mxfp4 => {
                out.push(whole(class, e * n * k / 2, 1));
                let scales = k.div_ceil(32);
                let loaded = if e > 1 && self.triton_mxfp4() {
                    // The layout of scales on Hopper: tiles of 256 outputs, and of 4 or 2 blocks of inputs
                    // (`layers/quantization/utils/mxfp4_utils.py: _swizzle_mxfp4`).
                    let blocks = if self.spec.even_mxfp4_scales { 2 } else { 4 };
                    e * n.next_multiple_of(256) * scales.next_multiple_of(blocks)
                } else {
                    e * n * scales
                };
                out.push(Tensor {
                    class,
                    bytes: e * n * scales,
                    loaded,
                    count: 1,
                    source: 0,
                });
            }
            LinearScheme::PerChannel8 {
                static_activation,
                float,
            } => {
                out.push(whole(class, e * n * k, 1));
                let loaded = if float && marlin {
                    e * n * self.element
                } else {
                    e * n * 4
                };
                out.push(Tensor {
                    class,
                    bytes: e * n * 4,
                    loaded,
                    count: 1,
                    source: 0,
                });
                if static_activation {
                    out.push(whole(class, e * 4, 1));
                }
            }
            LinearScheme::PackedInt {
                bits,
                group_size,
                zero_points,
                desc_act,
                compressed_tensors,
            } => {
                let bits = u64::from(bits);
                let scale_k = if desc_act { linear.whole_k } else { k };
                let routed = class == TensorClass::Experts && !compressed_tensors;
                let halved = group_size.map(|size| {
                    let group = expert_group(self.spec, &self.place.shape, size);
                    group.filter(|_| routed).unwrap_or(size)
                });
                // Those kernels have neither zero points that are symmetric nor an order of columns.
                let falls_back = halved != group_size;
                let groups = halved.map_or(1, |size| scale_k.div_ceil(u64::from(size)));
                out.push(whole(class, e * n * k * bits / 8, 1));
                out.push(whole(class, e * groups * n * self.element, 1));
                let zeros = e * groups * n * bits / 8;
                let awq = self
                    .spec
                    .quantization
                    .as_ref()
                    .is_some_and(|q| q.method == "auto_awq");
                if zero_points || !(compressed_tensors || falls_back) {
                    // GPTQ stores zero points even where they are symmetric; Marlin drops those.
                    out.push(Tensor {
                        class,
                        bytes: zeros,
                        loaded: if zero_points { zeros } else { 0 },
                        count: 1,
                        source: 0,
                    });
                }
                if !awq && !falls_back && (!compressed_tensors || desc_act) {
                    out.push(Tensor {
                        class,
                        bytes: e * k * 4,
                        loaded: if desc_act { e * k * 8 } else { 0 },
                        count: 1,
                        source: 0,
                    });
                }
                if compressed_tensors {
                    // The unpacked shape: two int64, or two numbers in the model's type per expert.
                    out.push(whole(class, if e > 1 { e * 2 * self.element } else { 16 }, 1));
                }
            }
        }
    }
}
