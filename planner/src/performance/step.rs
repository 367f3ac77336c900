//! The time of one engine step, from what is in its batch.
use super::{
    constants,
    machine::{Link, Machine},
    serving::Request,
    work::{Arithmetic, Work},
};
use crate::{engine::VllmVersion, units::real};

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

/// Speculative decoding: a draft proposes tokens, a step of the model verifies them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drafting {
    /// Tokens that are proposed for each sequence in a step.
    pub proposed: f64,
    /// Of these so many are accepted on average.
    pub accepted: f64,
    /// Passes of the draft in a step: one for each token, or one for all.
    pub passes: f64,
    /// What a pass takes.
    pub pass: DraftPass,
    /// The host launches each pass: the first model runner has graphs of a draft's pieces alone
    /// (`vllm/v1/spec_decode/llm_base_proposer.py: initialize_cudagraph_keys`), the second one graph of all passes
    /// (`vllm/v1/worker/gpu/spec_decode/target_dependent_ar/speculator.py: capture`).
    pub launched: bool,
}

/// What a pass of a draft takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DraftPass {
    /// Nothing: looked up.
    None,
    /// One of the model's layers and its output projection.
    Layer,
    /// Weights of its own.
    Own {
        /// Bytes that it reads.
        bytes: f64,
        /// Its layers.
        layers: f64,
        /// It uses the model's output projection (`vllm/v1/spec_decode/llm_base_proposer.py: _maybe_share_lm_head`).
        shares_head: bool,
        /// Bytes that it reads in its own cache for each token behind a sequence.
        cached_bytes: f64,
    },
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
    /// One of each stage, where they differ.
    pub machines: Vec<Machine>,
    /// tensor_parallel_size.
    pub tp: u32,
    /// Replicas that share the routed experts.
    pub dp: u32,
    /// Between them, and from stage to stage.
    pub exchange: Link,
    /// No CUDA graphs.
    pub eager: bool,
    /// Tokens of a step that a CUDA graph holds at most.
    pub largest_graph: f64,
    /// The version, whose host work differs.
    pub version: VllmVersion,
    /// Speculative decoding.
    pub drafting: Option<Drafting>,
    /// Where the model pools: seconds for each token of a prompt that the process which takes requests needs.
    pub taking: f64,
}

impl Engine {
    /// Of requests like that to a model that pools.
    pub fn taking(request: Request) -> f64 {
        let (each, token) = constants::POOLED_REQUEST;
        (each + token * request.prompt) / request.computed()
    }

    /// Tokens of the largest CUDA graph.
    pub fn largest_graph(max_num_seqs: u32) -> f64 {
        constants::LARGEST_GRAPH.min(2.0 * f64::from(max_num_seqs))
    }

    /// Its ranks, stages or replicas reach each other over a network.
    pub(super) fn spans_nodes(&self) -> bool {
        let shares = |work: &Work| self.dp > 1 && !work.experts.is_empty();
        let exchanges = self.stages.len() > 1 || self.stages.iter().any(shares);
        self.machine.link == Link::Network || exchanges && self.exchange == Link::Network
    }

    /// Tokens of a sequence that a step computes while it decodes.
    pub(super) fn verified(&self) -> f64 {
        1.0 + self.drafting.map_or(0.0, |drafting| drafting.proposed)
    }

    /// Tokens that a sequence gains in a step.
    pub(super) fn gained(&self) -> f64 {
        1.0 + self.drafting.map_or(0.0, |drafting| drafting.accepted)
    }

    fn tokens(&self, batch: &Batch) -> f64 {
        batch.sequences * self.verified() + batch.prompt
    }

    /// One step. Several stages have as many batches under way, which share the sequences (`vllm/v1/engine/core.py:
    /// step_with_batch_queue`), but not evenly: halfway between one batch that goes through all stages and even ones that
    /// keep each stage busy.
    pub fn step(&self, batch: &Batch) -> StepTime {
        let whole = self.pass(batch);
        let stages = real(self.stages.len() as u64);
        if stages < 2.0 || batch.sequences <= 0.0 {
            return whole;
        }
        let part = Batch {
            sequences: batch.sequences / stages,
            prompt: batch.prompt / stages,
            behind: batch.behind + batch.prompt * (1.0 - 1.0 / stages) / 2.0,
            ..*batch
        };
        // Of the longest stage, as often as there are stages, each with its share of what is there once.
        let mut longest = StepTime::default();
        for (machine, work) in self.stages() {
            let mut time = StepTime::default();
            self.stage(machine, work, &part, &mut time);
            if time.total() > longest.total() {
                longest = time;
            }
        }
        longest.communication += self.sends(&part);
        if let Some(drafting) = self.drafting {
            self.draft(drafting, &part, &mut longest);
        }
        longest.host += constants::host(self.version) / stages + constants::SEQUENCE * part.sequences;
        StepTime::default().plus(0.5, whole).plus(0.5 * stages, longest)
    }

    /// Hidden states and residuals go on to the next stage, as one of two ranks gives to the other.
    fn sends(&self, batch: &Batch) -> f64 {
        let width = self.stages.first().map_or(0.0, |work| work.hidden_size);
        let bytes = 4.0 * self.tokens(batch) * width;
        self.machine.reduces(bytes, 2, self.exchange)
    }

