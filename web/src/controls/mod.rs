//! Form controls and small widgets. Each knows its markup and keyboard; none knows a panel.
mod combobox;
mod copy_button;
mod field;
mod help;
mod length_slider;
mod menu;
mod section;
mod step;
mod toast;
mod words;

pub(crate) use combobox::{Combobox, Item};
pub(crate) use copy_button::CopyButton;
pub(crate) use field::{Field, Options};
pub(crate) use help::HelpButton;
pub(crate) use menu::Menu;
pub(crate) use section::Section;
pub(crate) use toast::{BannerView, ToastView};
pub(crate) use words::with_code;

use crate::lean::let_go;
use leptos::{
    ev::{Event, FocusEvent, KeyboardEvent, MouseEvent},
    prelude::*,
};

// Every closure in a view is a type, and every type is compiled for itself. These few boxed ones keep the page small.

/// A part of the page that is built again when what it reads changes.
pub(crate) type Part = Box<dyn FnMut() -> AnyView + Send>;

/// A part of the page that is built again when what it reads changes.
pub(crate) fn part(build: impl FnMut() -> AnyView + Send + 'static) -> Part {
    fn boxed(mut build: Part) -> Part {
        Box::new(move || {
            let_go();
            build()
        })
    }
    boxed(Box::new(build))
}

/// Text that follows the state.
pub(crate) fn words(read: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    fn boxed(read: Box<dyn Fn() -> String + Send + Sync>) -> Signal<String> {
        Signal::derive(move || {
            let_go();
            read()
        })
    }
    boxed(Box::new(read))
}

/// Yes or no that follows the state.
pub(crate) fn flag(read: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    fn boxed(read: Box<dyn Fn() -> bool + Send + Sync>) -> Signal<bool> {
        Signal::derive(move || {
            let_go();
            read()
        })
    }
    boxed(Box::new(read))
}

/// `true` or `false` for an ARIA attribute.
pub(crate) fn aria(read: impl Fn() -> bool + Send + Sync + 'static) -> Signal<String> {
    words(move || read().to_string())
}

/// What a button does.
pub(crate) type Press = Box<dyn FnMut(MouseEvent) + Send>;

/// What a button does.
pub(crate) fn press(mut then: impl FnMut() + Send + 'static) -> Press {
    Box::new(move |_| then())
}

/// What follows from an edit or a choice.
pub(crate) fn hear(then: impl FnMut(Event) + Send + 'static) -> Box<dyn FnMut(Event) + Send> {
    Box::new(then)
}

/// What follows from a key.
pub(crate) fn hear_key(
    then: impl FnMut(KeyboardEvent) + Send + 'static,
) -> Box<dyn FnMut(KeyboardEvent) + Send> {
    Box::new(then)
}

/// What follows when the keyboard comes or goes.
pub(crate) fn hear_focus(then: impl FnMut(FocusEvent) + Send + 'static) -> Box<dyn FnMut(FocusEvent) + Send> {
    Box::new(then)
}
