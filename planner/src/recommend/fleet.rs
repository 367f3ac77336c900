//! So many replicas for a rate of requests: what one carries within the limits, how many that takes, what it costs.
use super::{Answer, Goal, Layout, Objective, Offer, Search, Slo, Speed, Tail, search::tail};
use crate::{
    plan::{Looks, Plan, Scenario, figure, with_overrides},
    units::real,
};
use std::cmp::Ordering;

/// What comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Thousandths of a request each second, on average.
    pub average_milli: u64,
    /// The same at the busiest time.
    pub peak_milli: u64,
    /// Replicas that may fail while the rest carries the peak.
    pub spare: u32,
    /// How much of what it can carry a replica is given, in per cent: arrivals are uneven, and so are answers.
    pub load_percent: u32,
}

/// Replicas of one layout on one offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// One replica at the highest rate that it carries within the limits.
    pub replica: Answer,
    /// That rate, in thousandths of a request each second.
    pub capacity_milli: u64,
    /// Replicas for the average.
    pub for_average: u64,
    /// For the peak.
    pub for_peak: u64,
    /// For the peak with the spare ones: what is counted below.
    pub replicas: u64,
    /// GPUs in all.
    pub total_gpus: u64,
    /// Nodes that these fill, where a node has as many as the offer was made with.
    pub nodes: u64,
    /// Of all GPUs, for an hour.
    pub price_per_hour: Option<f64>,
    /// Of a million output tokens at the average rate.
    pub cost_per_million: Option<f64>,
    /// Of a million tokens, prompts and answers alike, at the average rate.
    pub cost_per_million_tokens: Option<f64>,
}

/// Hours of a month, as clouds count them.
pub const HOURS_PER_MONTH: f64 = 730.0;

impl Fleet {
    /// All GPUs for a month.
    pub fn price_per_month(&self) -> Option<f64> {
        Some(self.price_per_hour? * HOURS_PER_MONTH)
    }

    /// How many replicas carry what, in words.
    pub fn said(&self, demand: &Demand) -> String {
        let spare = u64::from(demand.spare);
        format!(
            "{} carry the average, {} the peak, {spare} may fail. Autoscaling between {} and {}; each is full at {} requests a second.",
            self.for_average,
            self.for_peak,
            self.for_average + spare,
            self.replicas,
            figure(real(self.capacity_milli) / 1000.0),
        )
    }

    /// The share of what all replicas carry that the average takes.
    pub fn utilization(&self, demand: &Demand) -> f64 {
        real(demand.average_milli) / (real(self.capacity_milli) * real(self.replicas.max(1)))
    }
}

/// Rates that are tried: each 2 % more than the one before, from a thousandth.
fn rates() -> Vec<u64> {
    let next = |rate: &u64| (*rate < 20_000_000).then(|| rate + (rate / 50).max(1));
    std::iter::successors(Some(1), next).collect()
}

/// What replicas are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What comes in.
    pub demand: Demand,
    /// GPUs that a node has.
    pub node: u32,
    /// FP8 weights and cache may be tried where the checkpoint has neither.
    pub change_formats: bool,
}

/// A count of replicas that is under way, in slices: a page works on between two.
#[derive(Debug)]
pub struct Fleets {
    search: Search,
    /// What is judged.
    trial: Scenario,
    counted: Counted,
    rates: Vec<u64>,
    /// Layouts that are left, each with its offer.
    left: Vec<(usize, Layout)>,
    /// The best first, once none are left.
    all: Vec<Fleet>,
    /// Fleets that were simulated, and how far the first is.
    simulated: (usize, Option<Halved>),
}

/// Rates from one to another are left, and the highest that was kept.
type Halved = (usize, usize, Option<(u64, Tail)>);

/// Fleets at most whose replicas are simulated.
const SIMULATED: usize = 8;

impl Fleets {
    /// Of all layouts of these offers.
    pub fn new(scenario: &Scenario, offers: &[Offer], goal: &Goal, counted: &Counted) -> Self {
        let search = Search::new(scenario, offers.to_vec(), *goal, counted.change_formats);
        let of = |offer| {
            search
                .layouts(offer)
                .into_iter()
                .map(move |layout| (offer, layout))
        };
        Self {
            left: (0..offers.len()).flat_map(of).collect(),
            trial: search.base.clone(),
            search,
            counted: *counted,
            rates: rates(),
            all: Vec::new(),
            simulated: (0, None),
        }
    }

    /// Judges the next layout by the estimate; false when none are left.
    pub(super) fn estimate(&mut self) -> bool {
        let Some((offer, layout)) = self.left.pop() else {
            return false;
        };
        let carried = self.carried(offer, layout);
        self.all.extend(carried);
        if self.left.is_empty() {
            self.rank();
        }
        true
    }

    /// Judges the next layout, and then simulates; false when nothing is left.
    pub fn step(&mut self) -> bool {
        self.estimate() || self.hold_percentile()
    }

