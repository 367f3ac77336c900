//! What changed in the files with the last burst of edits.
use crate::{
    browser::Timer,
    code_view::diff::{Marks, diff},
    state::AppState,
};
use leptos::prelude::*;
use planner::{ArtifactKind, ArtifactSet};

/// An edit this long after the one before begins another burst.
const BURST_MS: u64 = 600;
/// How long lines that are gone stay.
const GONE_MS: u64 = 4000;

/// The files before the burst, and whether it is fresh.
#[derive(Clone, Copy)]
pub(super) struct Changes {
    before: RwSignal<Option<ArtifactSet>>,
    fresh: RwSignal<bool>,
}

impl Changes {
    /// Follows the files from now on. The first ones are no change.
    pub(super) fn follow(state: AppState) -> Self {
        let changes = Self {
            before: RwSignal::new(None),
            fresh: RwSignal::new(false),
        };
        let (burst, gone) = (Timer::new(), Timer::new());
        let running = StoredValue::new(false);
        Effect::new(move |last: Option<ArtifactSet>| {
            let now = state.files.get();
            if let Some(last) = last.filter(|last| *last != now) {
                if !running.get_value() {
                    changes.before.set(Some(last));
                    running.set_value(true);
                }
                burst.start(BURST_MS, move || running.set_value(false));
                if !changes.fresh.get_untracked() {
                    changes.fresh.set(true);
                }
                gone.start(GONE_MS, move || changes.fresh.set(false));
            }
            now
        });
        changes
    }

    /// Whether the marks are still in full.
    pub(super) fn fresh(self) -> bool {
        self.fresh.get()
    }

    /// The marks of a file.
    pub(super) fn marks(self, kind: ArtifactKind, text: &str) -> Marks {
        let fresh = self.fresh.get();
        self.before.with(|before| {
            let old = before.as_ref().and_then(|files| files.get(kind));
            let Some(old) = old else {
                return Marks::default();
            };
            let mut marks = diff(&old.text, text);
            if !fresh {
                marks.removed.clear();
            }
            marks
        })
    }

    /// Whether a file's text changed, its link aside, which every change changes.
    pub(super) fn changed(self, kind: ArtifactKind, now: &ArtifactSet) -> bool {
        fn lines(text: &str) -> impl Iterator<Item = &str> {
            text.lines().filter(|line| !line.contains("#s="))
        }
        let now = now.get(kind).map(|file| file.text.as_str()).unwrap_or_default();
        self.before.with(|before| {
            let old = before.as_ref().and_then(|files| files.get(kind));
            old.is_some_and(|old| !lines(&old.text).eq(lines(now)))
        })
    }
}
