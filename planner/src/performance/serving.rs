//! Many requests at once, as vLLM schedules them: a closed form for the steady state.
//!
//! Sequences that decode come first in each step; what is left of max_num_batched_tokens goes to prompts
//! (`vllm/v1/core/sched/scheduler.py: schedule`). Each request brings one prompt and then decodes, so the time that
//! prompts take is shared by all who decode meanwhile.
use super::{
    chance::logarithm,
    constants,
    step::{Batch, Engine, StepTime},
};

/// How requests arrive at one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// So many at once: the next comes when one is done.
    Closed {
        /// At once.
        sequences: f64,
        /// In all.
        requests: f64,
    },
    /// So many each second, by chance.
    Open {
        /// Each second.
        rate: f64,
        /// The shape of the gamma distribution that the gaps have: 1 is Poisson's, less comes in bursts.
        burstiness: f64,
        /// In all.
        requests: f64,
    },
}

/// What each request asks, in tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// Of its prompt.
    pub prompt: f64,
    /// Of its answer; none where the model pools.
    pub generated: f64,
    /// Of its prompt, found in the prefix cache.
    pub found: f64,
    /// How far the lengths of prompts spread: the square of their deviation over the square of their mean.
    pub variation: f64,
}

impl Request {
    /// It wants a vector or a class.
    pub(super) fn pools(&self) -> bool {
        self.generated < 1.0
    }

    /// What tokens per second count: those of the answer, or of the prompt where there is none.
    pub fn counted(&self) -> f64 {
        if self.pools() { self.prompt } else { self.generated }
    }

    /// Tokens of the prompt that are computed.
    pub(super) fn computed(&self) -> f64 {
        (self.prompt - self.found).max(1.0)
    }
}

/// What a replica can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests of this length that the KV cache holds.
    pub cached: f64,
    /// max_num_seqs.
    pub max_num_seqs: f64,
    /// max_num_batched_tokens.
    pub max_num_batched_tokens: f64,
}

impl Limits {
    /// Sequences that run in the KV cache: blocks come with the tokens (`vllm/v1/core/kv_cache_manager.py:
    /// allocate_slots`), so that on average half of an answer is there.
    pub(super) fn in_cache(
        &self,
        Request {
            prompt, generated, ..
        }: Request,
    ) -> f64 {
        self.cached * (prompt + generated) / (prompt + generated / 2.0)
    }
}

/// The steady state, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// To the first token.
    pub ttft: f64,
    /// Between tokens after the first.
    pub tpot: f64,
    /// Requests done each second, while it goes on.
    pub requests: f64,
    /// The same of a run from its first request to the end of its last.
    pub in_run: f64,
    /// Sequences that run at once.
    pub running: f64,
    /// More requests at once than can run: they queue.
    pub queues: bool,
    /// Requests come faster than they can be done: the queue grows to the end, and `ttft` is in the middle.
    pub overloaded: bool,
    /// Where the time of an average step goes.
    pub step: StepTime,
}

/// What keeps more sequences from running at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The KV cache.
    KvCache,
    /// max_num_seqs.
    MaxNumSeqs,
    /// max_num_batched_tokens.
    Budget,
}

impl Limit {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::KvCache => "the KV cache is full",
            Self::MaxNumSeqs => "max_num_seqs is reached",
            Self::Budget => "max_num_batched_tokens is reached",
        }
    }
}

/// The most that one replica does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    /// Sequences that run at once.
    pub running: f64,
    /// Requests done each second.
    pub requests: f64,
    /// Why no more run.
    pub limit: Limit,
}

/// The most that one replica does.
pub fn ceiling(engine: &Engine, request: Request, limits: Limits) -> Ceiling {
    let serving = Serving {
        engine,
        request,
        limits,
    };
    let running = serving.most();
    Ceiling {
        running,
        requests: serving.busy().requests,
        limit: if running >= limits.in_cache(request) {
            Limit::KvCache
        } else if running >= limits.max_num_seqs {
            Limit::MaxNumSeqs
        } else {
            Limit::Budget
        },
    }
}

/// How often the halving below is done: to a hundredth of a sequence of a thousand.
const HALVINGS: u32 = 16;

/// More sequences than any server takes.
const BUSY: f64 = 1.0e6;

struct Serving<'a> {
    engine: &'a Engine,
    request: Request,
    limits: Limits,
}

/// The steady state of one replica.
pub fn steady(engine: &Engine, request: Request, arrivals: Arrivals, limits: Limits) -> Steady {
    let serving = Serving {
        engine,
        request,
        limits,
    };
    match arrivals {
        Arrivals::Closed { sequences, requests } => serving.closed(sequences, requests.max(sequences)),
        Arrivals::Open {
            rate,
            requests,
            burstiness,
        } => serving.open(rate, requests, burstiness),
    }
}

