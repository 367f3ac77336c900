//! What else the GPUs of a fleet could do, with the arithmetic that speaks for it or against it: larger tensor parallel
//! sizes, copies side by side, and prompts and answers on GPUs of their own.
use super::{
    Fleet, Goal, Offer, Slo,
    fleet::{Counted, Fleets, fleet_on},
};
use crate::{
    plan::{Scenario, evaluate, figure},
    units::{Bytes, real},
};
use std::fmt::Write as _;

/// One way that was not taken, or could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// `larger_tensor_parallel`, `data_parallel` or `disaggregated_prefill`.
    pub id: &'static str,
    /// By the estimates it takes at least a fifth fewer GPUs.
    pub favoured: bool,
    /// GPUs that it takes; `None` where it does not serve.
    pub total_gpus: Option<u64>,
    /// What it comes to beside the fleet, as a sentence.
    pub reason: String,
}

/// Bytes a second at which one GPU's part of a cache moves to another: a port of 200 Gbit/s for each. Assumed.
const TRANSFER: f64 = 25.0e9;

/// Thousandths of a prompt that are there already where its cache was computed elsewhere: the most that a field takes.
const CACHED: u32 = 999;

/// Other ways to serve what a fleet serves, on its kind of GPU; under way, in slices.
#[derive(Debug)]
pub struct Ways {
    first: Fleet,
    /// Of its kind of GPU.
    offers: Vec<Offer>,
    goal: Goal,
    /// Tokens of an answer.
    generated: u32,
    /// The cache of one prompt on one GPU and the seconds in which it moves, where prompts may stand apart.
    moved: Option<(Bytes, f64)>,
    /// Of the load, of its prompts alone, of its answers alone.
    counts: Vec<Fleets>,
}

impl Ways {
    /// Beside `first`.
    pub fn new(scenario: &Scenario, offers: &[Offer], goal: &Goal, first: &Fleet, counted: &Counted) -> Self {
        let own = offers.get(first.replica.offer);
        let offers: Vec<Offer> = offers
            .iter()
            .filter(|offer| own.is_some_and(|own| offer.is_like(own)))
            .cloned()
            .collect();
        let mut counts = vec![Fleets::new(scenario, &offers, goal, counted)];
        let moved = transfer(scenario, first);
        let apart = moved.and_then(|(_, seconds)| apart(scenario, goal, seconds));
        let moved = moved.filter(|_| apart.is_some());
        for (scenario, goal) in apart.into_iter().flatten() {
            counts.push(Fleets::new(&scenario, &offers, &goal, counted));
        }
        Self {
            first: first.clone(),
            offers,
            goal: *goal,
            generated: scenario.workload.generated(),
            moved,
            counts,
        }
    }

    /// Judges one more layout; false when none are left.
    pub fn step(&mut self) -> bool {
        self.counts.iter_mut().any(Fleets::estimate)
    }

    /// What they come to.
    pub fn finish(self) -> Vec<Way> {
        let (first, offers) = (&self.first, &self.offers);
        let mut counts = self.counts.into_iter().map(Fleets::all);
        let all = counts.next().unwrap_or_default();
        // What `first` is before a simulation, which the others have not been through.
        let same = |fleet: &&Fleet| {
            fleet.replica.layout == first.replica.layout
                && fleet.replica.total_gpus == first.replica.total_gpus
        };
        let first = all.iter().find(same).unwrap_or(first);
        let tp = |fleet: &Fleet| fleet.replica.layout.tensor_parallel_size;
        let dp = |fleet: &Fleet| fleet.replica.layout.data_parallel_size;
        let wider = all.iter().find(|other| tp(other) > tp(first));
        let copies = all
            .iter()
            .find(|other| tp(other) < tp(first) || (tp(other) == tp(first) && dp(other) > dp(first)));
        let mut ways = Vec::new();
        if let Some(wider) = wider {
            ways.push(beside(
                "larger_tensor_parallel",
                "Larger tensor parallel",
                offers,
                first,
                wider,
            ));
        }
        match copies {
            Some(copies) => ways.push(beside("data_parallel", "More copies instead", offers, first, copies)),
            None if tp(first) > 1 => ways.push(Way {
                id: "data_parallel",
                favoured: false,
                total_gpus: None,
                reason: format!(
                    "More copies instead: with less than TP {} no layout of this GPU serves a request within the limits.",
                    tp(first)
                ),
            }),
            None => {}
        }
        if let (Some(moved), Some(prompts), Some(answers)) = (self.moved, counts.next(), counts.next())
            && let (Some(prompts), Some(answers)) = (prompts.first(), answers.first())
        {
            let pools = (prompts, answers, first);
            ways.extend(disaggregated(self.generated, offers, &self.goal, pools, moved));
        }
        ways
    }
}