    /// One batch from the first stage to the last.
    fn pass(&self, batch: &Batch) -> StepTime {
        let mut time = StepTime::default();
        if self.tokens(batch) <= 0.0 {
            return time;
        }
        for (machine, work) in self.stages() {
            self.stage(machine, work, batch, &mut time);
        }
        time.communication += real(self.stages.len().saturating_sub(1) as u64) * self.sends(batch);
        if let Some(drafting) = self.drafting.filter(|_| batch.sequences > 0.0) {
            self.draft(drafting, batch, &mut time);
        }
        time.host += (constants::SHORTEST_STEP - time.total()).max(0.0);
        time.host += constants::host(self.version) + constants::SEQUENCE * batch.sequences;
        time.host += (self.taking * batch.prompt - time.total()).max(0.0);
        time
    }

    /// What the draft adds, in each pass: its weights and its cache are read, its few layers launched.
    fn draft(&self, drafting: Drafting, batch: &Batch, time: &mut StepTime) {
        let machine = self.machines.last().unwrap_or(&self.machine);
        let head = self.stages.last().map_or(0.0, |work| work.head_bytes);
        let mut pass = StepTime::default();
        let bytes = match drafting.pass {
            DraftPass::None => return,
            DraftPass::Own {
                bytes,
                layers,
                shares_head,
                cached_bytes,
            } => {
                pass.memory += batch.sequences * batch.context * cached_bytes / machine.reads_cache();
                pass.host += layers * constants::LAYER;
                if shares_head { bytes + head } else { bytes }
            }
            DraftPass::Layer => {
                // Its experts are few of many: those that the sequences hit, as one layer of the model.
                let all: f64 = self.stages.iter().map(|work| work.parts / 2.0).sum();
                let mut step = StepTime::default();
                for (machine, work) in self.stages() {
                    let batch = Batch {
                        prompt: 0.0,
                        ..*batch
                    };
                    self.stage(machine, work, &batch, &mut step);
                }
                pass = pass.plus(1.0 / all.max(1.0), step);
                head
            }
        };
        let products = bytes * batch.sequences / machine.computes(Arithmetic::Half);
        pass.operator(bytes / machine.reads(Arithmetic::Half), products);
        if drafting.launched || self.eager {
            pass.host += (constants::LAUNCHED_DRAFT - pass.total()).max(0.0);
        }
        *time = time.plus(drafting.passes, pass);
    }

    fn stages(&self) -> impl Iterator<Item = (&Machine, &Work)> {
        let machine = |at| self.machines.get(at).unwrap_or(&self.machine);
        let stages = self.stages.iter().enumerate();
        stages.map(move |(at, work)| (machine(at), work))
    }

    fn stage(&self, machine: &Machine, work: &Work, batch: &Batch, time: &mut StepTime) {
        let tokens = self.tokens(batch);
        time.operator(
            work.dense_bytes / machine.reads_beside(work.dense, work.offloaded),
            2.0 * work.dense_products * tokens / machine.computes(work.dense),
        );
        let sampled = batch.sequences * self.verified() + if batch.prompt > 0.0 { 1.0 } else { 0.0 };
        time.operator(
            work.head_bytes / machine.reads(Arithmetic::Half),
            2.0 * work.head_products * sampled / machine.computes(Arithmetic::Half),
        );
        self.experts(machine, work, tokens, time);
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
            time.communication +=
                work.reductions * machine.reduces(tokens * work.hidden_size * 2.0, self.tp, machine.link);
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

    fn experts(&self, machine: &Machine, work: &Work, tokens: f64, time: &mut StepTime) {
        let weight = |e: &super::ExpertWork| e.layers * e.experts * e.parameters;
        let all: f64 = work.experts.iter().map(weight).sum();
        let rows = tokens * f64::from(self.dp);
        let kernels = machine.expert_kernels();
        for experts in &work.experts {
            // A token takes each expert with the same chance.
            let one = experts.per_token / experts.experts;
            let hit = 1.0 - power(1.0 - one, rows);
            // A token's own experts differ; of what others would add so much is not the same.
            let hit = hit.min(one + (hit - one) * constants::EXPERTS_HIT);
            let bytes = work.expert_bytes * weight(experts) / all * hit;
            let chosen = experts.per_token * rows;
            let padded = chosen + chosen.min(experts.experts * constants::EXPERT_TILE);
            let products = experts.layers * experts.parameters * padded * experts.share;
            time.operator(
                bytes
                    / (machine.reads_beside(work.routed, work.offloaded)
                        * constants::EXPERT_BANDWIDTH
                        * kernels),
                2.0 * products
                    / (machine.computes(work.routed) * constants::expert_compute(work.routed) * kernels),
            );
            time.host += experts.layers * constants::expert_layer(work.routed, self.version);
            if self.dp > 1 {
                // Every rank gets all tokens and gives all sums back (`vllm/distributed/device_communicators/all2all.py:
                // AgRsAll2AllManager`): a gathering and a scattering are what an all-reduce of the same bytes takes.
                time.communication +=
                    experts.layers * machine.reduces(rows * work.hidden_size * 2.0, self.dp, self.exchange);
            }
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
