//! `--search` of `plan` and `generate`: the layout that a search of the hardware puts first; and what `check` says of it.
use crate::{
    cli::{GoalArgs, SearchArgs},
    error::ExpectedError,
    goal, output,
};
use planner::{
    Scenario,
    plan::Plan,
    recommend::{self, Found, Goal, Layout, Objective, Offer, Search},
};

/// A search whose first answer was taken over.
pub(crate) struct Searched {
    open: Scenario,
    goal: Goal,
    offers: Vec<Offer>,
    found: Found,
}

impl Searched {
    /// Tells the plan of it.
    pub(crate) fn tell(&self, plan: &mut Plan) {
        self.found.tell(plan, &self.open, &self.goal, &self.offers);
    }
}

/// Takes the first answer over, where a search was asked for.
pub(crate) fn apply(scenario: &mut Scenario, args: &SearchArgs) -> Result<Option<Searched>, ExpectedError> {
    if !args.search {
        return given(&args.goal).map_or(Ok(None), |flag| {
            Err(ExpectedError::usage(format!("{flag} is for a search"))
                .help("Add --search to let the layout be searched, or use `explore`."))
        });
    }
    let mode = scenario.workload.batching_mode;
    let (goal, prices) = goal::read(&args.goal, &scenario.workload, Objective::of(mode))?;
    let offers = recommend::on_hardware(scenario, |gpu| prices.of(&gpu.name));
    let found = Search::new(scenario, offers.clone(), goal, args.allow_fp8).run(true);
    let Some((first, offer)) = found
        .all
        .first()
        .and_then(|first| Some((first, offers.get(first.offer)?)))
    else {
        output::say("note: the search has nothing to vary: the arguments that were given leave one layout");
        return Ok(None);
    };
    let open = scenario.clone();
    for (id, value) in first.change(offer) {
        scenario.set(&id, &value)?;
    }
    let why = recommend::won(&goal, &offers, first, found.all.get(1));
    output::say(&output::printable(&format!(
        "search: {} layouts judged; first {offer}, {}. {why}",
        found.judged, first.layout
    )));
    Ok(Some(Searched {
        open,
        goal,
        offers,
        found,
    }))
}

/// The first flag that only a search understands.
fn given(goal: &GoalArgs) -> Option<&'static str> {
    [
        (goal.objective.is_some(), "--objective"),
        (!goal.price.is_empty(), "--price"),
    ]
    .into_iter()
    .find_map(|(given, flag)| given.then_some(flag))
}

/// Less is within what the estimate cannot tell apart.
const WORTH_SAYING: f64 = 1.05;

/// What a search of the same GPUs would have run instead, and what that brings; `None` where it is not clearly better.
pub(crate) fn better(plan: &Plan) -> Option<String> {
    let open = recommend::left_open(&plan.scenario, false);
    let theirs = Layout::of(plan, false)?;
    let goal = Goal {
        objective: Objective::of(open.workload.batching_mode),
        ..Goal::default()
    };
    let offers = recommend::on_hardware(&open, |_| None);
    let mut search = Search::new(&open, offers.clone(), goal, false);
    let theirs = search.judge(offers.len().checked_sub(1)?, theirs)?;
    let found = search.run(false);
    let first = found.best.first().filter(|first| first.serves())?;
    let gain = match (goal.merit(first), goal.merit(&theirs)) {
        (Some(ours), Some(own)) if theirs.serves() => ours / own,
        _ => f64::INFINITY,
    };
    (gain >= WORTH_SAYING).then(|| {
        let hardware = offers.get(first.offer).map(ToString::to_string);
        format!(
            "A search of these GPUs would run {}, {}. This command's {}: {}",
            hardware.unwrap_or_default(),
            first.layout,
            theirs.layout,
            recommend::lost(&goal, first, &theirs)
        )
    })
}