/// Other ways to serve what `first` serves, on its kind of GPU.
pub fn ways(
    scenario: &Scenario,
    offers: &[Offer],
    goal: &Goal,
    first: &Fleet,
    counted: &Counted,
) -> Vec<Way> {
    let mut ways = Ways::new(scenario, offers, goal, first, counted);
    while ways.step() {}
    ways.finish()
}

fn named(offers: &[Offer], fleet: &Fleet) -> String {
    let offer = offers.get(fleet.replica.offer).map(ToString::to_string);
    format!("{} on {}", fleet.replica.layout, offer.unwrap_or_default())
}

/// At least a fifth fewer: what is less may be the estimates'.
fn is_clear(gpus: u64, than: u64) -> bool {
    gpus * 5 <= than * 4
}

/// Requests a second of one replica, in words.
fn rate(fleet: &Fleet) -> String {
    figure(real(fleet.capacity_milli) / 1000.0)
}

fn beside(id: &'static str, title: &str, offers: &[Offer], first: &Fleet, other: &Fleet) -> Way {
    let each = |fleet: &Fleet| {
        figure(real(fleet.capacity_milli) / 1000.0 / f64::from(fleet.replica.total_gpus.max(1)))
    };
    let tpot = |fleet: &Fleet| Some(figure(fleet.replica.speed?.tpot_ms?.estimate));
    let mut reason = format!(
        "{title}, {}: {} requests a second on each GPU against {}, so {} GPUs instead of {}",
        named(offers, other),
        each(other),
        each(first),
        other.total_gpus,
        first.total_gpus
    );
    if let (Some(other), Some(first)) = (tpot(other), tpot(first)) {
        let _ = write!(
            reason,
            "; a token every {other} ms instead of {first} at these rates"
        );
    }
    reason.push('.');
    Way {
        id,
        favoured: is_clear(other.total_gpus, first.total_gpus),
        total_gpus: Some(other.total_gpus),
        reason,
    }
}

/// Whether routing by prefix saves replicas: each has a prefix cache of its own, and where requests are spread evenly what
/// one has seen is met there again by one of so many.
pub fn routing(
    scenario: &Scenario,
    offers: &[Offer],
    goal: &Goal,
    first: &Fleet,
    counted: &Counted,
) -> Option<String> {
    let share = scenario.workload.shape.prefix_cache_hit_rate?;
    let sizes = first.replica.layout;
    let caches = first.replicas * u64::from(sizes.data_parallel_size);
    let offer = offers.get(first.replica.offer)?;
    let mut spread = scenario.clone();
    let left = u64::from(share) / caches.max(1);
    spread.workload.shape.prefix_cache_hit_rate = u32::try_from(left).ok();
    let replicas = fleet_on(&spread, offer, sizes, goal, counted)?.replicas;
    (replicas > first.replicas).then(|| {
        format!(
            "Route by prefix (production-stack: routingLogic prefixaware): where requests are spread evenly over {caches} prefix caches and a prefix comes back once, {:.1} % of prompts is found instead of {:.1} %, and the load takes {replicas} replicas instead of {}.",
            real(left) / 10.0,
            f64::from(share) / 10.0,
            first.replicas
        )
    })
}

