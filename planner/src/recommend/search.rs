//! Goes through the layouts of all offers, in slices: the page works on between two.
use super::{Goal, Layout, Offer, Price, space::layouts};
use crate::{
    performance::{BoundBy, Course, Performance, Ranged},
    plan::{self, Look, Looks, Outcome, Scenario, with_overrides},
    units::{Bytes, real},
};

/// How fast, of what a search compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Milliseconds to the first token.
    pub ttft_ms: Ranged,
    /// Milliseconds between tokens; none where the model pools.
    pub tpot_ms: Option<Ranged>,
    /// Milliseconds to the last token.
    pub end_to_end_ms: Ranged,
    /// Tokens of answers a second, of prompts where the model pools, over all replicas.
    pub output_tok_per_s: Ranged,
    /// What limits it.
    pub bound_by: BoundBy,
    /// Requests come faster than they are done.
    pub overloaded: bool,
}

impl From<Performance> for Speed {
    fn from(found: Performance) -> Self {
        Self {
            ttft_ms: found.ttft_ms,
            tpot_ms: (!found.pools).then_some(found.tpot_ms),
            end_to_end_ms: found.end_to_end_ms,
            output_tok_per_s: found.output_tok_per_s,
            bound_by: found.bound_by,
            overloaded: found.overloaded,
        }
    }
}

impl Speed {
    /// What limits are held against.
    pub(super) fn times(&self) -> [f64; 3] {
        let tpot = self.tpot_ms.unwrap_or_default();
        [self.ttft_ms, tpot, self.end_to_end_ms].map(|time| time.estimate)
    }

    /// What one request feels: the time between tokens, or all of it where the model pools.
    pub(super) fn pace(&self) -> Ranged {
        self.tpot_ms.unwrap_or(self.end_to_end_ms)
    }
}

/// The times that so many of a hundred requests keep, simulated one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// Requests of a hundred.
    pub percentile: u32,
    /// Milliseconds to the first token, between tokens, to the last.
    pub times_ms: [f64; 3],
    /// Requests that were simulated.
    pub requests: u32,
}

/// One layout of one offer, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which of the search's offers.
    pub offer: usize,
    /// Its GPUs.
    pub total_gpus: u32,
    /// The layout.
    pub layout: Layout,
    /// The verdict's.
    pub outcome: Outcome,
    /// The verdict's sentence.
    pub reason: String,
    /// What is missing on each GPU.
    pub shortfall_bytes: Bytes,
    /// The context that it was given.
    pub max_model_len: u32,
    /// Where it starts and its speed can be said.
    pub speed: Option<Speed>,
    /// What was asked of more than the middle, where that was simulated.
    pub tail: Option<Tail>,
    /// The figures are within the limits that were asked for.
    pub keeps_limits: bool,
    /// Of all GPUs, for an hour.
    pub price_per_hour: Option<f64>,
    /// Of a million output tokens at this load.
    pub cost_per_million: Option<f64>,
}

impl Answer {
    /// vLLM starts, the load is carried, the limits are kept.
    pub fn serves(&self) -> bool {
        self.outcome.starts() && self.keeps_limits && self.keeps_up()
    }

    /// The queue does not grow without end.
    pub(super) fn keeps_up(&self) -> bool {
        self.speed.is_none_or(|speed| !speed.overloaded)
    }

    pub(super) fn rate(&self) -> Option<f64> {
        Some(self.speed?.output_tok_per_s.estimate)
    }

    /// Output tokens a second for each GPU.
    pub fn per_gpu(&self) -> Option<f64> {
        Some(self.rate()? / f64::from(self.total_gpus.max(1)))
    }

    /// Tokens a second that one request sees.
    pub fn per_user(&self) -> Option<f64> {
        Some(1000.0 / self.speed?.tpot_ms?.estimate.max(1e-6))
    }

    pub(super) fn end_to_end(&self) -> Option<f64> {
        Some(self.speed?.end_to_end_ms.estimate)
    }

    pub(super) fn balance(&self) -> Option<f64> {
        let speed = self.speed?;
        Some((speed.output_tok_per_s.estimate / speed.pace().estimate.max(1e-6)).sqrt())
    }
}

