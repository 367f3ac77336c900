//! What one GPU does in a second, and what connects it to the others.
use super::{constants, work::Arithmetic};
use crate::gpu::{GpuGroup, GpuSpec, Vendor, is_slice};

/// GPUs whose kernels behave alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Volta and Turing, and older.
    Volta,
    /// Compute capability 8.0 to 8.7.
    Ampere,
    /// 8.9.
    Ada,
    /// 9.
    Hopper,
    /// 10 and 11.
    Blackwell,
    /// 12.
    SmallBlackwell,
    /// AMD.
    Rocm,
}

/// Between the ranks of a tensor-parallel group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// Bytes per second in one direction.
    Nvlink(f64),
    /// Bytes per second of a slot.
    Pcie(f64),
    /// The group spans nodes.
    Network,
}

/// One GPU of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Which kernels it runs.
    pub generation: Generation,
    /// Bytes per second that its memory gives at best.
    pub bandwidth: f64,
    /// Products per second at best: of 16-bit floats, 8-bit floats, 8-bit integers and 4-bit floats.
    rates: [f64; 4],
    /// Adding in 32 bits halves its rate.
    half_rate: bool,
    /// Reads another's memory without the host's.
    direct: bool,
    /// To the others.
    pub link: Link,
    /// Bytes per second from the host's memory.
    host: f64,
    /// A MIG slice.
    pub slice: bool,
}

const GIGA: f64 = 1.0e9;

impl Machine {
    /// `None` where bandwidth or arithmetic rate are not known.
    pub fn of(gpu: &GpuSpec, nvlink: Option<bool>, spans_nodes: bool) -> Option<Self> {
        let generation = generation(gpu);
        let bandwidth = f64::from(gpu.memory_bandwidth_gbps?) * GIGA;
        let rate = |gflops: Option<u32>| gflops.map(|gflops| f64::from(gflops) * GIGA);
        let rates = gpu.dense_gflops;
        let half = rate(rates.bf16).or(rate(rates.fp16))?;
        let narrow = rate(rates.fp8).unwrap_or(half);
        let nvlink = gpu.nvlink_gbps.filter(|_| nvlink.unwrap_or(true));
        let slot = constants::slot(gpu.pcie_gen.unwrap_or(4));
        let (alone, shared) = constants::CHIP_TO_CHIP;
        Some(Self {
            generation,
            bandwidth,
            rates: [
                half,
                narrow,
                rate(rates.int8).unwrap_or(half),
                rate(rates.fp4).unwrap_or(narrow),
            ],
            half_rate: rate(rates.fp16).is_some_and(|fp16| half < 0.75 * fp16),
            direct: gpu.group != GpuGroup::Consumer,
            link: match nvlink {
                _ if spans_nodes => Link::Network,
                Some(both_ways) => Link::Nvlink(f64::from(both_ways) * GIGA / 2.0),
                None => Link::Pcie(slot),
            },
            host: match gpu.name.get(..3) {
                _ if gpu.unified_memory => bandwidth,
                Some("GH2") => alone,
                Some("GB2" | "GB3") => shared,
                _ => slot,
            },
            slice: is_slice(&gpu.name),
        })
    }

    /// Bytes per second when reading weights in that format.
    pub(super) fn reads(&self, arithmetic: Arithmetic) -> f64 {
        self.bandwidth * constants::bandwidth(self.generation) * constants::packed_bandwidth(arithmetic)
    }

    /// Where such a share of them lies in the host's memory: kernels read it there, in every step
    /// (`vllm/model_executor/offloader/uva.py`).
    pub(super) fn reads_beside(&self, arithmetic: Arithmetic, offloaded: f64) -> f64 {
        1.0 / ((1.0 - offloaded) / self.reads(arithmetic) + offloaded / self.host)
    }

    /// Bytes per second when reading the cache.
    pub(super) fn reads_cache(&self) -> f64 {
        self.bandwidth * constants::CACHE_BANDWIDTH
    }

    /// Operations per second in products of that format.
    pub(super) fn computes(&self, arithmetic: Arithmetic) -> f64 {
        let [half, fp8, int8, fp4] = self.rates;
        let peak = match arithmetic {
            Arithmetic::Half | Arithmetic::Unpacked => half * self.half_rate_gain(),
            Arithmetic::Fp8 | Arithmetic::Fp8Block => fp8,
            Arithmetic::Int8 => int8,
            Arithmetic::Fp4 => fp4,
        };
        peak * constants::compute(arithmetic, self.generation)
    }

    fn half_rate_gain(&self) -> f64 {
        if self.half_rate {
            constants::HALF_RATE_CARDS
        } else {
            1.0
        }
    }

    /// Bytes per second when hidden states pass through memory: as a copy's.
    pub(super) fn copies(&self) -> f64 {
        self.bandwidth * constants::COPY
    }

    /// Operations per second of attention within a prompt.
    pub(super) fn attends(&self) -> f64 {
        let [half, ..] = self.rates;
        half * constants::PROMPT_ATTENTION
    }

    /// How the routed experts' kernels compare with those of the data centre.
    pub(super) fn expert_kernels(&self) -> f64 {
        // MI cards have more than this; workstation cards less.
        if self.generation == Generation::Rocm && self.bandwidth < 1.5e12 {
            constants::EXPERTS_ON_WORKSTATION_ROCM
        } else {
            1.0
        }
    }

    /// Seconds of an all-reduce of that many bytes over so many ranks.
    pub(super) fn reduces(&self, bytes: f64, ranks: u32, link: Link) -> f64 {
        let ring = 2.0 * f64::from(ranks.saturating_sub(1)) / f64::from(ranks.max(1));
        match link {
            Link::Nvlink(rate) => {
                constants::nvlink_latency(self.generation) + ring * bytes / (rate * constants::NVLINK_SHARE)
            }
            Link::Network => constants::NETWORK.0 + ring * bytes / constants::NETWORK.1,
            Link::Pcie(rate) => {
                let (latency, share) = constants::pcie(ranks, self.direct);
                latency + bytes / (rate * share)
            }
        }
    }
}

fn generation(gpu: &GpuSpec) -> Generation {
    match gpu.compute_capability {
        _ if gpu.vendor == Vendor::Amd => Generation::Rocm,
        None => Generation::Volta,
        Some(capability) => match capability.number() {
            ..80 => Generation::Volta,
            80..89 => Generation::Ampere,
            89 => Generation::Ada,
            90..100 => Generation::Hopper,
            100..120 => Generation::Blackwell,
            120.. => Generation::SmallBlackwell,
        },
    }
}
