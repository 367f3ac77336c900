//! The time of one engine step, from what is in its batch.
use super::{
    constants,
    machine::Machine,
    work::{Arithmetic, Work},
};
use crate::engine::VllmVersion;

/// The tokens of a step: sequences that decode one each, and a piece of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Batch {
    /// Sequences that decode.
    pub sequences: f64,
    /// Tokens that each of them has behind it, on average.
    pub context: f64,
    /// Tokens of prompts.
    pub prompt: f64,
    /// Tokens of the same prompt that came before.
    pub behind: f64,
}

impl Batch {
    fn tokens(&self) -> f64 {
        self.sequences + self.prompt
    }
}

/// Where the time of a step goes, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepTime {
    /// Reading weights and cache.
    pub memory: f64,
    /// Computing.
    pub compute: f64,
    /// Waiting for other ranks.
    pub communication: f64,
    /// Small kernels, launches, sampling, the host.
    pub host: f64,
}

impl StepTime {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.memory + self.compute + self.communication + self.host
    }

    /// With another so many times.
    pub(super) fn plus(self, times: f64, other: Self) -> Self {
        Self {
            memory: self.memory + times * other.memory,
            compute: self.compute + times * other.compute,
            communication: self.communication + times * other.communication,
            host: self.host + times * other.host,
        }
    }

    /// An operator takes the longer of the two.
    fn operator(&mut self, memory: f64, compute: f64) {
        if memory >= compute {
            self.memory += memory;
        } else {
            self.compute += compute;
        }
    }
}

/// An engine: its stages on their GPUs.
#[derive(Clone, Debug)]
pub struct Engine {
    /// One rank of each pipeline stage.
    pub stages: Vec<Work>,
    /// Each of its GPUs.
    pub machine: Machine,
    /// tensor_parallel_size.
    pub tp: u32,
    /// Replicas that share the routed experts.
    pub dp: f64,
    /// No CUDA graphs.
    pub eager: bool,
    /// Tokens of a step that a CUDA graph holds at most.
    pub largest_graph: f64,
    /// The version, whose host work differs.
    pub version: VllmVersion,
}

impl Engine {
    /// Tokens of the largest CUDA graph.
    pub fn largest_graph(max_num_seqs: u32) -> f64 {
        constants::LARGEST_GRAPH.min(2.0 * f64::from(max_num_seqs))
    }

    /// One step from its first stage to its last.
    pub fn step(&self, batch: &Batch) -> StepTime {
        let mut time = StepTime::default();
        if batch.tokens() <= 0.0 {
            return time;
        }
        for work in &self.stages {
            self.stage(work, batch, &mut time);
        }
        time.host += (constants::SHORTEST_STEP - time.total()).max(0.0);
        time.host += constants::host(self.version) + constants::SEQUENCE * batch.sequences;
        time
    }

    fn stage(&self, work: &Work, batch: &Batch, time: &mut StepTime) {
        let machine = &self.machine;
        let tokens = batch.tokens();
        time.operator(
            work.dense_bytes / machine.reads(work.dense),
            2.0 * work.dense_products * tokens / machine.computes(work.dense),
        );
        let sampled = batch.sequences + if batch.prompt > 0.0 { 1.0 } else { 0.0 };
        time.operator(
            work.head_bytes / machine.reads(Arithmetic::Half),
            2.0 * work.head_products * sampled / machine.computes(Arithmetic::Half),
        );
        self.experts(work, tokens, time);
        for attention in &work.attention {
            let span = |tokens: f64| attention.span.map_or(tokens, |span| tokens.min(span));
            let cached = attention.layers * batch.sequences * span(batch.context) * attention.cached_bytes;
            time.memory += cached / machine.reads_cache();
            // Each token of the piece looks back to the prompt's beginning: on average to half of the piece.
            let pairs = batch.prompt * span(batch.behind + batch.prompt / 2.0);
            time.compute += 2.0 * attention.layers * attention.per_pair * pairs / machine.attends();
        }
        time.memory += batch.sequences * work.state_bytes / machine.reads_cache();
        if work.reductions > 0.0 {
            time.communication += work.reductions * machine.reduces(tokens * work.hidden_size * 2.0, self.tp);
        }
        time.host += work.parts / 2.0 * constants::LAYER
            + work.reductions / 2.0 * constants::LAYER_IN_PARALLEL
            + work.latent_layers * constants::LATENT_LAYER;
        time.memory +=
            work.parts / 2.0 * constants::PASSES * work.hidden_size * 2.0 * tokens / machine.copies();
        // Steps differ in size: of those around the largest graph some are within it.
        let launched = if self.eager {
            constants::EAGER_LAYER
        } else {
            (2.0 * tokens / self.largest_graph - 1.5).clamp(0.0, 1.0) * constants::piecewise_layer(self.tp)
        };
        time.host += work.parts / 2.0 * launched;
    }

    fn experts(&self, work: &Work, tokens: f64, time: &mut StepTime) {
        let weight = |e: &super::ExpertWork| e.layers * e.experts * e.parameters;
        let all: f64 = work.experts.iter().map(weight).sum();
        let rows = tokens * self.dp;
        let kernels = self.machine.expert_kernels();
        for experts in &work.experts {
            // A token takes each expert with the same chance.
            let missed = power(1.0 - experts.per_token / experts.experts, rows);
            let alike = if rows > 4.0 { constants::EXPERTS_HIT } else { 1.0 };
            let hit = (1.0 - missed) * alike;
            let bytes = work.expert_bytes * weight(experts) / all * hit;
            let chosen = experts.per_token * rows;
            let padded = chosen + chosen.min(experts.experts * constants::EXPERT_TILE);
            let products = experts.layers * experts.parameters * padded * experts.share;
            time.operator(
                bytes / (self.machine.reads(work.routed) * constants::EXPERT_BANDWIDTH * kernels),
                2.0 * products
                    / (self.machine.computes(work.routed) * constants::expert_compute(work.routed) * kernels),
            );
            time.host += experts.layers * constants::expert_layer(work.routed, self.version);
        }
    }
}

/// `base` to the power of a count, by squaring: the same on every target, which the standard library's is not.
fn power(base: f64, count: f64) -> f64 {
    // Above this nothing is left of any base that occurs.
    let whole = count.min(1.0e6);
    let (mut left, mut square, mut result) = (whole.floor(), base, 1.0);
    let rest = whole - left;
    while left >= 1.0 {
        let half = (left / 2.0).floor();
        if left - 2.0 * half >= 1.0 {
            result *= square;
        }
        square *= square;
        left = half;
    }
    // Between two counts the line between their powers.
    result * (1.0 - rest + rest * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_repeated_multiplication() {
        for (base, count) in [(0.5, 0.0), (0.5, 1.0), (0.9375, 17.0), (0.0, 3.0), (1.0, 9.0)] {
            let mut expected = 1.0;
            let mut left = count;
            while left > 0.5 {
                expected *= base;
                left -= 1.0;
            }
            assert!((power(base, count) - expected).abs() < 1e-12, "{base} {count}");
        }
        assert!((power(0.5, 1.5) - 0.375).abs() < 1e-12);
    }
}
