//! The page's state: what is saved, what is derived from it, and what lives only while the page is open.
use super::{derive, held::Held, presets};
use crate::browser;
use crate::lean::memo;
use leptos::prelude::*;
use planner::{
    ArtifactKind, ArtifactSet, Plan, Scenario, command::Command, engine::ArgRow, model::ModelInput,
    plan::Defaults,
};
use std::sync::Arc;

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

/// What the sheet beside the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sheet {
    /// Nothing.
    #[default]
    Closed,
    /// How the figure of that id came about.
    Explain(String),
    /// The list of keys.
    Keys,
}

impl Sheet {
    /// Whether it explains that figure.
    pub(crate) fn explains(&self, id: &str) -> bool {
        matches!(self, Self::Explain(shown) if shown == id)
    }
}

/// Undo and Redo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// Earlier scenarios, oldest first.
    pub(crate) back: Vec<Scenario>,
    /// Scenarios that Undo went back from, the latest last.
    pub(crate) forth: Vec<Scenario>,
    /// The field that the last edit was made in: its edits are undone together.
    pub(crate) editing: Option<&'static str>,
    /// Something was changed since the example was loaded.
    pub(crate) touched: bool,
}

/// What the plan is held against.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// Pinned plans, at most [`Beside::MOST`].
    pub(crate) pins: Vec<Arc<Plan>>,
    /// A run of vLLM.
    pub(crate) held: Option<Arc<Held>>,
    /// A deployment that was read.
    pub(crate) pasted: Option<Arc<Pasted>>,
}

/// What somebody pasted that starts vLLM elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Pasted {
    /// What it was read as, as a sentence.
    pub(crate) title: String,
    /// Its model.
    pub(crate) model: ModelInput,
    /// Its arguments.
    pub(crate) command: Command,
    /// What of it was left out or chosen.
    pub(crate) notes: Vec<String>,
}

impl Pasted {
    /// Its plan for the machine and the load of `now`, while that is still about it: taken as it is, of its model.
    pub(crate) fn plan(&self, now: &Scenario) -> Option<Plan> {
        let here = now.defaults == Defaults::Vllm && now.model.id == self.model.id;
        here.then(|| {
            planner::evaluate(&Scenario {
                model: self.model.clone(),
                engine: self.command.engine.clone(),
                ..now.clone()
            })
        })
    }
}

/// What is kept of how somebody likes the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likes {
    /// Single keys do something.
    pub(crate) keys: bool,
    /// Changed lines of files are marked.
    pub(crate) marks: bool,
}

impl Likes {
    const KEYS_OFF: &str = "vllm-wizard.keys";
    const MARKS_OFF: &str = "vllm-wizard.marks";

    /// As left.
    pub(crate) fn stored() -> Self {
        Self {
            keys: browser::stored(Self::KEYS_OFF).is_none(),
            marks: browser::stored(Self::MARKS_OFF).is_none(),
        }
    }

    /// Keeps them.
    pub(crate) fn store(self) {
        browser::store(Self::KEYS_OFF, (!self.keys).then_some("off"));
        browser::store(Self::MARKS_OFF, (!self.marks).then_some("off"));
    }
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

impl Beside {
    /// Pinned plans that stand beside the page's own.
    pub(crate) const MOST: usize = 2;
    /// What they are called.
    pub(crate) const NAMES: [&str; Self::MOST] = ["A", "B"];
}

/// All of it. Handles only, so it is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct AppState {
    // Saved: in the link, and in this browser where it allows that.
    /// The whole input.
    pub(crate) scenario: RwSignal<Scenario>,

    // Derived from it, each computed once per change, where it is read.
    /// The answer.
    pub(crate) plan: Memo<Plan>,
    /// Its arguments.
    pub(crate) rows: Memo<Vec<ArgRow>>,
    /// Its files. All of them take a while: not for what follows each keystroke.
    pub(crate) files: Memo<ArtifactSet>,
    /// The scenario as a link's fragment, or why it has none.
    pub(crate) fragment: Memo<Result<String, String>>,

    // Runtime only.
    /// Text in fields.
    pub(crate) drafts: RwSignal<Vec<Draft>>,
    /// The way back and forth.
    pub(crate) steps: RwSignal<Steps>,
    /// Counts acts that the browser's Back takes back.
    pub(crate) acts: RwSignal<u32>,
    /// The message in the corner.
    pub(crate) toast: RwSignal<Option<Toast>>,
    /// The message above the page.
    pub(crate) banner: RwSignal<Option<Banner>>,
    /// What the plan is held against.
    pub(crate) beside: RwSignal<Beside>,
    /// The open import dialog.
    pub(crate) import: RwSignal<Option<Import>>,
    /// The sheet beside the page.
    pub(crate) sheet: RwSignal<Sheet>,
    /// What is kept of how somebody likes the page.
    pub(crate) likes: RwSignal<Likes>,
    /// Open parts of the memory table.
    pub(crate) open: RwSignal<Vec<&'static str>>,
    /// The file that is shown.
    pub(crate) tab: RwSignal<ArtifactKind>,
}

impl AppState {
    /// A page with the example in it.
    pub(crate) fn new() -> Self {
        let scenario = RwSignal::new(presets::example());
        let plan = memo(move || scenario.with(planner::evaluate));
        let fragment = memo(move || scenario.with(super::link::to_fragment));
        Self {
            scenario,
            plan,
            rows: memo(move || plan.with(Plan::arg_rows)),
            files: derive::files(plan, fragment),
            fragment,
            drafts: RwSignal::new(Vec::new()),
            steps: RwSignal::new(Steps::default()),
            acts: RwSignal::new(0),
            toast: RwSignal::new(None),
            banner: RwSignal::new(None),
            beside: RwSignal::new(Beside::default()),
            import: RwSignal::new(None),
            sheet: RwSignal::new(Sheet::Closed),
            likes: RwSignal::new(Likes::stored()),
            open: RwSignal::new(Vec::new()),
            tab: RwSignal::new(ArtifactKind::Command),
        }
    }

    /// Nothing was changed since the example was loaded.
    pub(crate) fn is_example(&self) -> bool {
        self.steps.with(|steps| !steps.touched)
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
