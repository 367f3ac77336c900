//! Requests one by one through vLLM's scheduler, step by step: what the closed form cannot say, percentiles above all.
//!
//! Mirrors `vllm/v1/core/sched/scheduler.py: schedule`: sequences that decode come first, prompts share what is left of
//! max_num_batched_tokens in the order of their arrival, and where the cache is full the sequence that came last gives
//! its blocks back and starts anew. The same seed gives the same run on every machine.
use super::{
    chance::Chance,
    constants::REQUEST,
    estimate::{Question, Scale},
    serving::{Arrivals, Limits},
    step::{Batch, Engine},
};
use crate::{order, units::real};
use std::collections::VecDeque;

/// Percentiles of a time, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    /// Half of the requests are below.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// Nineteen of twenty.
    pub p95: f64,
    /// All but one of a hundred.
    pub p99: f64,
}

impl Percentiles {
    fn of(mut times: Vec<f64>) -> Self {
        sort(&mut times);
        Self::of_sorted(&times)
    }

    fn of_sorted(times: &[f64]) -> Self {
        let [p50, p90, p95, p99] = [50, 90, 95, 99].map(|percent| nearest(times, percent));
        Self { p50, p90, p95, p99 }
    }

    /// Of those that are kept: 50, 90, 95 or 99.
    pub const fn at(&self, percent: u32) -> f64 {
        match percent {
            99 => self.p99,
            95 => self.p95,
            90 => self.p90,
            _ => self.p50,
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            p50: self.p50 * factor,
            p90: self.p90 * factor,
            p95: self.p95 * factor,
            p99: self.p99 * factor,
        }
    }
}

fn sort(times: &mut [f64]) {
    order::sort(times, f64::total_cmp);
}

/// The nearest rank.
fn nearest(times: &[f64], percent: usize) -> f64 {
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or(0.0)
}

/// What a run showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// There are no answers: tokens per second are those of prompts.
    pub pools: bool,
    /// Requests that were sent, and done.
    pub requests: u32,
    /// To the first token.
    pub ttft: Percentiles,
    /// The same at each hundredth of the requests, from the first to all.
    pub ttft_hundredths: Vec<f64>,
    /// Between tokens after the first, each request's mean.
    pub tpot: Percentiles,
    /// From arrival to the last token.
    pub end_to_end: Percentiles,
    /// From the first arrival to the last token.
    pub duration: f64,
    /// Requests under way on average: sent and not done.
    pub under_way: f64,
    /// Of a request from arrival to the last token, on average.
    pub stay: f64,
    /// Tokens of answers per second, over all replicas.
    pub output_tok_per_s: f64,
    /// Requests done per second, over all replicas.
    pub req_per_s: f64,
    /// The share of the time that the engine is in a step.
    pub busy: f64,
    /// The share of the KV cache that is in use, on average over that time.
    pub cache_mean: f64,
    /// At most.
    pub cache_most: f64,
    /// How often a sequence gave its blocks back.
    pub preemptions: u32,
}

impl Run {
    /// As a benchmark of that machine was measured.
    fn scale(&mut self, scale: Scale) {
        let whole = self.end_to_end.p50;
        let scaled =
            whole + self.ttft.p50 * (scale.ttft - 1.0) + (whole - self.ttft.p50) * (scale.tpot - 1.0);
        self.ttft = self.ttft.times(scale.ttft);
        for time in &mut self.ttft_hundredths {
            *time *= scale.ttft;
        }
        self.tpot = self.tpot.times(scale.tpot);
        if whole > 0.0 {
            self.end_to_end = self.end_to_end.times(scaled / whole);
        }
        self.output_tok_per_s *= scale.rate;
        self.req_per_s *= scale.rate;
        self.duration /= scale.rate;
    }
}

/// How the run is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Requests in all.
    pub requests: u32,
    /// Lengths lie evenly between this share less and more than stated.
    pub spread: f64,
    /// Where chance begins.
    pub seed: u64,
}