/// Prompts on some replicas, answers on others: each is sized for its own limit. A replica that answers finds the
/// prompt's cache; one that computes prompts is done with the first token.
fn apart(scenario: &Scenario, goal: &Goal, seconds: f64) -> Option<[(Scenario, Goal); 2]> {
    let load = &scenario.workload;
    if load.generated() < 2 || !load.shape.trace.is_empty() {
        return None;
    }
    let slo = goal.slo;
    let [mut prompts, mut answers] = [scenario.clone(), scenario.clone()];
    prompts.workload.gen_tokens = 1;
    prompts.workload.shape.gen_p95 = None;
    answers.workload.shape.prefix_cache_hit_rate = Some(CACHED);
    let left = |limit: u32| f64::from(limit) - seconds * 1e3;
    let ttft_ms = match slo.ttft_ms {
        Some(limit) if left(limit) < 1.0 => return None,
        // Whole and above zero.
        Some(limit) => Some((1..=limit).rev().find(|ms| f64::from(*ms) <= left(limit))?),
        None => None,
    };
    let only = |ttft_ms, tpot_ms| Goal {
        slo: Slo {
            ttft_ms,
            tpot_ms,
            end_to_end_ms: None,
            ..slo
        },
        ..*goal
    };
    Some([(prompts, only(ttft_ms, None)), (answers, only(None, slo.tpot_ms))])
}

/// What that comes to, with the best replicas for prompts and for answers.
fn disaggregated(
    generated: u32,
    offers: &[Offer],
    goal: &Goal,
    (prompts, answers, first): (&Fleet, &Fleet, &Fleet),
    (moved, seconds): (Bytes, f64),
) -> Option<Way> {
    let (to_first, between) = (
        prompts.replica.speed?.ttft_ms.estimate,
        answers.replica.speed?.tpot_ms?.estimate,
    );
    let whole = to_first + seconds * 1e3 + between * f64::from(generated.saturating_sub(1));
    if goal
        .slo
        .end_to_end_ms
        .is_some_and(|limit| whole > f64::from(limit))
    {
        return None;
    }
    let total = prompts.total_gpus + answers.total_gpus;
    let favoured = is_clear(total, first.total_gpus);
    let pool = |fleet: &Fleet, of: &str| {
        format!(
            "{} replicas of {} for {of} ({} requests a second each)",
            fleet.replicas,
            named(offers, fleet),
            rate(fleet)
        )
    };
    let sizes = format!("{}, {}", pool(prompts, "prompts"), pool(answers, "answers"));
    let without = first.total_gpus;
    let reason = if favoured {
        format!(
            "Disaggregated prefill would take {total} GPUs instead of {without}: {sizes}. Prompts no longer hold up answers. A prompt's cache, {moved} on each GPU, moves in {} ms at 25 GB/s (assumed). vLLM: --kv-transfer-config with NixlConnector, which the files here do not set up.",
            figure(seconds * 1e3)
        )
    } else if total < without {
        format!(
            "Disaggregated prefill would take {total} GPUs instead of {without}, less of a difference than the estimates can be off ({sizes})."
        )
    } else {
        format!("Disaggregated prefill does not pay: {total} GPUs, {without} are enough without ({sizes}).")
    };
    Some(Way {
        id: "disaggregated_prefill",
        favoured,
        total_gpus: Some(total),
        reason,
    })
}

/// The cache of one prompt on one GPU, and the seconds in which it moves.
fn transfer(scenario: &Scenario, first: &Fleet) -> Option<(Bytes, f64)> {
    let mut one = scenario.clone();
    first.replica.layout.put(&mut one);
    one.hardware.gpus = first.replica.total_gpus.max(1);
    one.workload.concurrency = 1;
    one.workload.gen_tokens = 1;
    let bytes = evaluate(&one).memory?.kv_cache_workload_bytes;
    Some((bytes, real(bytes.get()) / TRANSFER))
}