    fn rank(&mut self) {
        let goal = self.search.goal;
        crate::order::sort(&mut self.all, |a, b| order(&goal, a, b));
    }

    fn at_rate(&mut self, offer: usize, layout: Layout, milli: u64) -> Option<Answer> {
        self.trial.workload.request_rate_milli = Some(milli);
        self.search.at(&mut self.trial, offer, layout)
    }

    /// A node has so many GPUs of the offer's kind.
    fn on(&self, offer: usize) -> Counted {
        let kinds = self.search.base.hardware.by_kind();
        let alone = self.search.offers().get(offer).filter(|offer| offer.leaves_out);
        let own = alone.and_then(|offer| kinds.iter().find(|(gpu, _)| **gpu == *offer.gpu));
        Counted {
            node: own.map_or(self.counted.node, |(_, gpus)| *gpus),
            ..self.counted
        }
    }

    /// At the highest rate that a layout carries within the limits.
    fn carried(&mut self, offer: usize, layout: Layout) -> Option<Fleet> {
        let rates = std::mem::take(&mut self.rates);
        let found = highest(&rates, |rate| {
            let answer = self.at_rate(offer, layout, rate)?;
            answer.speed.is_some().then_some(answer).filter(Answer::serves)
        });
        self.rates = rates;
        let (rate, replica) = found?;
        Some(fleet(&self.search.base, &self.on(offer), rate, replica))
    }

    /// Where limits hold for more than the middle: what the first's replica carries is what a simulation at its share
    /// keeps, until that one is still the first. One rate at a time.
    fn hold_percentile(&mut self) -> bool {
        let slo = self.search.goal.slo;
        let Some(percentile) = slo.tail() else {
            return false;
        };
        let (count, halves) = &mut self.simulated;
        let first = self.all.first().filter(|first| first.replica.tail.is_none());
        let Some(first) = first.filter(|_| *count < SIMULATED) else {
            return false;
        };
        let (offer, layout) = (first.replica.offer, first.replica.layout);
        let below = || self.rates.partition_point(|rate| *rate <= first.capacity_milli);
        let (low, high, kept) = halves.take().unwrap_or_else(|| (0, below(), None));
        if low < high {
            let middle = low.midpoint(high);
            let rate = self.rates.get(middle).copied().unwrap_or_default();
            let share = rate.saturating_mul(u64::from(self.counted.demand.load_percent)) / 100;
            let tail = self
                .at_rate(offer, layout, share)
                .and_then(|_| tail(&self.trial, percentile));
            let keeps = tail.filter(|tail| slo.is_kept(Some(tail.times_ms)));
            self.simulated.1 = Some(match keeps {
                Some(tail) => (middle + 1, high, Some((rate, tail))),
                None => (low, middle, kept),
            });
            return true;
        }
        *count += 1;
        self.all.remove(0);
        if let Some((rate, tail)) = kept
            && let Some(replica) = self.at_rate(offer, layout, rate)
        {
            let tail = Some(tail);
            let held = fleet(
                &self.search.base,
                &self.on(offer),
                rate,
                Answer { tail, ..replica },
            );
            self.all.push(held);
            self.rank();
        }
        true
    }

    /// Every layout that serves, the best first.
    pub(super) fn all(self) -> Vec<Fleet> {
        self.all
    }

    /// The best layout of each offer, the best offer first.
    pub fn finish(mut self) -> Vec<Fleet> {
        let mut seen = vec![false; self.search.offers().len()];
        self.all
            .retain(|fleet| !std::mem::replace(&mut seen[fleet.replica.offer], true));
        self.all
    }
}

/// For each offer the layout whose replicas take the fewest GPUs, or with prices the least money; the best offer first.
pub fn fleets(scenario: &Scenario, offers: &[Offer], goal: &Goal, counted: &Counted) -> Vec<Fleet> {
    let mut fleets = Fleets::new(scenario, offers, goal, counted);
    while fleets.step() {}
    fleets.finish()
}

/// That layout alone, on that offer.
pub fn fleet_on(
    scenario: &Scenario,
    offer: &Offer,
    layout: Layout,
    goal: &Goal,
    counted: &Counted,
) -> Option<Fleet> {
    Fleets::new(scenario, std::slice::from_ref(offer), goal, counted).carried(0, layout)
}