/// A sequence of its own.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    arrived: f64,
    prompt: f64,
    generated: f64,
    /// Of the prompt, so many are in the prefix cache.
    found: f64,
    /// Of prompt and answer, so many are in the cache.
    cached: f64,
    /// Tokens that must be computed before it decodes: the prompt, and after a preemption what it had.
    target: f64,
    /// Tokens that it has given.
    given: f64,
    first: f64,
}

#[derive(Default)]
struct State {
    now: f64,
    waiting: VecDeque<Sequence>,
    running: Vec<Sequence>,
    done: Vec<Sequence>,
    ends: Vec<f64>,
    preemptions: u32,
    /// Time in steps, and of it what the cache held: tokens times seconds.
    busy: f64,
    held: f64,
    /// Requests under way, times seconds.
    sent: f64,
    fullest: f64,
}

/// A run on one replica that is under way: as many steps at a time as somebody has time for.
pub struct Simulation {
    engine: Engine,
    limits: Limits,
    replicas: f64,
    scale: Option<Scale>,
    /// Tokens that the cache holds.
    room: f64,
    at_once: f64,
    pools: bool,
    count: usize,
    coming: VecDeque<Sequence>,
    state: State,
}

impl Simulation {
    /// Before its first step.
    pub(super) fn new(question: &Question, arrivals: Arrivals, course: Course, scale: Option<Scale>) -> Self {
        let (request, limits) = (question.request, question.limits);
        let mut chance = Chance::new(course.seed);
        let count = course.requests as usize;
        let mut coming: VecDeque<Sequence> = VecDeque::with_capacity(count);
        let mut clock = 0.0;
        for at in 0..count {
            if let Arrivals::Open { rate, burstiness, .. } = arrivals {
                let known = question.gaps.get(at % question.gaps.len().max(1));
                clock += known.map_or_else(|| chance.gap(burstiness), |gap| *gap) / rate;
            }
            let (prompt, answer) = question.lengths.draw(&mut chance, request, at, course.spread);
            // A prompt that is pooled is done as if with one token.
            let generated = if request.pools() { 1.0 } else { answer };
            let prompt = prompt.min(question.longest - 1.0).max(1.0);
            let found = (prompt * request.found / request.prompt)
                .min(prompt - 1.0)
                .floor();
            coming.push_back(Sequence {
                arrived: clock,
                prompt,
                generated: generated.min(question.longest - prompt).max(1.0),
                found,
                cached: found,
                target: prompt,
                given: 0.0,
                first: 0.0,
            });
        }
        Self {
            engine: question.engine.clone(),
            limits,
            // Of fewer requests than replicas some have none.
            replicas: match arrivals {
                Arrivals::Closed { sequences, .. } => question.replicas * sequences.min(1.0),
                Arrivals::Open { .. } => question.replicas,
            },
            scale,
            room: limits.cached * (request.prompt + request.generated),
            at_once: match arrivals {
                Arrivals::Closed { sequences, .. } => sequences.max(1.0),
                Arrivals::Open { .. } => f64::INFINITY,
            },
            count,
            pools: request.pools(),
            coming,
            state: State::default(),
        }
    }

    /// Goes on for so many steps, or to the end: then it is `true`.
    pub fn advance(&mut self, steps: u32) -> bool {
        let state = &mut self.state;
        for _ in 0..steps {
            if state.done.len() >= self.count {
                return true;
            }
            if self.pools && self.at_once.is_finite() && state.is_between() {
                // All are answered at once, and ask again once the answer is theirs.
                state.now += REQUEST;
                state.sent += REQUEST * self.at_once;
            }
            state.arrive(&mut self.coming, self.at_once);
            // A step that is running when a request comes is not cut short.
            let next = self
                .coming
                .front()
                .filter(|_| self.at_once.is_infinite())
                .map(|next| next.arrived);
            if !state.step(&self.engine, self.limits, self.room, next) {
                // Nothing runs: time goes on to the next arrival.
                match self.coming.front() {
                    Some(next) => state.now = state.now.max(next.arrived),
                    None => return true,
                }
            }
        }
        false
    }

    /// What it showed so far.
    pub fn finish(self) -> Run {
        let mut run = self.state.summary(self.room, self.pools);
        run.output_tok_per_s *= self.replicas;
        run.req_per_s *= self.replicas;
        if let Some(scale) = self.scale {
            run.scale(scale);
        }
        run
    }
}

