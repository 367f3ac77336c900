//! What is computed from the state: the files, and the sentences that several panels show.
use super::{AppState, Draft};
use crate::{
    browser,
    lean::{effect, memo},
    text,
};
use leptos::prelude::*;
use planner::{
    ArtifactSet, Outcome, Plan, RenderOptions, Scenario,
    artifact::render_one,
    bounds::{self, Field, FieldKind},
    engine::{ArgRow, SetBy},
    memory::shape::{RankShape, refusal},
    units::Bytes,
};

/// The files of the plan, with today's date and the link in their headers.
pub(crate) fn files(plan: Memo<Plan>, fragment: Memo<Result<String, String>>) -> Memo<ArtifactSet> {
    let date = browser::today();
    memo(move || plan.with(|plan| planner::render(plan, &options(date.clone(), fragment))))
}

/// The one of them that the tab names.
pub(crate) fn file(state: AppState) -> Memo<Option<String>> {
    let date = browser::today();
    memo(move || {
        let options = options(date.clone(), state.fragment);
        let file = |plan: &Plan| render_one(plan, &options, state.tab.get());
        state.plan.with(file).map(|file| file.text)
    })
}

/// The files of A where they are asked for, with the page's own link: that it is another's is no difference.
pub(crate) fn files_of_a(state: AppState, asked: bool) -> Option<ArtifactSet> {
    let a = asked.then(|| state.beside.with(|beside| beside.pins.first().cloned()))??;
    Some(planner::render(&a, &options(browser::today(), state.fragment)))
}

fn options(date: Option<String>, fragment: Memo<Result<String, String>>) -> RenderOptions {
    RenderOptions {
        date,
        link: fragment.with(|f| f.as_ref().ok().map(|f| browser::link(f))),
        emit: Vec::new(),
    }
}

/// A field as it looks now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// As the scenario has it.
    pub(crate) value: String,
    /// In the box.
    pub(crate) text: String,
    /// Somebody set it.
    pub(crate) set: bool,
    /// Why the text is not used, and what is used instead.
    pub(crate) error: String,
    /// What holds while nothing is set.
    pub(crate) effective: String,
    /// Which rule chose that, and why.
    pub(crate) why: String,
}

/// All fields of `bounds::FIELDS` as they look now.
fn fields(state: AppState) -> Vec<Shown> {
    let (drafts, rows) = (state.drafts.read(), state.rows.read());
    state.scenario.with(|scenario| {
        let fresh = fresh(scenario);
        let of = |field| shown_as(field, (scenario, &fresh), &drafts, &rows);
        bounds::FIELDS.iter().map(of).collect()
    })
}

/// Each field for itself.
#[derive(Clone, Copy)]
struct Fields(StoredValue<Vec<RwSignal<Shown>>>);

/// Provides what boxes show: of some ninety fields a keystroke changes one or two, and only they hear of it. Everything in
/// a field would ask whether it changed if it followed all of them.
pub(crate) fn follow_fields(state: AppState) {
    let first = untrack(|| fields(state));
    let all = StoredValue::new(first.into_iter().map(RwSignal::new).collect());
    provide_context(Fields(all));
    effect(move || {
        let fields = fields(state);
        all.with_value(|all: &Vec<RwSignal<Shown>>| {
            for (now, shown) in fields.into_iter().zip(all) {
                if shown.with_untracked(|shown| *shown != now) {
                    shown.set(now);
                }
            }
        });
    });
}

/// A field as it looks now.
pub(crate) fn shown(field: &'static Field) -> RwSignal<Shown> {
    let at = bounds::FIELDS.iter().position(|one| one.id == field.id);
    let of = |Fields(all)| all.with_value(|all: &Vec<RwSignal<Shown>>| all.get(at?).copied());
    use_context().and_then(of).unwrap_or_default()
}

