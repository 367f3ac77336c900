//! What else the GPUs of a fleet could do, with the arithmetic that speaks for it or against it: larger tensor parallel
//! sizes, copies side by side, and prompts and answers on GPUs of their own.
use super::{
    Fleet, Goal, Offer, Slo,
    fleet::{Counted, each},
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

/// Other ways to serve what `first` serves, on its kind of GPU.
pub fn ways(
    scenario: &Scenario,
    offers: &[Offer],
    goal: &Goal,
    first: &Fleet,
    counted: &Counted,
) -> Vec<Way> {
    let Some(own) = offers.get(first.replica.offer) else {
        return Vec::new();
    };
    let offers: Vec<Offer> = offers
        .iter()
        .filter(|offer| offer.is_like(own))
        .cloned()
        .collect();
    let all = each(scenario, &offers, goal, counted);
    // What `first` is before a simulation, which the others have not been through.
    let same = |fleet: &&Fleet| {
        fleet.replica.layout == first.replica.layout && fleet.replica.total_gpus == first.replica.total_gpus
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
            &offers,
            first,
            wider,
        ));
    }
    match copies {
        Some(copies) => ways.push(beside("data_parallel", "More copies instead", &offers, first, copies)),
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
    ways.extend(apart(scenario, &offers, goal, first, counted));
    ways
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

/// Prompts on some replicas, answers on others: each is sized for its own limit. A replica that answers finds the
/// prompt's cache; one that computes prompts is done with the first token.
fn apart(
    scenario: &Scenario,
    offers: &[Offer],
    goal: &Goal,
    first: &Fleet,
    counted: &Counted,
) -> Option<Way> {
    let load = &scenario.workload;
    if load.generated() < 2 || !load.shape.trace.is_empty() {
        return None;
    }
    let (moved, seconds) = transfer(scenario, first)?;
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
    let prompts = each(&prompts, offers, &only(ttft_ms, None), counted)
        .into_iter()
        .next()?;
    let answers = each(&answers, offers, &only(None, slo.tpot_ms), counted)
        .into_iter()
        .next()?;
    let (to_first, between) = (
        prompts.replica.speed?.ttft_ms.estimate,
        answers.replica.speed?.tpot_ms?.estimate,
    );
    let whole = to_first + seconds * 1e3 + between * f64::from(load.generated() - 1);
    if slo.end_to_end_ms.is_some_and(|limit| whole > f64::from(limit)) {
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
    let sizes = format!("{}, {}", pool(&prompts, "prompts"), pool(&answers, "answers"));
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
