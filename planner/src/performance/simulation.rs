//! Requests one by one through vLLM's scheduler, step by step: what the closed form cannot say, percentiles above all.
//!
//! Mirrors `vllm/v1/core/sched/scheduler.py: schedule`: sequences that decode come first, prompts share what is left of
//! max_num_batched_tokens in the order of their arrival, and where the cache is full the sequence that came last gives
//! its blocks back and starts anew. The same seed gives the same run on every machine.
use super::{
    serving::{Arrivals, Limits, Request},
    step::{Batch, Engine},
};
use crate::units::real;
use std::collections::VecDeque;

/// Percentiles of a time, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    /// Half of the requests are below.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// All but one of a hundred.
    pub p99: f64,
}

impl Percentiles {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times.get(rank - 1).copied().unwrap_or(0.0)
        };
        Self {
            p50: at(50),
            p90: at(90),
            p99: at(99),
        }
    }
}

/// What a run showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Requests that were sent, and done.
    pub requests: u32,
    /// To the first token.
    pub ttft: Percentiles,
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
    /// How often a sequence gave its blocks back.
    pub preemptions: u32,
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
    /// Of prompt and answer, so many are in the cache.
    cached: f64,
    /// Tokens that must be computed before it decodes: the prompt, and after a preemption what it had.
    target: f64,
    /// Tokens that it has given.
    given: f64,
    first: f64,
}

/// Even chance, by `xorshift64*`.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        (real(bits) + 0.5) / 16_777_216.0
    }

    fn around(&mut self, middle: f64, spread: f64) -> f64 {
        (middle * (1.0 + spread * (2.0 * self.next() - 1.0)))
            .round()
            .max(1.0)
    }

    /// Time to the next of events that come by chance, one in a second on average.
    fn exponential(&mut self) -> f64 {
        -logarithm(self.next())
    }
}

/// The natural logarithm of a number in (0, 1): the standard library's differs between targets.
pub(super) fn logarithm(value: f64) -> f64 {
    let (mut mantissa, mut halvings) = (value, 0.0);
    while mantissa < 0.75 {
        mantissa *= 2.0;
        halvings += 1.0;
    }
    // 2 artanh((m - 1) / (m + 1)), whose argument is at most a fifth here.
    let x = (mantissa - 1.0) / (mantissa + 1.0);
    let square = x * x;
    let mut sum = 0.0;
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    2.0 * x * sum - halvings * std::f64::consts::LN_2
}

struct State {
    now: f64,
    waiting: VecDeque<Sequence>,
    running: Vec<Sequence>,
    done: Vec<Sequence>,
    ends: Vec<f64>,
    preemptions: u32,
}

/// Runs it on one replica.
pub fn simulate(
    engine: &Engine,
    request: Request,
    arrivals: Arrivals,
    limits: Limits,
    course: Course,
) -> Run {
    let mut chance = Chance(course.seed.max(1));
    let count = course.requests as usize;
    let mut coming: VecDeque<Sequence> = VecDeque::with_capacity(count);
    let mut clock = 0.0;
    for _ in 0..count {
        if let Arrivals::Open { rate, .. } = arrivals {
            clock += chance.exponential() / rate;
        }
        let prompt = chance.around(request.prompt, course.spread);
        coming.push_back(Sequence {
            arrived: clock,
            prompt,
            generated: chance.around(request.generated, course.spread),
            cached: 0.0,
            target: prompt,
            given: 0.0,
            first: 0.0,
        });
    }
    let at_once = match arrivals {
        Arrivals::Closed { sequences, .. } => sequences.max(1.0),
        Arrivals::Open { .. } => f64::INFINITY,
    };
    let room = limits.cached * (request.prompt + request.generated);
    let mut state = State {
        now: 0.0,
        waiting: VecDeque::new(),
        running: Vec::new(),
        done: Vec::with_capacity(count),
        ends: Vec::with_capacity(count),
        preemptions: 0,
    };
    while state.done.len() < count {
        state.arrive(&mut coming, at_once);
        // A step that is running when a request comes is not cut short.
        let next = coming
            .front()
            .filter(|_| at_once.is_infinite())
            .map(|next| next.arrived);
        if !state.step(engine, limits, room, next) {
            // Nothing runs: time goes on to the next arrival.
            match coming.front() {
                Some(next) => state.now = state.now.max(next.arrived),
                None => break,
            }
        }
    }
    state.summary()
}

