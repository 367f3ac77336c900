//! The only place that writes the state.
//!
//! Typing changes the scenario at once; edits of one field are undone together. Everything else is one act: it can be
//! undone, and the browser's Back takes it back.
use super::{
    AppState, Banner, Beside, Draft, Import, Likes, Pasted, Sheet, Toast,
    held::Held,
    search::{self, Among, Answers, Seek, Wishes},
};
use crate::{browser, text};
use leptos::prelude::*;
use planner::{
    ArtifactKind, Plan, Scenario,
    bounds::{self, FieldKind},
    error::InputError,
    gpu::GpuSpec,
    host_report::Detected,
    memory::Segment,
    model::ModelInput,
    plan::MeasuredSpeed,
    recommend::{Answer, UseCase},
    share::Ignored,
    units::Bytes,
};
use std::sync::Arc;

/// How many steps are kept.
const STEPS: usize = 20;

/// Takes what is being typed into a field.
pub(crate) fn edit(state: AppState, id: &'static str, typed: &str) {
    let mut scenario = state.scenario.get_untracked();
    let error = scenario.set(id, &with_unit(id, typed)).err();
    keep_draft(state, id, typed, error.as_ref());
    if error.is_some() || state.scenario.with_untracked(|old| *old == scenario) {
        return;
    }
    if state.steps.with_untracked(|steps| steps.editing != Some(id)) {
        remember(state);
        editing(state, Some(id));
    }
    changed(state);
    state.scenario.set(scenario);
}

/// Sets a field to a value in a step of its own kind: what a chart or a slider does.
pub(crate) fn step(state: AppState, id: &'static str, value: &str) {
    edit(state, id, value);
    // A value out of bounds is no text that somebody typed.
    state
        .drafts
        .update(|drafts| drafts.retain(|draft| draft.id != id));
}

/// Leaves a field: what is valid is shown in its usual form.
pub(crate) fn leave(state: AppState, id: &'static str) {
    if state
        .drafts
        .with_untracked(|drafts| drafts.iter().any(|d| d.id == id && d.error.is_none()))
    {
        state
            .drafts
            .update(|drafts| drafts.retain(|draft| draft.id != id));
    }
}

/// Takes a field back to its default.
pub(crate) fn reset(state: AppState, id: &'static str) {
    state
        .drafts
        .update(|drafts| drafts.retain(|draft| draft.id != id));
    editing(state, None);
    edit(state, id, "");
    leave(state, id);
    editing(state, None);
}

/// Makes a remedy's changes together.
pub(crate) fn apply(state: AppState, change: &[(String, String)], message: String) {
    let mut scenario = state.scenario.get_untracked();
    let refused = change
        .iter()
        .find_map(|(id, value)| scenario.set(id, value).err());
    match refused {
        None => act(state, scenario, message),
        Some(error) => inform(state, error.to_string()),
    }
}

/// Takes the load of a use.
pub(crate) fn take_use(state: AppState, case: &UseCase) {
    let mut scenario = state.scenario.get_untracked();
    case.put(&mut scenario);
    act(state, scenario, text::load_is(case.title));
}

/// Takes a model.
pub(crate) fn set_model(state: AppState, model: ModelInput) {
    let message = text::model_is(&model.id);
    let mut scenario = state.scenario.get_untracked();
    scenario.model = model;
    act(state, scenario, message);
}

/// Takes a GPU that the catalogue does not have, as large as the one before.
pub(crate) fn set_custom_gpu(state: AppState) {
    let mut scenario = state.scenario.get_untracked();
    let before = &scenario.hardware.gpu;
    let memory = before.memory_visible.unwrap_or(Bytes::from_gib(24));
    scenario.hardware.gpu = GpuSpec::custom(memory, before.compute_capability);
    act(state, scenario, text::CUSTOM_GPU_SET.to_owned());
}

/// Takes a GPU of the catalogue.
pub(crate) fn set_gpu(state: AppState, name: &str) {
    let change = [("gpu".to_owned(), name.to_owned())];
    apply(state, &change, text::gpu_is(name));
}

