//! An existing command held against the one that the plan would write: line by line what it says, what of it counts, and
//! what would be better.
//!
//! Better is: what the command leaves out chosen for the load, no flag that this vLLM refuses, and, where it does not fit
//! even so, the cheapest of the plan's own remedies that keeps to the GPUs that are there.
use super::{argv::serve_args, quote::shell_word};
use crate::{
    command::{Given, modelled},
    engine::{FlagTable, SetBy, extras},
    plan::{Defaults, Outcome, Plan, Scenario, evaluate},
};

/// Remedies that are taken one after the other.
const STEPS: usize = 3;

/// Flags that vLLM may refuse with this model and GPU, and does well without.
const DISPENSABLE: [&str; 7] = [
    "max_model_len",
    "tensor_parallel_size",
    "max_num_batched_tokens",
    "kv_cache_dtype",
    "block_size",
    "quantization",
    "dtype",
];

/// Whether a line is in both commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// In both.
    Same,
    /// Only in the one that is there.
    Removed,
    /// Only in the better one.
    Added,
}

impl Mark {
    /// What stands before the line.
    pub const fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
    }
}

/// One line of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it is.
    pub mark: Mark,
    /// As it is typed.
    pub words: String,
    /// What it means, or why it is there or should not be; nothing where the words say all.
    pub why: String,
}

/// A command, and what would be better.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Both commands.
    pub lines: Vec<Line>,
    /// The plan of the better one, where there is one.
    pub better: Option<Plan>,
}

/// Holds a command against what would be better. `plan` is the command's own, with vLLM's defaults for what it leaves out.
pub fn review(given: &[Given], plan: &Plan) -> Review {
    let (better, reasons) = better(plan);
    let lines = lines(given, plan, &better, &reasons);
    let changes = lines.iter().any(|line| line.mark != Mark::Same);
    Review {
        lines,
        better: changes.then_some(better),
    }
}

/// Fields that were changed, with the reason.
type Reasons = Vec<(String, String)>;

fn better(plan: &Plan) -> (Plan, Reasons) {
    let mut scenario = plan.scenario.clone();
    scenario.defaults = Defaults::Recommended;
    let table = FlagTable::of(scenario.vllm_version);
    scenario
        .engine
        .vllm_args
        .retain(|(flag, _)| table.find(flag).is_some());
    let mut reasons = Reasons::new();
    let mut best = evaluate(&scenario);
    if best.verdict.outcome == Outcome::Unsupported
        && let Some((id, without)) = accepted(&best.scenario)
    {
        reasons.push((id.to_owned(), best.verdict.reason));
        best = without;
    }
    for _ in 0..STEPS {
        if best.verdict.outcome == Outcome::Fits {
            break;
        }
        let flags = |(id, _): &(String, String)| crate::engine::EngineArgs::ids().contains(&id.as_str());
        let remedies = || {
            best.verdict
                .remedies
                .iter()
                .filter(|remedy| remedy.change.iter().all(flags))
        };
        let fitting = remedies().find(|remedy| remedy.outcome == Outcome::Fits);
        let Some(remedy) = fitting.or_else(|| remedies().next()) else {
            break;
        };
        let mut scenario = best.scenario.clone();
        for (id, value) in &remedy.change {
            if scenario.set(id, value).is_ok() {
                reasons.push((id.clone(), format!("With it: {}.", remedy.effect)));
            }
        }
        best = evaluate(&scenario);
    }
    (best, reasons)
}

/// The scenario without the one flag that vLLM refuses it for.
fn accepted(scenario: &Scenario) -> Option<(&'static str, Plan)> {
    DISPENSABLE.into_iter().find_map(|id| {
        scenario.get(id)?;
        let mut without = scenario.clone();
        without.set(id, "").ok()?;
        let plan = evaluate(&without);
        (plan.verdict.outcome != Outcome::Unsupported).then_some((id, plan))
    })
}

fn lines(given: &[Given], plan: &Plan, better: &Plan, reasons: &Reasons) -> Vec<Line> {
    let table = FlagTable::of(plan.scenario.vllm_version);
    let base = |flag: &str| {
        table.find(flag).map_or_else(
            || flag.to_owned(),
            |found| format!("{}{}", found.flag.flag, found.dotted),
        )
    };
    let reason = |id: &str| {
        let found = reasons.iter().rfind(|(changed, _)| changed == id);
        found.map(|(_, why)| why.clone())
    };
    let rows = better.arg_rows();
    let mut added: Vec<(String, Line)> = serve_args(better)
        .into_iter()
        .filter_map(|arg| {
            let flag = base(arg.flag.as_deref()?);
            let id = modelled(&flag)?;
            let chosen = rows
                .iter()
                .any(|row| row.id == id && row.set_by != SetBy::VllmDefault);
            let is_given = given.iter().any(|given| base(&given.flag) == flag);
            let new = if is_given {
                plan.scenario.get(id) != better.scenario.get(id)
            } else {
                chosen
            };
            let words = quoted(&arg.words());
            let why = reason(id).filter(|_| better.scenario.get(id).is_some());
            let line = Line {
                mark: Mark::Added,
                words,
                why: why.unwrap_or(arg.why),
            };
            new.then_some((flag, line))
        })
        .collect();
    let mut lines = vec![Line {
        mark: Mark::Same,
        words: format!("vllm serve {}", shell_word(&plan.scenario.model.id)),
        why: String::new(),
    }];
    for given in given {
        let flag = base(&given.flag);
        let words = quoted(&given.words);
        let at = added.iter().position(|(new, _)| *new == flag);
        let id = modelled(&flag);
        let refused = table.find(&given.flag).is_none();
        let gone = id.is_some_and(|id| plan.scenario.get(id) != better.scenario.get(id));
        let mark = if refused || gone {
            Mark::Removed
        } else {
            Mark::Same
        };
        let why = match id.and_then(reason).filter(|_| gone && at.is_none()) {
            Some(why) => why,
            None if refused => {
                let error = table.unknown(&given.flag);
                format!("{}.", error.problem)
            }
            None => meaning(plan, id, &given.flag, &given.words),
        };
        lines.push(Line { mark, words, why });
        if let Some(at) = at {
            lines.push(added.remove(at).1);
        }
    }
    lines.extend(added.into_iter().map(|(_, line)| line));
    lines
}

fn quoted<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<String> = words.iter().map(|word| shell_word(word.as_ref())).collect();
    words.join(" ")
}

/// What a given flag comes to.
fn meaning(plan: &Plan, id: Option<&str>, flag: &str, words: &[String]) -> String {
    let Some(id) = id else {
        let counts = flag == "--revision" || extras::reads(flag);
        return if counts { "" } else { "Kept; not modelled." }.to_owned();
    };
    let rows = plan.arg_rows();
    let value = rows.iter().find(|row| row.id == id).map(|row| row.value.as_str());
    let written = words.last().map(|last| last.rsplit('=').next().unwrap_or(last));
    match value {
        Some(value) if !matches!(value, "true" | "false") && written != Some(value) => {
            format!("Counts as {value}.")
        }
        _ => String::new(),
    }
}
