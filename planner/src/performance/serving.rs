//! Many requests at once, as vLLM schedules them: a closed form for the steady state.
//!
//! Sequences that decode come first in each step; what is left of max_num_batched_tokens goes to prompts
//! (`vllm/v1/core/sched/scheduler.py: schedule`). Each request brings one prompt and then decodes, so the time that
//! prompts take is shared by all who decode meanwhile.
use super::{
    constants,
    step::{Batch, Engine, StepTime},
};

/// How requests arrive at one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// So many at once: the next comes when one is done.
    Closed(f64),
    /// So many each second, by chance.
    Open {
        /// Each second.
        rate: f64,
        /// In all, which matters only where they come faster than they are done.
        requests: f64,
    },
}

/// What each request asks, in tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// Of its prompt.
    pub prompt: f64,
    /// Of its answer.
    pub generated: f64,
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

/// The steady state, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// To the first token.
    pub ttft: f64,
    /// Between tokens after the first.
    pub tpot: f64,
    /// Requests done each second.
    pub requests: f64,
    /// Sequences that run at once.
    pub running: f64,
    /// More requests at once than can run: they queue.
    pub queues: bool,
    /// Requests come faster than they can be done: the queue grows to the end, and `ttft` is in the middle.
    pub overloaded: bool,
    /// Where the time of an average step goes.
    pub step: StepTime,
}

/// How often the halving below is done: to a millionth of a sequence.
const HALVINGS: u32 = 24;

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
        Arrivals::Closed(sequences) => serving.closed(sequences),
        Arrivals::Open { rate, requests } => serving.open(rate, requests),
    }
}

impl Serving<'_> {
    /// The most sequences that run at once.
    fn most(&self) -> f64 {
        let Request { prompt, generated } = self.request;
        // A full step holds so many that decode beside the prompts that replace them.
        let replaced = generated * self.limits.max_num_batched_tokens / (prompt + generated);
        let most = self.limits.cached.min(self.limits.max_num_seqs);
        most.min(replaced).max(1.0)
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
        (self.request.prompt / self.limits.max_num_batched_tokens)
            .ceil()
            .max(1.0)
    }

    /// The steps that one prompt lies in, together, beside so many that decode.
    fn prompt(&self, beside: f64) -> StepTime {
        let decoding = self.decoding(beside);
        let step = |prompt: f64, behind: f64| {
            self.engine.step(&Batch {
                prompt,
                behind,
                ..decoding
            })
        };
        let budget = self.limits.max_num_batched_tokens;
        let length = self.request.prompt;
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
            behind: (self.request.prompt - budget) / 2.0,
            ..Batch::default()
        };
        self.engine.step(&batch).total() * self.request.prompt / budget
    }

    /// The average step of so many sequences, while each brings a prompt of which so many are counted: the others' for
    /// the time between two tokens of one, all of them for where the time goes.
    fn average(&self, running: f64, prompts: f64) -> StepTime {
        let Request { prompt, generated } = self.request;
        let budget = self.limits.max_num_batched_tokens;
        let decoding = self.decoding(running);
        let alone = self.engine.step(&decoding);
        // Of the steps, so many have a part of a prompt.
        let share = prompts * self.pieces() / generated;
        let average = if share < 1.0 {
            let (without, with) = (1.0 - share, prompts / generated);
            StepTime::default()
                .plus(without, alone)
                .plus(with, self.prompt(running))
        } else {
            self.engine.step(&Batch {
                prompt: (prompts * prompt / generated).min(budget),
                behind: (self.pieces() - 1.0) / 2.0 * budget,
                ..decoding
            })
        };
        if average.total() < alone.total() {
            alone
        } else {
            average
        }
    }

    fn closed(&self, sequences: f64) -> Steady {
        let generated = self.request.generated;
        let running = sequences.min(self.most()).max(1.0);
        let others = running - 1.0;
        let alone = self.engine.step(&self.decoding(running)).total();
        let tpot = self.average(running, others).total();
        let whole = self.prompt(others).total();
        let bulk = self.prompt_in_bulk();
        let load = (1.0 - alone / tpot).min(0.9);
        let waits = constants::FIRST_WAVE * others * bulk + load / (1.0 - load) * bulk / 2.0;
        let mut ttft = constants::REQUEST + alone / 2.0 + whole + waits;
        let decode = (generated - 1.0).max(0.0) * tpot;
        let queues = sequences > running;
        if queues {
            // The next prompt is already there when one is done.
            ttft = ttft.max(sequences / running * (whole + decode) - decode);
        }
        let requests = sequences.max(1.0) / (ttft + decode);
        Steady {
            ttft,
            tpot,
            requests,
            running,
            queues,
            overloaded: false,
            step: self.average(running, running),
        }
    }

    fn open(&self, rate: f64, requests: f64) -> Steady {
        let generated = self.request.generated;
        let at = |running: f64| {
            let alone = self.engine.step(&self.decoding(running.max(1.0))).total();
            let whole = self.prompt((running - 1.0).max(0.0)).total();
            let added = (whole - self.pieces() * alone).max(0.0);
            let load = (rate * added).min(0.95);
            let tpot = alone / (1.0 - load);
            let ttft = constants::REQUEST + alone / 2.0 + whole + load / (1.0 - load) * added / 2.0;
            (ttft, tpot)
        };
        let full = self.closed(BUSY);
        if full.requests < rate {
            let before = requests / 2.0;
            // What holds up the one in the middle: the end of others where not all run at once, else their prompts.
            let each = if before > self.most() {
                1.0 / full.requests
            } else {
                self.prompt_in_bulk()
            };
            return Steady {
                ttft: at(self.most()).0 + before * (each - 1.0 / rate).max(0.0),
                overloaded: true,
                ..full
            };
        }
        // As many run as arrive while one runs.
        let (mut low, mut high) = (0.0, self.most());
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let (ttft, tpot) = at(middle);
            if rate * (ttft + (generated - 1.0).max(0.0) * tpot) > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (ttft, tpot) = at(high);
        Steady {
            ttft,
            tpot,
            requests: rate,
            running: high,
            queues: false,
            overloaded: false,
            step: self.average(high, high),
        }
    }
}
