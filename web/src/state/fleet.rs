//! How many replicas a rate of requests takes: counted in slices, once nothing was changed for a moment.
use super::{
    AppState,
    search::{Among, Question, Seek},
};
use crate::{
    browser::{self, Timer},
    lean::effect,
};
use leptos::prelude::*;
use planner::{
    recommend::{
        self, Counted, Demand, Fleet, FleetReport, Fleets, Goal, LOAD_PERCENT, Offer, Way, Ways, routing,
    },
    share,
};
use std::sync::Arc;

/// What is counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    question: Question,
    demand: Demand,
}

impl Count {
    /// What the page asks now; nothing where the model is not understood or no rate is given.
    pub(crate) fn of(state: AppState, seek: Seek) -> Option<Self> {
        let mut question = Question::of(state, seek, Among::Here)?;
        // A replica stays on a node, as `fleet` has it.
        question.scenario.hardware.nodes = 1;
        let load = &question.scenario.workload;
        let average_milli = load.rate_milli()?;
        Some(Self {
            demand: Demand {
                average_milli,
                peak_milli: load.peak_rate_milli.unwrap_or(0).max(average_milli),
                spare: question.wishes.spare(),
                load_percent: LOAD_PERCENT,
            },
            question,
        })
    }

    fn counted(&self) -> Counted {
        Counted {
            demand: self.demand,
            node: self.question.scenario.hardware.gpus,
            change_formats: self.question.wishes.formats,
        }
    }
}

/// What was counted.
#[derive(Debug)]
pub(crate) struct Found {
    count: Arc<Count>,
    offers: Vec<Offer>,
    goal: Goal,
    /// For each number of GPUs the best layout, the best first.
    pub(crate) fleets: Vec<Fleet>,
    /// Held against the first.
    pub(crate) ways: Vec<Way>,
    /// Whether routing by prefix saves replicas, where it does.
    pub(crate) routing: Option<String>,
}

impl Found {
    /// What comes in.
    pub(crate) fn demand(&self) -> &Demand {
        &self.count.demand
    }

    /// What prices are counted in.
    pub(crate) fn currency(&self) -> &str {
        &self.count.question.wishes.currency
    }

    /// The hardware of one replica.
    pub(crate) fn offer(&self, fleet: &Fleet) -> String {
        let offer = self.offers.get(fleet.replica.offer);
        offer.map(ToString::to_string).unwrap_or_default()
    }

    /// What was simulated of the limits, where they hold for more than the middle.
    pub(crate) fn simulated(&self, fleet: &Fleet) -> Option<String> {
        let said = recommend::simulated(&self.goal, &fleet.replica);
        let share = self.demand().load_percent;
        (!said.is_empty()).then(|| format!("At {share} % of that rate: {}", said.trim()))
    }

    /// As `vllm-wizard fleet --json` prints it.
    pub(crate) fn json(&self) -> String {
        let report = FleetReport {
            scenario: &share::scenario_json(&self.count.question.scenario),
            demand: &self.count.demand,
            offers: &self.offers,
            ways: &self.ways,
            currency: self.currency(),
            api_month: None,
        };
        report.json(&self.fleets.iter().collect::<Vec<_>>())
    }

    fn finish(mut self, ways: Vec<Way>) -> Self {
        let Count { question, .. } = &*self.count;
        let (scenario, counted) = (&question.scenario, self.count.counted());
        let of = |first| routing(scenario, &self.offers, &self.goal, first, &counted);
        self.routing = self.fleets.first().and_then(of);
        self.ways = ways;
        self
    }
}

/// A count that follows its question.
pub(crate) fn counted(count: Memo<Option<Arc<Count>>>) -> RwSignal<Option<Arc<Found>>> {
    let shown = RwSignal::new(None);
    let timer = Timer::new();
    effect(move || match count.get() {
        None => {
            timer.stop();
            shown.set(None);
        }
        // The ranked layouts, which are looked at first, are searched for after 150 ms.
        Some(count) => timer.start(250, move || begin(timer, shown, count)),
    });
    shown
}

type Shown = RwSignal<Option<Arc<Found>>>;

fn begin(timer: Timer, shown: Shown, count: Arc<Count>) {
    let Question { scenario, wishes, .. } = &count.question;
    let goal = wishes.goal(scenario);
    let offers = recommend::on_hardware(scenario, |gpu| wishes.price(&gpu.name));
    let fleets = Fleets::new(scenario, &offers, &goal, &count.counted());
    let found = Found {
        count,
        offers,
        goal,
        fleets: Vec::new(),
        ways: Vec::new(),
        routing: None,
    };
    replicas(timer, shown, found, fleets);
}

fn replicas(timer: Timer, shown: Shown, mut found: Found, mut fleets: Fleets) {
    if !browser::slice(&mut || !fleets.step()) {
        return timer.start(0, move || replicas(timer, shown, found, fleets));
    }
    found.fleets = fleets.finish();
    match found.fleets.first() {
        None => shown.set(Some(Arc::new(found))),
        Some(first) => {
            let (scenario, counted) = (&found.count.question.scenario, found.count.counted());
            let ways = Ways::new(scenario, &found.offers, &found.goal, first, &counted);
            others(timer, shown, found, ways);
        }
    }
}

fn others(timer: Timer, shown: Shown, found: Found, mut ways: Ways) {
    if !browser::slice(&mut || !ways.step()) {
        return timer.start(0, move || others(timer, shown, found, ways));
    }
    shown.set(Some(Arc::new(found.finish(ways.finish()))));
}