/// The highest of the rates at which something holds.
fn highest<T>(rates: &[u64], mut holds: impl FnMut(u64) -> Option<T>) -> Option<(u64, T)> {
    let mut best = None;
    let (mut low, mut high) = (0, rates.len());
    while low < high {
        let middle = low.midpoint(high);
        let rate = *rates.get(middle)?;
        if let Some(found) = holds(rate) {
            best = Some((rate, found));
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    best
}

fn fleet(scenario: &Scenario, counted: &Counted, capacity_milli: u64, replica: Answer) -> Fleet {
    let Counted { demand, node, .. } = counted;
    let [for_average, for_peak] = demand.replicas(capacity_milli);
    let replicas = for_peak + u64::from(demand.spare);
    let total_gpus = replicas * u64::from(replica.total_gpus);
    let each = u64::from(*node / replica.total_gpus.max(1));
    let nodes = if each > 0 {
        replicas.div_ceil(each)
    } else {
        replicas * u64::from(replica.total_gpus.div_ceil((*node).max(1)))
    };
    let one = replica.price_per_hour;
    let price_per_hour = one.map(|price| price * real(replicas));
    let load = &scenario.workload;
    let per_million = |tokens: u32| {
        let hourly = real(demand.average_milli) / 1000.0 * f64::from(tokens) * 3600.0;
        price_per_hour
            .filter(|_| hourly > 0.0)
            .map(|price| price / hourly * 1e6)
    };
    Fleet {
        cost_per_million: per_million(load.generated()),
        cost_per_million_tokens: per_million(load.tokens_per_sequence()),
        replica,
        capacity_milli,
        for_average,
        for_peak,
        replicas,
        total_gpus,
        nodes,
        price_per_hour,
    }
}

/// How many replicas of a plan, and when one more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// For what.
    pub demand: Demand,
    /// What one replica carries within the load's limits.
    pub capacity_milli: u64,
    /// Replicas for the average and for the peak, without spare ones.
    pub replicas: [u64; 2],
    /// The share of the KV cache that is in use at the share that a replica is given.
    pub cache_usage: f64,
    /// Requests that may wait for each replica until the first token would come too late, where there is such a limit.
    pub waiting: Option<f64>,
}

/// What a replica is given of what it can carry, in per cent, where nobody says.
pub const LOAD_PERCENT: u32 = 80;
/// How many may fail, where nobody says.
pub const SPARE: u32 = 1;

impl Scaling {
    /// Of that plan's replicas; nothing where no rate is given, or none is carried.
    pub fn of(plan: &Plan) -> Option<Self> {
        let average_milli = plan.scenario.workload.rate_milli()?;
        let slo = Slo::of(&plan.scenario.workload);
        let mut scenario = with_overrides(&plan.scenario).into_owned();
        let mut looks = Looks::new(&scenario.model);
        let mut at = |milli: u64| {
            scenario.workload.request_rate_milli = Some(milli);
            looks.look(&scenario).performance
        };
        let (capacity_milli, ()) = highest(&rates(), |rate| {
            let speed = Speed::from(at(rate)?);
            (!speed.overloaded && slo.is_kept(Some(speed.times()))).then_some(())
        })?;
        let demand = Demand {
            average_milli,
            peak_milli: plan
                .scenario
                .workload
                .peak_rate_milli
                .unwrap_or(0)
                .max(average_milli),
            spare: SPARE,
            load_percent: LOAD_PERCENT,
        };
        let given = (capacity_milli * u64::from(LOAD_PERCENT) / 100).max(1);
        let found = at(given)?;
        let load = &plan.scenario.workload;
        // On average a request has its prompt and half its answer in the cache.
        let held = f64::from(load.prompt()) + f64::from(load.generated()) / 2.0;
        let engines = f64::from(plan.args.as_ref()?.data_parallel_size.value);
        let tokens = real(plan.memory.as_ref()?.kv_cache_tokens) * engines;
        Some(Self {
            demand,
            capacity_milli,
            replicas: demand.replicas(capacity_milli),
            cache_usage: (found.running * held / tokens.max(1.0)).clamp(0.01, 1.0),
            waiting: slo.ttft_ms.map(|limit| {
                let spare = f64::from(limit) - found.ttft_ms.estimate;
                (spare * real(given) * 1e-6).max(1.0)
            }),
        })
    }
}

impl Demand {
    /// What a replica is given, in words.
    pub fn said(&self) -> String {
        format!(
            "A replica is given {} % of the highest rate that the estimate has it carry within the limits; the rate itself is off as far as the speed is.",
            self.load_percent
        )
    }

    /// Replicas for the average and for the peak, where each carries so much.
    fn replicas(&self, capacity_milli: u64) -> [u64; 2] {
        let given = capacity_milli.saturating_mul(u64::from(self.load_percent)).max(1);
        let needed = |milli: u64| milli.saturating_mul(100).div_ceil(given).max(1);
        [self.average_milli, self.peak_milli.max(self.average_milli)].map(needed)
    }
}

/// By money where that is the goal and known, then by GPUs, then by the room that is left.
fn order(goal: &Goal, a: &Fleet, b: &Fleet) -> Ordering {
    let money = match (goal.objective, a.price_per_hour, b.price_per_hour) {
        (Objective::Cost, Some(a), Some(b)) => a.total_cmp(&b),
        (Objective::Cost, Some(_), None) => Ordering::Less,
        (Objective::Cost, None, Some(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    };
    money
        .then_with(|| a.total_gpus.cmp(&b.total_gpus))
        .then_with(|| (b.capacity_milli * b.replicas).cmp(&(a.capacity_milli * a.replicas)))
        .then_with(|| a.replica.layout.cmp(&b.replica.layout))
        .then_with(|| a.replica.offer.cmp(&b.replica.offer))
}