/// Takes a vLLM version, and says which values changed with it.
pub(crate) fn set_version(state: AppState, version: &str) {
    let before = state.rows.get_untracked();
    let mut scenario = state.scenario.get_untracked();
    if scenario.set("vllm_version", version).is_err() {
        return;
    }
    let after = planner::evaluate(&scenario).arg_rows();
    let changes: Vec<String> = after
        .iter()
        .filter_map(|new| {
            let old = before.iter().find(|old| old.id == new.id)?;
            (old.value != new.value).then(|| format!("{} {} → {}", new.flag, old.value, new.value))
        })
        .collect();
    act(state, scenario, text::version_is(version, &changes));
}

/// Takes the GPUs of a detected machine.
pub(crate) fn set_host(state: AppState, detected: Detected) {
    let message = text::host_is(detected.gpus, &detected.gpu.name);
    let mut scenario = state.scenario.get_untracked();
    scenario.hardware = detected.hardware(false);
    act(state, scenario, message);
    let mut items = detected.notes;
    items.extend(detected.left_out);
    if detected.memory_used > Bytes::ZERO {
        items.push(text::memory_in_use(detected.memory_used));
    }
    let banner = Banner {
        title: text::HOST_NOTES.to_owned(),
        items,
    };
    state.banner.set((!banner.items.is_empty()).then_some(banner));
}

/// Takes another scenario as a whole: a preset or a file.
pub(crate) fn replace(state: AppState, scenario: Scenario, message: String) {
    act(state, scenario, message);
    state.banner.set(None);
}

/// The same for what was not written for this page: what does not count as it stands is listed.
pub(crate) fn replace_noting(state: AppState, scenario: Scenario, message: String, notes: Banner) {
    act(state, scenario, message);
    state.banner.set((!notes.items.is_empty()).then_some(notes));
}

/// Takes the scenario of a link, which is in the browser's history already.
pub(crate) fn load(state: AppState, scenario: Scenario, ignored: &[Ignored]) {
    if state.scenario.with_untracked(|old| *old != scenario) {
        remember(state);
        state.scenario.set(scenario);
    }
    settle(state);
    state.steps.update(|steps| steps.touched = true);
    report(state, ignored);
}

/// Goes a step back.
pub(crate) fn undo(state: AppState) {
    let Some(before) = state.steps.try_update(|steps| steps.back.pop()).flatten() else {
        return inform(state, text::NOTHING_TO_UNDO.to_owned());
    };
    let now = state.scenario.get_untracked();
    state.steps.update(|steps| steps.forth.push(now));
    settle(state);
    state.acts.update(|acts| *acts += 1);
    state.scenario.set(before);
    inform(state, text::UNDONE.to_owned());
}

/// Takes the last Undo back.
pub(crate) fn redo(state: AppState) {
    let Some(after) = state.steps.try_update(|steps| steps.forth.pop()).flatten() else {
        return inform(state, text::NOTHING_TO_REDO.to_owned());
    };
    push(state);
    settle(state);
    state.acts.update(|acts| *acts += 1);
    state.scenario.set(after);
    inform(state, text::REDONE.to_owned());
}

/// Opens the explanation of a figure beside the page, or closes it where it is open.
pub(crate) fn explain(state: AppState, id: &str) {
    if state.sheet.with_untracked(|sheet| sheet.explains(id)) {
        return close_sheet(state);
    }
    open_sheet(state, Sheet::Explain(id.to_owned()));
}

/// Opens the explanation of the largest term of a part of the memory, and the part in the table, where the keyboard
/// comes back to.
pub(crate) fn explain_part(state: AppState, part: Segment) {
    let largest = state.plan.with_untracked(|plan| {
        let terms = &plan.memory.as_ref()?.terms;
        let terms = terms.iter().filter(|term| term.segment == part);
        terms
            .max_by_key(|term| term.bytes.unsigned_abs())
            .map(|term| term.id)
    });
    let Some(id) = largest else { return };
    if state.open.with_untracked(|open| !open.contains(&part.words())) {
        toggle(state, part.words());
    }
    show_explanation(state, id);
}