impl Serving<'_> {
    /// The most sequences that run at once.
    fn most(&self) -> f64 {
        // A full step holds so many that decode beside the prompts that replace them, or so many prompts.
        let each = if self.request.pools() {
            self.request.computed()
        } else {
            self.engine.verified() + self.request.computed() / self.steps()
        };
        let replaced = self.limits.max_num_batched_tokens / each;
        let most = self.limits.in_cache(self.request).min(self.limits.max_num_seqs);
        most.min(replaced).max(1.0)
    }

    /// Steps that an answer takes.
    fn steps(&self) -> f64 {
        self.request.generated / self.engine.gained()
    }

    fn decoding(&self, sequences: f64) -> Batch {
        Batch {
            sequences,
            context: self.request.prompt + self.request.generated / 2.0,
            ..Batch::default()
        }
    }

    /// Pieces that a prompt is cut into.
    fn pieces(&self) -> f64 {
        (self.request.computed() / self.limits.max_num_batched_tokens)
            .ceil()
            .max(1.0)
    }

    /// The steps that one prompt lies in, together, beside so many that decode.
    fn prompt(&self, beside: f64) -> StepTime {
        let decoding = self.decoding(beside);
        let step = |prompt: f64, before: f64| {
            self.engine.step(&Batch {
                prompt,
                behind: self.request.found + before,
                ..decoding
            })
        };
        let budget = self.limits.max_num_batched_tokens;
        let length = self.request.computed();
        let full = self.pieces() - 1.0;
        let last = step(length - full * budget, full * budget);
        if full < 1.0 {
            return last;
        }
        // The pieces grow with what is behind them, in a straight line: the first and the last full one say it all.
        let (first, longest) = (step(budget, 0.0), step(budget, (full - 1.0) * budget));
        last.plus(full / 2.0, first).plus(full / 2.0, longest)
    }

    /// What one prompt takes of full steps that hold nothing but prompts.
    fn prompt_in_bulk(&self) -> f64 {
        let budget = self.limits.max_num_batched_tokens;
        let batch = Batch {
            prompt: budget,
            // On average a token looks back to the middle of its own prompt, however many share the step.
            behind: self.request.found + (self.request.computed() - budget) / 2.0,
            ..Batch::default()
        };
        self.engine.step(&batch).total() * self.request.computed() / budget
    }

    /// The average step of so many sequences, while each brings a prompt of which so many are counted: the others' for
    /// the time between two tokens of one, all of them for where the time goes.
    fn average(&self, running: f64, prompts: f64) -> StepTime {
        let (prompt, steps) = (self.request.computed(), self.steps());
        let budget = self.limits.max_num_batched_tokens;
        let decoding = self.decoding(running);
        let alone = self.engine.step(&decoding);
        // Of the steps, so many have a part of a prompt.
        let share = prompts * self.pieces() / steps;
        let average = if share < 1.0 {
            let (without, with) = (1.0 - share, prompts / steps);
            StepTime::default()
                .plus(without, alone)
                .plus(with, self.prompt(running))
        } else {
            self.engine.step(&Batch {
                prompt: (prompts * prompt / steps).min(budget),
                behind: self.request.found + (self.pieces() - 1.0) / 2.0 * budget,
                ..decoding
            })
        };
        if average.total() < alone.total() {
            alone
        } else {
            average
        }
    }

    /// With more requests than it can take.
    fn busy(&self) -> Steady {
        self.closed(BUSY, BUSY * BUSY)
    }

    /// A step of so many prompts that wants no answer; a long one takes several of its own.
    fn pooling(&self, prompts: f64) -> StepTime {
        if self.pieces() > 1.0 {
            return self.prompt(0.0);
        }
        let tokens = prompts * self.request.computed();
        self.engine.step(&Batch {
            prompt: tokens,
            behind: self.request.found + (self.request.computed() - tokens) / 2.0,
            ..Batch::default()
        })
    }

    /// Prompts alone, each done with the step that it lies in: all that wait go into the next one.
    fn pooled(&self, sequences: f64) -> Steady {
        let running = sequences.min(self.most()).max(1.0);
        let step = self.pooling(running);
        let requests = (sequences / (constants::REQUEST + step.total())).min(running / step.total());
        Steady {
            ttft: sequences / requests,
            tpot: 0.0,
            requests,
            in_run: requests,
            running,
            queues: sequences > running,
            overloaded: false,
            step,
        }
    }

    /// The same at a rate: a step takes what came during the one before.
    fn pooled_at(&self, rate: f64, requests: f64, burstiness: f64) -> Steady {
        let full = self.busy();
        let served = rate.min(full.requests);
        let (mut low, mut running) = (1.0, full.running);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, running);
            if served * self.pooling(middle).total() > middle {
                low = middle;
            } else {
                running = middle;
            }
        }
        let step = self.pooling(running);
        let time = step.total();
        let unsteady = 1.0 / burstiness + self.request.variation;
        let waits = unsteady * (served * time / running).min(1.0) * time / 2.0;
        let behind = requests / 2.0 * (1.0 / served - 1.0 / rate);
        let ttft = constants::REQUEST + time + waits + behind;
        Steady {
            ttft,
            requests: served,
            in_run: requests / (requests / served + ttft - behind),
            running,
            queues: false,
            overloaded: served < rate,
            step,
            ..full
        }
    }

    fn closed(&self, sequences: f64, requests: f64) -> Steady {
        if self.request.pools() {
            return self.pooled(sequences);
        }
        let generated = self.request.generated;
        let most = self.most();
        let queues = sequences > most;
        let running = sequences.min(most).max(1.0);
        let others = running - 1.0;
        // Of the run so much is the first wave, which comes at once, beyond a half.
        let burst = (1.0 - requests / 2.0 / sequences).max(0.0);
        let alone = self.engine.step(&self.decoding(running)).total();
        let full = self.average(running, others).total();
        // The one in the middle of a run has half of all prompts behind it when it begins to decode, and no more.
        let tpot = if others <= requests / 2.0 {
            full
        } else {
            self.average(running, requests / 2.0).total()
        };
        let whole = self.prompt(others).total();
        let bulk = self.prompt_in_bulk();
        let load = (1.0 - alone / full).min(0.9);
        let undisturbed = constants::REQUEST
            + alone / 2.0
            + whole
            + constants::QUEUE_WAIT * load / (1.0 - load) * bulk / 2.0;
        let in_loop = undisturbed + constants::LOOP_WAIT * others * bulk;
        let mut ttft = in_loop.max(undisturbed + constants::BURST_WAIT * burst * others * bulk);
        let gained = self.engine.gained();
        let decode = (generated - 1.0).max(0.0) * full / gained;
        let mut rate = sequences / (in_loop + decode);
        if queues {
            rate = rate.min(running / (whole + decode));
            // The middle of the run: still in the first wave, which comes in as others leave, or behind it, where the
            // next prompt is already there when one is done.
            let middle = requests / 2.0;
            let waits = if middle < sequences - running {
                middle / rate
            } else if middle < requests - running {
                sequences / rate - decode
            } else {
                (sequences - middle) / rate
            };
            ttft = ttft.max(waits);
        }
        Steady {
            ttft,
            tpot: tpot / gained,
            requests: rate,
            in_run: rate,
            running,
            queues,
            overloaded: false,
            step: self.average(running, running),
        }
    }

    fn open(&self, rate: f64, requests: f64, burstiness: f64) -> Steady {
        if self.request.pools() {
            return self.pooled_at(rate, requests, burstiness);
        }
        let rest = (self.request.generated - 1.0).max(0.0);
        let gained = self.engine.gained();
        // As Kingman has it: gaps and lengths that spread make the queue longer. 1 for Poisson's gaps and equal lengths.
        let unsteady = 1.0 / burstiness + self.request.variation;
        let full = self.busy();
        let most = rate.min(full.requests);
        // Times to the first token and between tokens, of so many that run; and how fast a run of that length is done:
        // it ends when its last request does, so that short ones never fill up, and none is done faster than can be.
        let at = |running: f64| {
            let alone = self.engine.step(&self.decoding(running.max(1.0))).total();
            let whole = self.prompt((running - 1.0).max(0.0)).total();
            let added = (whole - self.pieces() * alone).max(0.0);
            let times = |rate: f64| {
                let load = (rate * added).min(0.9);
                let waits = unsteady * constants::QUEUE_WAIT * load / (1.0 - load) * added / 2.0;
                (
                    constants::REQUEST + alone / 2.0 + whole + waits,
                    alone / (1.0 - load) / gained,
                )
            };
            // A slower run waits less, which makes it faster: in between both agree, so that more load is never faster.
            let (mut slow, mut fast) = (0.0, most);
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(slow, fast);
                let (ttft, tpot) = times(middle);
                if middle * (requests / rate + ttft + rest * tpot) < requests {
                    slow = middle;
                } else {
                    fast = middle;
                }
            }
            let (ttft, tpot) = times(fast);
            (times(rate).0, tpot, fast * (ttft + rest * tpot), alone / gained)
        };
        // As many run as arrive while one runs.
        let (mut low, mut high) = (0.0, self.most());
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if at(middle).2 > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (mut ttft, tpot, _, alone) = at(high);
        let stay = ttft + rest * tpot;
        // Behind the last request no prompts come between the tokens.
        let last = rest
            * (constants::LONGEST_ANSWER - 1.0)
            * (self.engine.step(&self.decoding(1.0)).total() / gained + alone)
            / 2.0;
        let run = |each: f64| requests / (requests * each + stay + last);
        let overloaded = full.requests < rate;
        if !overloaded {
            return Steady {
                ttft,
                tpot,
                requests: rate,
                in_run: run(1.0 / rate),
                running: high,
                queues: false,
                overloaded,
                step: self.average(high, high),
            };
        }
        // Until the first has to wait, so many came: those under way grow to what can run as towards a limit.
        let unhindered = -rate * full.running / full.requests * logarithm(1.0 - full.requests / rate);
        let behind = (requests / 2.0 - unhindered).max(0.0) * (1.0 / full.requests - 1.0 / rate);
        // Or for prompts alone.
        let prompts = requests / 2.0 * (self.prompt_in_bulk() - 1.0 / rate);
        ttft += behind.max(prompts);
        Steady {
            ttft,
            tpot,
            in_run: run(1.0 / full.requests),
            overloaded,
            ..full
        }
    }
}