impl State {
    /// Nothing is under way, and something was.
    fn is_between(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty() && !self.done.is_empty()
    }

    fn arrive(&mut self, coming: &mut VecDeque<Sequence>, at_once: f64) {
        while let Some(next) = coming.front() {
            let closed = at_once.is_finite();
            let under_way = count(self.waiting.len() + self.running.len());
            if (closed && under_way >= at_once) || (!closed && next.arrived > self.now) {
                break;
            }
            let Some(mut next) = coming.pop_front() else { break };
            if closed {
                next.arrived = self.now;
            }
            // It came while a step ran.
            self.sent += self.now - next.arrived;
            self.waiting.push_back(next);
        }
    }

    /// One step of the engine; `false` where there is nothing to do.
    fn step(&mut self, engine: &Engine, limits: Limits, room: f64, next: Option<f64>) -> bool {
        let (verified, gained) = (engine.verified(), engine.gained());
        self.make_room(room, gained);
        let mut budget = limits.max_num_batched_tokens;
        let mut batch = Batch::default();
        let (mut context, mut look_back) = (0.0, 0.0);
        // What each running sequence computes of its prompt in this step, 0 where the budget is used up; nothing where
        // it decodes.
        let mut shares: Vec<Option<f64>> = Vec::with_capacity(self.running.len() + 4);
        let (mut used, mut least) = (0.0, f64::INFINITY);
        for sequence in &self.running {
            used += sequence.cached;
            if sequence.cached < sequence.target {
                shares.push(Some(0.0));
                continue;
            }
            shares.push(None);
            batch.sequences += 1.0;
            context += sequence.cached;
            least = f64::min(least, sequence.generated - sequence.given);
        }
        let prefills = batch.sequences < count(shares.len());
        budget -= verified * batch.sequences;
        used += gained * batch.sequences;
        let mut take = |sequence: &Sequence, budget: &mut f64| {
            let part = (sequence.target - sequence.cached).min(*budget).max(0.0);
            *budget -= part;
            batch.prompt += part;
            look_back += part * (sequence.cached + part / 2.0);
            part
        };
        if prefills {
            for (sequence, share) in self.running.iter().zip(&mut shares) {
                if let Some(share) = share {
                    *share = take(sequence, &mut budget);
                    used += *share;
                }
            }
        }
        while budget > 0.0 && count(self.running.len()) < limits.max_num_seqs {
            let fits = |next: &Sequence| used + next.target <= room || self.running.is_empty();
            let Some(next) = self.waiting.front().filter(|next| fits(next)) else {
                break;
            };
            let part = take(next, &mut budget);
            // All of its prompt will come: room is kept for it.
            used += next.target;
            shares.push(Some(part));
            self.running.extend(self.waiting.pop_front());
        }
        if batch.sequences + batch.prompt <= 0.0 {
            return false;
        }
        if batch.sequences > 0.0 {
            batch.context = context / batch.sequences;
        }
        if batch.prompt > 0.0 {
            batch.behind = look_back / batch.prompt - batch.prompt / 2.0;
        }
        if prefills || batch.prompt > 0.0 {
            self.pass(engine.step(&batch).total(), used);
            self.give(&shares, gained);
            return true;
        }
        // Only decoding: the same step again until one is done, the cache is full or another comes. A step's time grows
        // with the context in a straight line, so that the one in the middle stands for all.
        let mut steps = (least / gained).ceil();
        steps = steps.min(((room - used) / batch.sequences / gained).floor() + 1.0);
        if let Some(next) = next {
            steps = steps.min(((next - self.now) / engine.step(&batch).total()).ceil());
        }
        let steps = steps.max(1.0);
        let gone = (steps - 1.0) * gained;
        batch.context += gone / 2.0;
        self.pass(
            steps * engine.step(&batch).total(),
            used + gone / 2.0 * batch.sequences,
        );
        for sequence in &mut self.running {
            sequence.cached += gone;
            sequence.given += gone;
        }
        self.give(&shares, gained);
        true
    }