fn shown_as(
    field: &Field,
    (scenario, fresh): (&Scenario, &Scenario),
    drafts: &[Draft],
    rows: &[ArgRow],
) -> Shown {
    let id = field.id;
    let raw = scenario.get(id);
    let value = raw.as_ref().map(|value| text::value(field, value));
    let set = if field.flag.is_some() {
        raw.is_some()
    } else {
        !matches!(id, "gpu_memory" | "compute_capability") && raw != fresh.get(id)
    };
    let (effective, why) = match rows.iter().find(|row| row.id == id) {
        Some(row) if row.set_by != SetBy::User => {
            (text::value(field, &row.value), text::reason(row.set_by, &row.why))
        }
        _ => (String::new(), String::new()),
    };
    let (text, error) = match drafts.iter().find(|draft| draft.id == id) {
        Some(Draft {
            text,
            error: Some(error),
            ..
        }) => {
            let used = value.as_ref().unwrap_or(&effective);
            (text.clone(), text::not_used(error, used))
        }
        Some(Draft { text, .. }) => (text.clone(), String::new()),
        None => (value.unwrap_or_default(), String::new()),
    };
    Shown {
        value: raw.unwrap_or_default(),
        text,
        set,
        error,
        effective,
        why,
    }
}

/// Nothing set beside model and GPU.
fn fresh(scenario: &Scenario) -> Scenario {
    Scenario::new(scenario.model.clone(), scenario.hardware.gpu.clone())
}

/// An option of a select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What is set.
    pub(crate) value: String,
    /// What is read.
    pub(crate) label: String,
    /// It can be chosen.
    pub(crate) enabled: bool,
}

impl Choice {
    /// A choice that can be made.
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            enabled: true,
        }
    }
}

/// The choices of a field; empty where it takes any text. `effective` is what holds while nothing is set.
pub(crate) fn choices(state: AppState, field: &Field, effective: &str) -> Vec<Choice> {
    let words: Vec<Choice> = match field.kind {
        _ if field.id == "tensor_parallel_size" => state.scenario.with(tensor_parallel_sizes),
        FieldKind::Choice(words) => words
            .iter()
            .map(|word| Choice::new(*word, text::choice(word)))
            .collect(),
        FieldKind::Switch => ["true", "false"]
            .map(|word| Choice::new(word, text::choice(word)))
            .into(),
        _ => return Vec::new(),
    };
    let unset = field.flag.map(|_| Choice::new("", text::unset(effective)));
    unset.into_iter().chain(words).collect()
}

/// Sizes up to the GPUs there are, those that vLLM refuses with its reason.
fn tensor_parallel_sizes(scenario: &Scenario) -> Vec<Choice> {
    const SIZES: [u32; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 24, 32, 64];
    let gpus = scenario.hardware.total_gpus();
    let set = scenario.engine.tensor_parallel_size;
    let beyond = SIZES
        .iter()
        .copied()
        .filter(|size| size.is_power_of_two())
        .find(|size| *size > gpus);
    let mut sizes: Vec<u32> = SIZES
        .iter()
        .copied()
        .filter(|size| *size <= gpus || Some(*size) == beyond || Some(*size) == set)
        .collect();
    if let Some(set) = set.filter(|set| !sizes.contains(set)) {
        sizes.push(set);
    }
    let why_not = |tp: u32| {
        let shape = RankShape {
            tp,
            ..RankShape::SINGLE
        };
        let refused = scenario
            .model
            .spec
            .as_ref()
            .ok()
            .and_then(|spec| refusal(spec, &shape));
        refused.or_else(|| (tp > gpus).then(|| text::too_few_gpus(gpus)))
    };
    sizes
        .into_iter()
        .map(|tp| match why_not(tp) {
            None => Choice::new(tp.to_string(), tp.to_string()),
            Some(why) => Choice {
                value: tp.to_string(),
                label: format!("{tp}: {why}"),
                enabled: Some(tp) == set,
            },
        })
        .collect()
}

/// The verdict's number as a sentence, for the panel and the announcement.
pub(crate) fn headline(plan: &Plan) -> String {
    match number(plan) {
        Some((free, true)) => format!("{free} of KV cache free per GPU"),
        Some((short, false)) => format!("{short} short on each GPU"),
        None => String::new(),
    }
}

/// The same where there is little room.
pub(crate) fn short_headline(plan: &Plan) -> String {
    match number(plan) {
        Some((free, true)) => format!("{free} free"),
        Some((short, false)) => format!("{short} short"),
        None => String::new(),
    }
}