/// Opens the explanation that a link asks for.
pub(crate) fn show_explanation(state: AppState, id: &str) {
    if !state.sheet.with_untracked(|sheet| sheet.explains(id)) {
        open_sheet(state, Sheet::Explain(id.to_owned()));
    }
}

/// Opens the list of keys.
pub(crate) fn show_keys(state: AppState) {
    open_sheet(state, Sheet::Keys);
}

fn open_sheet(state: AppState, sheet: Sheet) {
    // From one sheet to the next the way back stays.
    if state.sheet.with_untracked(|old| *old == Sheet::Closed) {
        browser::remember_focus("sheet");
    }
    state.sheet.set(sheet);
}

/// Closes the sheet; the focus goes back to where it was.
pub(crate) fn close_sheet(state: AppState) {
    let old = state.sheet.get_untracked();
    if old == Sheet::Closed {
        return;
    }
    state.sheet.set(Sheet::Closed);
    match old {
        Sheet::Explain(id) => browser::focus(&text::opener(&id)),
        _ => browser::focus_remembered("sheet"),
    }
}

/// Changes what is kept of how somebody likes the page.
pub(crate) fn like(state: AppState, change: impl FnOnce(&mut Likes)) {
    let mut likes = state.likes.get_untracked();
    change(&mut likes);
    state.likes.set(likes);
    likes.store();
}

fn editing(state: AppState, id: Option<&'static str>) {
    state.steps.update(|steps| steps.editing = id);
}

/// Pins the plan, so that what comes is held against it.
pub(crate) fn pin(state: AppState) {
    let plan = state.plan.get_untracked();
    let full = state
        .beside
        .with_untracked(|beside| beside.pins.len() == Beside::MOST);
    put_pin(state, (!full).then_some(plan));
}

/// Pins an answer of a search, in the last place where all are taken.
pub(crate) fn compare_answer(state: AppState, answers: &Answers, answer: &Answer) {
    let Some(scenario) = search::taken(state, answers, answer) else {
        return inform(state, text::ANSWER_REFUSED.to_owned());
    };
    state
        .beside
        .update(|beside| beside.pins.truncate(Beside::MOST - 1));
    put_pin(state, Some(planner::evaluate(&scenario)));
}

fn put_pin(state: AppState, plan: Option<Plan>) {
    let pinned = plan.and_then(|plan| {
        state.beside.try_update(|beside| {
            beside.pins.push(Arc::new(plan));
            Beside::NAMES.get(beside.pins.len() - 1).copied()
        })
    });
    inform(state, text::pinned(pinned.flatten()));
}

/// Takes the scenarios that a link pins.
pub(crate) fn set_pins(state: AppState, scenarios: &[Scenario]) {
    let pins: Vec<Arc<Plan>> = scenarios
        .iter()
        .take(Beside::MOST)
        .map(|scenario| Arc::new(planner::evaluate(scenario)))
        .collect();
    state.beside.update(|beside| beside.pins = pins);
}

/// Unpins all.
pub(crate) fn unpin(state: AppState) {
    state.beside.update(|beside| beside.pins.clear());
}

/// Takes a pinned scenario; where it is `swapped`, what was here is pinned in its place.
pub(crate) fn take_pin(state: AppState, at: usize, swapped: bool) {
    let Some(pin) = state.beside.with_untracked(|beside| beside.pins.get(at).cloned()) else {
        return;
    };
    if swapped {
        let now = Arc::new(state.plan.get_untracked());
        state.beside.update(|beside| {
            if let Some(place) = beside.pins.get_mut(at) {
                *place = now;
            }
        });
    }
    act(state, pin.scenario.clone(), text::PIN_TAKEN.to_owned());
}

/// Holds the plan against a run of vLLM, or no longer.
pub(crate) fn hold(state: AppState, held: Option<Arc<Held>>) {
    state.beside.update(|beside| beside.held = held);
}

/// Holds what was pasted against what would be better, or no longer.
pub(crate) fn review(state: AppState, pasted: Option<Arc<Pasted>>) {
    let shown = pasted.is_some();
    state.beside.update(|beside| beside.pasted = pasted);
    if shown {
        browser::focus("pasted");
    }
}

