//! What changed in the files with the last burst of edits, or against A's.
use crate::{
    browser::Timer,
    code_view::diff::{Marks, diff},
    lean::effect,
    state::{AppState, derive},
};
use leptos::prelude::*;
use planner::{ArtifactKind, ArtifactSet};

/// An edit this long after the one before begins another burst.
const BURST_MS: u64 = 600;
/// How long lines that are gone stay.
const GONE_MS: u64 = 4000;

/// All files are rendered so long after an edit: the one that is shown follows at once.
const ALL_MS: u64 = 150;

/// The files before the burst and now, and whether it is fresh; the files of A where they are asked for.
#[derive(Clone, Copy)]
pub(super) struct Changes {
    before: RwSignal<Option<ArtifactSet>>,
    now: RwSignal<ArtifactSet>,
    fresh: RwSignal<bool>,
    a: RwSignal<Option<ArtifactSet>>,
}

impl Changes {
    /// Follows the files from now on. The first ones are no change.
    pub(super) fn follow(state: AppState, against: RwSignal<bool>) -> Self {
        let changes = Self {
            before: RwSignal::new(None),
            now: RwSignal::new(state.files.get_untracked()),
            fresh: RwSignal::new(false),
            a: RwSignal::new(None),
        };
        effect(move || changes.a.set(derive::files_of_a(state, against.get())));
        let (all, burst, gone) = (Timer::new(), Timer::new(), Timer::new());
        let running = StoredValue::new(false);
        let mut first = true;
        effect(move || {
            state.plan.track();
            state.fragment.track();
            if std::mem::take(&mut first) {
                return;
            }
            if !running.get_value() {
                changes.before.set(Some(changes.now.get_untracked()));
                running.set_value(true);
            }
            all.start(ALL_MS, move || changes.now.set(state.files.get_untracked()));
            burst.start(BURST_MS, move || running.set_value(false));
            if !changes.fresh.get_untracked() {
                changes.fresh.set(true);
            }
            gone.start(GONE_MS, move || changes.fresh.set(false));
        });
        changes
    }

    /// Whether they are held against A's.
    pub(super) fn against_a(self) -> bool {
        self.a.with(Option::is_some)
    }

    /// Whether the marks are in full.
    pub(super) fn fresh(self) -> bool {
        self.fresh.get() || self.against_a()
    }

    /// A file as it was, if it was there.
    fn before<T>(self, kind: ArtifactKind, read: impl FnOnce(&str) -> T) -> Option<T> {
        let read = |files: &Option<ArtifactSet>| Some(read(&files.as_ref()?.get(kind)?.text));
        if self.against_a() {
            self.a.with(read)
        } else {
            self.before.with(read)
        }
    }

    /// The marks of a file.
    pub(super) fn marks(self, kind: ArtifactKind, text: &str) -> Marks {
        let fresh = self.fresh();
        let marks = self.before(kind, |old| diff(old, text));
        let mut marks = marks.unwrap_or_default();
        if !fresh {
            marks.removed.clear();
        }
        marks
    }

    /// Whether a file's text changed, its link aside, which every change changes.
    pub(super) fn changed(self, kind: ArtifactKind) -> bool {
        fn lines(text: &str) -> impl Iterator<Item = &str> {
            text.lines().filter(|line| !line.contains("#s="))
        }
        self.now.with(|now| {
            let now = now.get(kind).map_or("", |file| &file.text);
            self.before(kind, |old| !lines(old).eq(lines(now)))
                .unwrap_or(false)
        })
    }
}