impl State {
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
            self.waiting.push_back(next);
        }
    }

    /// One step of the engine; `false` where there is nothing to do.
    fn step(&mut self, engine: &Engine, limits: Limits, room: f64, next: Option<f64>) -> bool {
        self.make_room(room);
        let mut budget = limits.max_num_batched_tokens;
        let mut batch = Batch::default();
        let (mut context, mut look_back) = (0.0, 0.0);
        // What each running sequence computes in this step; 0 where the budget is used up.
        let mut shares: Vec<f64> = Vec::with_capacity(self.running.len() + 4);
        for sequence in &self.running {
            let left = sequence.target - sequence.cached;
            if left > 0.0 {
                shares.push(0.0);
                continue;
            }
            shares.push(1.0);
            budget -= 1.0;
            batch.sequences += 1.0;
            context += sequence.cached;
        }
        let mut used: f64 =
            self.running.iter().map(|sequence| sequence.cached).sum::<f64>() + batch.sequences;
        let mut take = |sequence: &Sequence, budget: &mut f64| {
            let part = (sequence.target - sequence.cached).min(*budget).max(0.0);
            *budget -= part;
            batch.prompt += part;
            look_back += part * (sequence.cached + part / 2.0);
            part
        };
        for (sequence, share) in self.running.iter().zip(&mut shares) {
            if sequence.cached < sequence.target {
                *share = take(sequence, &mut budget);
                used += *share;
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
            shares.push(part);
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
        let each = engine.step(&batch).total();
        if batch.prompt > 0.0 || shares.contains(&0.0) {
            self.now += each;
            self.give(&shares);
            return true;
        }
        // Only decoding: the same step again until one is done, the cache is full or another comes. A step's time grows
        // with the context in a straight line, so that the one in the middle stands for all.
        let mut steps = self
            .running
            .iter()
            .map(|s| s.generated - s.given)
            .fold(f64::INFINITY, f64::min);
        steps = steps.min(((room - used) / batch.sequences).floor() + 1.0);
        if let Some(next) = next {
            steps = steps.min(((next - self.now) / each).ceil());
        }
        let steps = steps.max(1.0);
        batch.context += (steps - 1.0) / 2.0;
        self.now += steps * engine.step(&batch).total();
        for sequence in &mut self.running {
            sequence.cached += steps - 1.0;
            sequence.given += steps - 1.0;
        }
        self.give(&shares);
        true
    }

    /// Where the next tokens have no room, the sequence that came last starts anew.
    fn make_room(&mut self, room: f64) {
        loop {
            let decoding = self.running.iter().filter(|s| s.cached >= s.target).count();
            let used: f64 = self.running.iter().map(|s| s.cached.max(s.target)).sum();
            if self.running.len() < 2 || used + count(decoding) <= room {
                return;
            }
            let Some(mut last) = self.running.pop() else {
                return;
            };
            last.target = last.prompt + last.given;
            last.cached = 0.0;
            self.waiting.push_front(last);
            self.preemptions += 1;
        }
    }

    /// Tokens of a finished step.
    fn give(&mut self, shares: &[f64]) {
        let now = self.now;
        for (sequence, share) in self.running.iter_mut().zip(shares) {
            sequence.cached += share;
            if *share > 0.0 && sequence.cached >= sequence.target {
                if sequence.given < 1.0 {
                    sequence.first = now;
                }
                sequence.given += 1.0;
            }
        }
        let (done, running): (Vec<_>, Vec<_>) = self
            .running
            .drain(..)
            .partition(|sequence| sequence.given >= sequence.generated);
        self.running = running;
        self.ends.extend(done.iter().map(|_| now));
        self.done.extend(done);
    }

    fn summary(self) -> Run {
        let requests = count(self.done.len()).max(1.0);
        let each = || self.done.iter().zip(&self.ends);
        let stays: f64 = each().map(|(sequence, end)| end - sequence.arrived).sum();
        let begin = self.done.iter().map(|s| s.arrived).fold(f64::INFINITY, f64::min);
        let duration = (self.now - begin).max(0.0);
        let ttft = each().map(|(s, _)| s.first - s.arrived + super::constants::REQUEST);
        let tpot = each()
            .filter(|(s, _)| s.given > 1.0)
            .map(|(s, end)| (end - s.first) / (s.given - 1.0));
        let whole = each().map(|(s, end)| end - s.arrived + super::constants::REQUEST);
        Run {
            requests: u32::try_from(self.done.len()).unwrap_or(u32::MAX),
            ttft: Percentiles::of(ttft.collect()),
            tpot: Percentiles::of(tpot.collect()),
            end_to_end: Percentiles::of(whole.collect()),
            duration,
            under_way: if duration > 0.0 { stays / duration } else { 0.0 },
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
    #[expect(
        clippy::disallowed_methods,
        reason = "the standard library's is what it is held against"
    )]
    fn the_logarithm_is_the_standard_librarys() {
        for value in [1e-7_f64, 0.001, 0.1, 0.5, 0.749, 0.75, 0.9, 0.999_999] {
            assert!((logarithm(value) - value.ln()).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let times: Vec<f64> = (1..=100).map(f64::from).collect();
        let of = |p50, p90, p99| Percentiles { p50, p90, p99 };
        assert_eq!(Percentiles::of(times), of(50.0, 90.0, 99.0));
        assert_eq!(Percentiles::of(vec![]), Percentiles::default());
        assert_eq!(Percentiles::of(vec![3.0]), of(3.0, 3.0, 3.0));
    }
}