/// What is free, or what is missing, per GPU.
fn number(plan: &Plan) -> Option<(Bytes, bool)> {
    let memory = plan.memory.as_ref();
    match plan.verdict.outcome {
        Outcome::DoesNotFit => Some((plan.verdict.shortfall_bytes, false)),
        Outcome::Fits | Outcome::Tight => memory.map(|m| {
            (
                m.kv_cache_available_bytes
                    .saturating_sub(m.kv_cache_workload_bytes),
                true,
            )
        }),
        Outcome::Unsupported => None,
    }
}

/// "4 × H100 SXM", over all nodes.
pub(crate) fn hardware_line(scenario: &Scenario) -> String {
    let hardware = &scenario.hardware;
    let nodes = if hardware.nodes > 1 {
        format!("{} × ", hardware.nodes)
    } else {
        String::new()
    };
    format!("{nodes}{}", hardware.kinds())
}

/// How many engine arguments are set, in words.
pub(crate) fn set_arguments(scenario: &Scenario) -> String {
    let set = |field: &&Field| field.flag.is_some() && scenario.get(field.id).is_some();
    text::changed(bounds::FIELDS.iter().filter(set).count())
}

/// How many of these fields differ from a new scenario's, in words.
pub(crate) fn changed(scenario: &Scenario, ids: &[&str]) -> String {
    let fresh = fresh(scenario);
    let differs = |id: &&&str| scenario.get(id) != fresh.get(id);
    text::changed(ids.iter().filter(differs).count())
}

/// What `read` says of the plan, once nothing was changed for a moment: for what takes some plans more.
pub(crate) fn after_pause<T>(state: AppState, read: fn(&Plan) -> T) -> RwSignal<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    let now = move || state.plan.with_untracked(read);
    let shown = RwSignal::new(now());
    let timer = browser::Timer::new();
    let mut first = true;
    effect(move || {
        state.plan.track();
        if !std::mem::take(&mut first) {
            timer.start(150, move || {
                let new = now();
                if shown.with_untracked(|old| *old != new) {
                    shown.set(new);
                }
            });
        }
    });
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::presets;

    fn owned<T>(test: impl FnOnce() -> T) -> T {
        let owner = Owner::new();
        owner.with(test)
    }

    #[test]
    fn a_plan_follows_the_scenario() {
        owned(|| {
            let state = AppState::new();
            let before = state
                .plan
                .with(|plan| plan.memory.as_ref().map(|m| m.kv_cache_tokens));
            state
                .scenario
                .update(|s| s.set("gpu_memory_utilization", "0.7").unwrap());
            let after = state
                .plan
                .with(|plan| plan.memory.as_ref().map(|m| m.kv_cache_tokens));
            assert!(before.is_some() && after < before, "{before:?} {after:?}");
        });
    }

    #[test]
    fn an_unset_argument_shows_what_holds_and_why() {
        owned(|| {
            let state = AppState::new();
            let at = bounds::FIELDS
                .iter()
                .position(|field| field.id == "max_model_len")
                .unwrap();
            let shown = memo(move || fields(state)[at].clone());
            assert!(
                shown.with(|s| !s.set && s.text.is_empty() && !s.effective.is_empty() && !s.why.is_empty())
            );
            state.scenario.update(|s| s.set("max_model_len", "4K").unwrap());
            assert!(shown.with(|s| s.set && s.text == "4096" && s.effective.is_empty()));
        });
    }

    #[test]
    fn sizes_that_vllm_refuses_say_why() {
        let mut scenario = presets::example();
        scenario.set("gpus", "8").unwrap();
        let sizes = tensor_parallel_sizes(&scenario);
        let find = |value: &str| sizes.iter().find(|choice| choice.value == value);
        assert!(find("8").is_some_and(|choice| choice.enabled));
        assert!(find("3").is_some_and(|choice| !choice.enabled && choice.label.contains("heads")));
        assert!(find("16").is_some_and(|choice| !choice.enabled && choice.label.contains("8 GPUs")));
        assert!(find("64").is_none());
    }
}