    /// Time in steps, while the cache holds so many tokens.
    fn pass(&mut self, time: f64, used: f64) {
        self.now += time;
        self.busy += time;
        self.held += time * used;
        self.sent += time * count(self.waiting.len() + self.running.len());
        self.fullest = self.fullest.max(used);
    }

    /// Where the next tokens have no room, the sequence that came last starts anew.
    fn make_room(&mut self, room: f64, gained: f64) {
        loop {
            let mut used = 0.0;
            for sequence in &self.running {
                used += sequence.cached.max(sequence.target);
            }
            // What the next step adds where all decode, or a little less.
            if self.running.len() < 2 || used + gained * count(self.running.len()) <= room {
                return;
            }
            let decoding = self.running.iter().filter(|s| s.cached >= s.target).count();
            if used + gained * count(decoding) <= room {
                return;
            }
            let Some(mut last) = self.running.pop() else {
                return;
            };
            last.target = last.prompt + last.given;
            last.cached = last.found;
            self.waiting.push_front(last);
            self.preemptions += 1;
        }
    }

    /// Tokens of a finished step.
    fn give(&mut self, shares: &[Option<f64>], gained: f64) {
        let now = self.now;
        let mut ends = false;
        for (sequence, share) in self.running.iter_mut().zip(shares) {
            sequence.cached += share.unwrap_or(gained);
            match share {
                None => sequence.given += gained,
                Some(share) if *share > 0.0 && sequence.cached >= sequence.target => {
                    if sequence.given < 1.0 {
                        sequence.first = now;
                    }
                    sequence.given += 1.0;
                }
                Some(_) => {}
            }
            ends |= sequence.given >= sequence.generated;
        }
        if ends {
            let (done, all) = (&mut self.done, &mut self.ends);
            self.running.retain(|sequence| {
                let ends = sequence.given >= sequence.generated;
                if ends {
                    done.push(*sequence);
                    all.push(now);
                }
                !ends
            });
        }
    }

    fn summary(self, room: f64, pools: bool) -> Run {
        let requests = count(self.done.len()).max(1.0);
        let each = || self.done.iter().zip(&self.ends);
        let stays: f64 = each().map(|(sequence, end)| end - sequence.arrived).sum();
        let begin = self.done.iter().map(|s| s.arrived).fold(f64::INFINITY, f64::min);
        let duration = (self.now - begin).max(0.0);
        let ttft = each().map(|(s, _)| s.first - s.arrived + REQUEST);
        let tpot = each()
            .filter(|(s, _)| s.generated > 1.0)
            .map(|(s, end)| (end - s.first) / (s.generated - 1.0));
        let whole = each().map(|(s, end)| end - s.arrived + REQUEST);
        let mut ttft: Vec<f64> = ttft.collect();
        sort(&mut ttft);
        let tokens = |s: &Sequence| if pools { s.prompt } else { s.generated };
        let tokens: f64 = self.done.iter().map(tokens).sum();
        let each_second = |amount: f64| if duration > 0.0 { amount / duration } else { 0.0 };
        Run {
            pools,
            requests: u32::try_from(self.done.len()).unwrap_or(u32::MAX),
            ttft: Percentiles::of_sorted(&ttft),
            ttft_hundredths: (1..=100).map(|percent| nearest(&ttft, percent)).collect(),
            tpot: Percentiles::of(tpot.collect()),
            end_to_end: Percentiles::of(whole.collect()),
            duration,
            under_way: each_second(self.sent),
            output_tok_per_s: each_second(tokens),
            req_per_s: each_second(requests),
            busy: each_second(self.busy),
            cache_mean: each_second(self.held) / room,
            cache_most: self.fullest / room,
            stay: stays / requests,
            preemptions: self.preemptions,
        }
    }
}

fn count(items: usize) -> f64 {
    real(items as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let times: Vec<f64> = (1..=100).map(f64::from).collect();
        let of = |p50, p90, p95, p99| Percentiles { p50, p90, p95, p99 };
        assert_eq!(Percentiles::of(times), of(50.0, 90.0, 95.0, 99.0));
        assert_eq!(Percentiles::of(vec![]), Percentiles::default());
        assert_eq!(Percentiles::of(vec![3.0]), of(3.0, 3.0, 3.0, 3.0));
    }
}