/// Takes the better command.
pub(crate) fn take_better(state: AppState, scenario: Scenario) {
    act(state, scenario, text::BETTER_TAKEN.to_owned());
    browser::focus("result");
}

/// Changes what a search is for.
pub(crate) fn wish(seek: Seek, change: impl FnOnce(&mut Wishes)) {
    seek.wishes.update(change);
}

/// Takes an answer of a search.
pub(crate) fn take_answer(state: AppState, seek: Seek, answers: &Answers, answer: &Answer) {
    let Some(scenario) = search::taken(state, answers, answer) else {
        return inform(state, text::ANSWER_REFUSED.to_owned());
    };
    let question = &answers.question;
    // What was at hand stays at hand.
    seek.whole.set(
        (question.among == Among::Here)
            .then(|| (question.scenario.hardware.clone(), scenario.hardware.clone())),
    );
    act(state, scenario, text::answer_taken(&answer.layout.to_string()));
}

/// Takes over what a start measured, and the command that it ran.
pub(crate) fn calibrate(state: AppState, scenario: Scenario) {
    act(state, scenario, text::CALIBRATED.to_owned());
}

/// Scales the speed to what a benchmark measured; the load stays.
pub(crate) fn scale(state: AppState, measured: Option<MeasuredSpeed>) {
    let mut scenario = state.scenario.get_untracked();
    scenario.measured_speed = measured;
    act(state, scenario, text::SCALED.to_owned());
}

/// Goes back from measured values, of memory or of `speed`, to the estimate.
pub(crate) fn estimate(state: AppState, speed: bool) {
    let mut scenario = state.scenario.get_untracked();
    if speed {
        scenario.measured_speed = None;
    } else {
        scenario.measured = None;
    }
    act(state, scenario, text::ESTIMATED.to_owned());
}

/// Shows a message without a way back.
pub(crate) fn inform(state: AppState, message: String) {
    state.toast.set(Some(Toast { message, undo: false }));
}

/// Opens the import dialog, or closes it.
pub(crate) fn open_import(state: AppState, import: Option<Import>) {
    state.import.set(import);
}

/// Shows a file.
pub(crate) fn show_file(state: AppState, kind: ArtifactKind) {
    state.tab.set(kind);
}

/// Opens or closes a part of the memory table.
pub(crate) fn toggle(state: AppState, part: &'static str) {
    state
        .open
        .update(|open| match open.iter().position(|id| *id == part) {
            Some(at) => {
                open.remove(at);
            }
            None => open.push(part),
        });
}

fn act(state: AppState, scenario: Scenario, message: String) {
    if state.scenario.with_untracked(|old| *old == scenario) {
        return;
    }
    remember(state);
    settle(state);
    changed(state);
    state.acts.update(|acts| *acts += 1);
    state.scenario.set(scenario);
    state.toast.set(Some(Toast { message, undo: true }));
}

/// What was typed no longer counts.
fn settle(state: AppState) {
    state.drafts.set(Vec::new());
    editing(state, None);
}

fn changed(state: AppState) {
    state.steps.update(|steps| steps.touched = true);
    state.toast.set(None);
}

fn remember(state: AppState) {
    state.steps.update(|steps| steps.forth.clear());
    push(state);
}

fn push(state: AppState) {
    let scenario = state.scenario.get_untracked();
    state.steps.update(|steps| {
        if steps.back.len() == STEPS {
            steps.back.remove(0);
        }
        steps.back.push(scenario);
    });
}

fn report(state: AppState, ignored: &[Ignored]) {
    let items: Vec<String> = ignored
        .iter()
        .map(|item| text::ignored(&item.key, &item.value, &item.reason))
        .collect();
    let banner = Banner {
        title: text::IGNORED.to_owned(),
        items,
    };
    state.banner.set((!banner.items.is_empty()).then_some(banner));
}

fn keep_draft(state: AppState, id: &'static str, typed: &str, error: Option<&InputError>) {
    let draft = Draft {
        id,
        text: typed.to_owned(),
        error: error.map(|error| error.problem.clone()),
    };
    state.drafts.update(|drafts| {
        drafts.retain(|draft| draft.id != id);
        drafts.push(draft);
    });
}