/// A search that is under way.
#[derive(Debug)]
pub struct Search {
    pub(super) base: Scenario,
    offers: Vec<Offer>,
    pub(super) goal: Goal,
    change_formats: bool,
    /// The offer that is next.
    next: usize,
    /// What the weights of layouts come to, kept from slice to slice.
    looks: Looks,
    /// The answer that is simulated next, how many were, and those that kept the limits.
    checked: (usize, usize, Vec<usize>),
    found: Found,
}

/// Simulations of a search at most: each takes as long as hundreds of layouts.
const RUNS: usize = 32;
/// As `plan --simulate` spreads lengths.
const SPREAD: f64 = 0.2;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Of each offer the best layout, the best offer first.
    pub best: Vec<Answer>,
    /// Layouts that were judged.
    pub judged: usize,
    /// Every layout, where they were asked for: the best first.
    pub all: Vec<Answer>,
}

impl Found {
    /// The best answer of each kind of GPU, the best kind first.
    pub fn by_kind<'a>(&'a self, offers: &[Offer]) -> Vec<&'a Answer> {
        by_kind(&self.best, offers, |answer| answer.offer)
    }
}

/// The first of each kind of GPU. `offer` says which offer something is of.
pub fn by_kind<'a, T>(ranked: &'a [T], offers: &[Offer], offer: impl Fn(&T) -> usize) -> Vec<&'a T> {
    let mut seen: Vec<&Offer> = Vec::new();
    let new = |found: &&T| {
        let Some(own) = offers.get(offer(found)) else {
            return false;
        };
        let first = !seen.iter().any(|seen| seen.is_like(own));
        if first {
            seen.push(own);
        }
        first
    };
    ranked.iter().filter(new).collect()
}

impl Search {
    /// Of the scenario on these offers. `change_formats`: FP8 weights and cache may be tried where the checkpoint has
    /// neither.
    pub fn new(scenario: &Scenario, offers: Vec<Offer>, goal: Goal, change_formats: bool) -> Self {
        let base = with_overrides(scenario).into_owned();
        Self {
            looks: Looks::new(&base.model),
            base,
            offers,
            goal,
            change_formats,
            next: 0,
            checked: (0, 0, Vec::new()),
            found: Found::default(),
        }
    }

    /// The offers, as answers name them.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// How many layouts were judged so far.
    pub fn layouts_judged(&self) -> usize {
        self.found.judged
    }

    /// Judges the next offers, at least so many layouts, and then simulates one; false when none are left.
    pub fn step(&mut self, layouts_at_least: usize, keep_all: bool) -> bool {
        let tail = self.goal.slo.tail();
        if self.next >= self.offers.len() {
            return tail.is_some_and(|percentile| self.check(percentile));
        }
        let keep_all = keep_all || tail.is_some();
        let mut scenario = self.base.clone();
        let until = self.found.judged.saturating_add(layouts_at_least.max(1));
        while self.found.judged < until {
            let Some(offer) = self.offers.get(self.next) else {
                break;
            };
            scenario.hardware = offer.hardware();
            let mut best: Option<Answer> = None;
            for layout in layouts(&self.base, offer, self.change_formats) {
                scenario.engine = self.base.engine.clone();
                layout.put(&mut scenario);
                let look = self.looks.look(&scenario);
                let Some(answer) = self.answer(self.next, layout, look) else {
                    continue;
                };
                self.found.judged += 1;
                if keep_all {
                    self.found.all.push(answer.clone());
                }
                if best
                    .as_ref()
                    .is_none_or(|best| self.goal.order(&answer, best).is_lt())
                {
                    best = Some(answer);
                }
            }
            self.found.best.extend(best);
            self.next += 1;
        }
        tail.is_some() || self.next < self.offers.len()
    }

