//! The page's state: what is saved, what is derived from it, and what lives only while the page is open.
use super::{derive, presets};
use leptos::prelude::*;
use planner::{ArtifactKind, ArtifactSet, Plan, Scenario, engine::ArgRow};

/// What somebody typed into a field and has not left yet, or what the field cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    /// The field.
    pub(crate) id: &'static str,
    /// As typed.
    pub(crate) text: String,
    /// Why it is not used.
    pub(crate) error: Option<String>,
}

/// A short message with a way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    /// What happened.
    pub(crate) message: String,
    /// Whether Undo stands beside it.
    pub(crate) undo: bool,
}

/// What could not be read of a link or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Banner {
    /// What happened.
    pub(crate) title: String,
    /// Item by item.
    pub(crate) items: Vec<String>,
}

/// What the import dialog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// A config.json.
    Model,
    /// A host report or nvidia-smi's CSV.
    Hardware,
    /// A scenario, or what starts vLLM elsewhere.
    Scenario,
}

/// All of it. Handles only, so it is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct AppState {
    // Saved: in the link, and in this browser where it allows that.
    /// The whole input.
    pub(crate) scenario: RwSignal<Scenario>,

    // Derived from it, each computed once per change.
    /// The answer.
    pub(crate) plan: Memo<Plan>,
    /// Its arguments.
    pub(crate) rows: Memo<Vec<ArgRow>>,
    /// Its files.
    pub(crate) files: Memo<ArtifactSet>,
    /// The scenario as a link's fragment, or why it has none.
    pub(crate) fragment: Memo<Result<String, String>>,

    // Runtime only.
    /// Text in fields.
    pub(crate) drafts: RwSignal<Vec<Draft>>,
    /// Earlier scenarios, oldest first.
    pub(crate) history: RwSignal<Vec<Scenario>>,
    /// The field that the last edit was made in: its edits are undone together.
    pub(crate) editing: RwSignal<Option<&'static str>>,
    /// Counts acts that the browser's Back takes back.
    pub(crate) acts: RwSignal<u32>,
    /// The message in the corner.
    pub(crate) toast: RwSignal<Option<Toast>>,
    /// The message above the page.
    pub(crate) banner: RwSignal<Option<Banner>>,
    /// Nothing was changed since the example was loaded.
    pub(crate) example: RwSignal<bool>,
    /// The open import dialog.
    pub(crate) import: RwSignal<Option<Import>>,
    /// Open parts of the memory table and open explanations.
    pub(crate) open: RwSignal<Vec<&'static str>>,
    /// The file that is shown.
    pub(crate) tab: RwSignal<ArtifactKind>,
}

impl AppState {
    /// A page with the example in it.
    pub(crate) fn new() -> Self {
        let scenario = RwSignal::new(presets::example());
        let plan = Memo::new(move |_| scenario.with(planner::evaluate));
        let fragment = Memo::new(move |_| scenario.with(super::link::to_fragment));
        Self {
            scenario,
            plan,
            rows: Memo::new(move |_| plan.with(Plan::arg_rows)),
            files: derive::files(plan, fragment),
            fragment,
            drafts: RwSignal::new(Vec::new()),
            history: RwSignal::new(Vec::new()),
            editing: RwSignal::new(None),
            acts: RwSignal::new(0),
            toast: RwSignal::new(None),
            banner: RwSignal::new(None),
            example: RwSignal::new(true),
            import: RwSignal::new(None),
            open: RwSignal::new(Vec::new()),
            tab: RwSignal::new(ArtifactKind::Command),
        }
    }

    /// A field's value as text.
    pub(crate) fn get(&self, id: &str) -> Option<String> {
        self.scenario.with(|scenario| scenario.get(id))
    }
}

/// The state that `App` provides.
pub(crate) fn use_app() -> AppState {
    expect_context()
}