/// A bare number in a field whose unit is GiB means GiB.
fn with_unit(id: &str, typed: &str) -> String {
    let gib = bounds::field(id).is_some_and(|field| field.kind == FieldKind::Memory && field.unit == "GiB");
    let bare = typed.trim();
    if gib && !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == '.') {
        format!("{bare} GiB")
    } else {
        typed.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_state(test: impl FnOnce(AppState)) {
        Owner::new().with(|| test(AppState::new()));
    }

    fn length(state: AppState) -> Option<String> {
        state.get("max_model_len")
    }

    #[test]
    fn invalid_text_stays_and_the_last_valid_value_is_used() {
        with_state(|state| {
            edit(state, "max_model_len", "4096");
            edit(state, "max_model_len", "4096x");
            assert_eq!(length(state).as_deref(), Some("4096"));
            let draft = state
                .drafts
                .with_untracked(|drafts| drafts.first().cloned())
                .unwrap();
            assert_eq!(draft.text, "4096x");
            assert!(draft.error.is_some());
            leave(state, "max_model_len");
            assert_eq!(state.drafts.with_untracked(Vec::len), 1);
            reset(state, "max_model_len");
            assert_eq!(length(state), None);
            assert!(state.drafts.with_untracked(Vec::is_empty));
        });
    }

    #[test]
    fn edits_of_one_field_are_undone_together() {
        with_state(|state| {
            for typed in ["4", "40", "409", "4096"] {
                edit(state, "max_model_len", typed);
            }
            edit(state, "max_num_seqs", "64");
            undo(state);
            assert_eq!(
                (length(state).as_deref(), state.get("max_num_seqs")),
                (Some("4096"), None)
            );
            undo(state);
            assert_eq!(length(state), None);
            undo(state);
            assert_eq!(length(state), None);
            redo(state);
            assert_eq!(length(state).as_deref(), Some("4096"));
            redo(state);
            redo(state);
            assert_eq!(state.get("max_num_seqs").as_deref(), Some("64"));
            undo(state);
            // A new step begins a new line of steps.
            edit(state, "max_num_seqs", "32");
            redo(state);
            assert_eq!(state.get("max_num_seqs").as_deref(), Some("32"));
        });
    }

    #[test]
    fn an_act_counts_once_and_offers_undo() {
        with_state(|state| {
            let change = [
                ("kv_cache_dtype".to_owned(), "fp8".to_owned()),
                ("gpus".to_owned(), "4".to_owned()),
            ];
            apply(state, &change, "done".to_owned());
            assert_eq!(state.acts.get_untracked(), 1);
            assert!(state.toast.with_untracked(|t| t.as_ref().is_some_and(|t| t.undo)));
            assert!(!state.is_example());
            undo(state);
            assert_eq!(state.get("kv_cache_dtype"), None);
        });
    }

    #[test]
    fn a_change_that_is_refused_changes_nothing() {
        with_state(|state| {
            let change = [
                ("gpus".to_owned(), "4".to_owned()),
                ("gpu".to_owned(), "nothing".to_owned()),
            ];
            let before = state.scenario.get_untracked();
            apply(state, &change, String::new());
            assert!(state.scenario.with_untracked(|now| *now == before));
        });
    }

    #[test]
    fn another_version_says_what_it_changes() {
        with_state(|state| {
            set_version(state, "0.11.2");
            let message = state
                .toast
                .with_untracked(|t| t.as_ref().map(|t| t.message.clone()))
                .unwrap();
            assert!(
                message.contains("--gpu-memory-utilization 0.92 → 0.9"),
                "{message}"
            );
        });
    }

    #[test]
    fn a_bare_number_of_memory_is_gib() {
        assert_eq!(with_unit("gpu_memory", "80"), "80 GiB");
        assert_eq!(with_unit("gpu_memory", "80 GB"), "80 GB");
        assert_eq!(with_unit("kv_cache_memory_bytes", "80"), "80");
        assert_eq!(with_unit("gpu_memory", ""), "");
    }
}