    /// Simulates the next answer that would be the first of its kind of GPU: the closed form ranks, since it knows every
    /// layout's middle at once, and what it ranks first is held against the percentile until one keeps it.
    fn check(&mut self, percentile: u32) -> bool {
        if self.checked.0 == 0 {
            self.goal.rank(&mut self.found.all);
        }
        let like = |a: &Answer, b: &Answer| {
            let both = self.offers.get(a.offer).zip(self.offers.get(b.offer));
            both.is_some_and(|(a, b)| a.is_like(b))
        };
        let all = &mut self.found.all;
        while let Some(answer) = all.get(self.checked.0).filter(|answer| answer.serves()) {
            let (at, runs, kept) = &mut self.checked;
            let known = kept
                .iter()
                .any(|kept| all.get(*kept).is_some_and(|kept| like(kept, answer)));
            if *runs == RUNS {
                return false;
            }
            *at += 1;
            if known {
                continue;
            }
            *runs += 1;
            let mut scenario = self.base.clone();
            if let Some(offer) = self.offers.get(answer.offer) {
                scenario.hardware = offer.hardware();
            }
            answer.layout.put(&mut scenario);
            let tail = tail(&scenario, percentile);
            if let Some(answer) = all.get_mut(*at - 1) {
                answer.keeps_limits = self.goal.slo.is_kept(tail.map(|tail| tail.times_ms));
                answer.tail = tail;
                if answer.keeps_limits {
                    kept.push(*at - 1);
                }
            }
            return true;
        }
        false
    }

    /// What was found, ranked.
    pub fn finish(mut self) -> Found {
        self.goal.rank(&mut self.found.all);
        if self.goal.slo.tail().is_some() {
            // Simulations have put others first.
            let mut seen = vec![false; self.offers.len()];
            let first = |answer: &&Answer| {
                !seen
                    .get_mut(answer.offer)
                    .is_none_or(|seen| std::mem::replace(seen, true))
            };
            self.found.best = self.found.all.iter().filter(first).cloned().collect();
        }
        self.goal.rank(&mut self.found.best);
        self.found
    }

    /// What a layout of one of the offers comes to, whether or not the search would try it.
    pub fn judge(&mut self, offer: usize, layout: Layout) -> Option<Answer> {
        let mut trial = self.base.clone();
        self.at(&mut trial, offer, layout)
    }

    /// All layouts of an offer.
    pub(super) fn layouts(&self, offer: usize) -> Vec<Layout> {
        let layouts = |offer| layouts(&self.base, offer, self.change_formats);
        self.offers.get(offer).map_or_else(Vec::new, layouts)
    }

    /// A layout with the load of `trial`, which becomes it.
    pub(super) fn at(&mut self, trial: &mut Scenario, offer: usize, layout: Layout) -> Option<Answer> {
        trial.hardware = self.offers.get(offer)?.hardware();
        trial.engine = self.base.engine.clone();
        layout.put(trial);
        let look = self.looks.look(trial);
        self.answer(offer, layout, look)
    }

    /// All of it at once.
    pub fn run(mut self, keep_all: bool) -> Found {
        while self.step(usize::MAX, keep_all) {}
        self.finish()
    }

    fn answer(&self, at: usize, layout: Layout, look: Look) -> Option<Answer> {
        let offer = self.offers.get(at)?;
        let speed: Option<Speed> = look.performance.map(Into::into);
        let price_per_hour = offer
            .price
            .map(|price: Price| price.value() * f64::from(offer.total_gpus()));
        let cost_per_million = price_per_hour.zip(speed.as_ref()).and_then(|(price, speed)| {
            let rate = speed.output_tok_per_s.estimate;
            (rate > 0.0).then(|| price / (rate * 3600.0) * real(1_000_000))
        });
        Some(Answer {
            offer: at,
            total_gpus: offer.total_gpus(),
            layout,
            outcome: look.outcome,
            reason: look.reason,
            shortfall_bytes: look.shortfall_bytes,
            max_model_len: look.max_model_len,
            tail: None,
            keeps_limits: self.goal.slo.is_kept(speed.as_ref().map(Speed::times)),
            speed,
            price_per_hour,
            cost_per_million,
        })
    }
}

/// What so many of a hundred requests keep.
pub(super) fn tail(scenario: &Scenario, percentile: u32) -> Option<Tail> {
    let course = Course {
        requests: plan::requests(&scenario.workload).clamp(100, 300),
        spread: SPREAD,
        seed: 1,
    };
    let run = plan::simulate(scenario, course)?;
    Some(Tail {
        percentile,
        times_ms: [run.ttft, run.tpot, run.end_to_end].map(|times| times.at(percentile) * 1e3),
        requests: run.requests,
    })
}
