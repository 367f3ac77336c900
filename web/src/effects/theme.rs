//! Light or dark. A small script in the page's head has applied the stored choice before anything was painted.
use crate::browser;
use crate::lean::effect;
use leptos::prelude::*;

const KEY: &str = "vllm-wizard.theme";

/// The choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// In the order of the menu.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As stored and as in `data-theme`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// By its name; everything else is the system's.
    pub(crate) fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.name() == name)
            .unwrap_or(Self::System)
    }
}

/// The choice of an earlier visit.
pub(crate) fn stored_theme() -> Theme {
    Theme::named(&browser::stored(KEY).unwrap_or_default())
}

/// Applies a choice and keeps it.
pub(crate) fn apply_theme(theme: RwSignal<Theme>) {
    effect(move || {
        let theme = theme.get();
        let Some(root) = document().document_element() else {
            return;
        };
        if theme == Theme::System {
            drop(root.remove_attribute("data-theme"));
            browser::store(KEY, None);
        } else {
            drop(root.set_attribute("data-theme", theme.name()));
            browser::store(KEY, Some(theme.name()));
        }
    });
}
