//! An editable combobox after the WAI-ARIA pattern: list autocomplete, manual selection.
use super::{aria, flag, hear, hear_focus, hear_key, part, words};
use crate::lean::{effect, memo};
use leptos::{ev, prelude::*};

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What a pick returns.
    pub(crate) value: String,
    /// What is read first.
    pub(crate) name: String,
    /// Beside it.
    pub(crate) detail: String,
}

/// Where the keyboard is.
#[derive(Clone, Copy)]
struct Listbox {
    open: RwSignal<bool>,
    active: RwSignal<Option<usize>>,
    items: Memo<Vec<Item>>,
    typed: RwSignal<Option<String>>,
    on_pick: Callback<String>,
}

impl Listbox {
    fn show(self) {
        if !self.open.get_untracked() {
            self.active.set(None);
            self.open.set(true);
        }
    }

    fn close(self) {
        self.open.set(false);
        self.active.set(None);
    }

    fn pick(self, at: usize) {
        if let Some(item) = self.items.with_untracked(|items| items.get(at).cloned()) {
            self.close();
            self.typed.set(None);
            self.on_pick.run(item.value);
        }
    }

    /// The next option, round the ends.
    fn step(self, down: bool) {
        self.show();
        let count = self.items.with_untracked(Vec::len);
        if count > 0 {
            self.active.update(|active| {
                *active = Some(match (*active, down) {
                    (None, true) => 0,
                    (Some(at), true) => (at + 1) % count,
                    (None | Some(0), false) => count - 1,
                    (Some(at), false) => at - 1,
                });
            });
        }
    }

    /// What Enter picks: the active option, or the only one that fits what was typed.
    fn wanted(self) -> Option<usize> {
        let only = || {
            let typed = self.typed.get_untracked()?;
            self.items.with_untracked(|items| {
                let exact = items
                    .iter()
                    .position(|item| item.value.eq_ignore_ascii_case(typed.trim()));
                exact.or((items.len() == 2).then_some(0))
            })
        };
        self.active.get_untracked().or_else(only)
    }

    fn key(self, event: &ev::KeyboardEvent) {
        match event.key().as_str() {
            "ArrowDown" => self.step(true),
            "ArrowUp" => self.step(false),
            "Enter" => {
                if let Some(at) = self.wanted() {
                    self.pick(at);
                }
            }
            "Escape" if self.open.get_untracked() => self.close(),
            "Escape" => self.typed.set(None),
            "Tab" => return self.close(),
            _ => return,
        }
        event.prevent_default();
    }
}

/// The box with its list.
#[component]
pub(crate) fn Combobox(
    /// The id of the box.
    id: &'static str,
    /// The id of what describes it.
    described_by: &'static str,
    /// What the box shows while nothing is typed.
    value: Signal<String>,
    /// What is typed and not picked yet.
    typed: RwSignal<Option<String>>,
    /// The options for a text. The last one always stands, whatever is typed.
    options: fn(&str) -> Vec<Item>,
    /// Takes the picked value.
    on_pick: Callback<String>,
) -> AnyView {
    let items = memo(move || typed.with(|typed| options(typed.as_deref().unwrap_or_default())));
    let list = Listbox {
        open: RwSignal::new(false),
        active: RwSignal::new(None),
        items,
        typed,
        on_pick,
    };
    let input = move |event: ev::Event| {
        typed.set(Some(event_target_value(&event)));
        list.active.set(None);
        list.open.set(true);
    };
    // Typing replaces what is there.
    let entered = move |event: ev::FocusEvent| event_target::<web_sys::HtmlInputElement>(&event).select();
    let active_id = words(move || {
        list.active
            .get()
            .filter(|_| list.open.get())
            .map(|at| format!("{id}-{at}"))
            .unwrap_or_default()
    });
    effect(move || scroll_to(&active_id.get()));
    view! {
        <div class="combobox">
            <input
                id=id
                type="text"
                class="box box-wide"
                role="combobox"
                aria-autocomplete="list"
                aria-expanded=aria(move || list.open.get())
                aria-controls=format!("{id}-list")
                aria-activedescendant=active_id
                aria-describedby=described_by
                autocomplete="off"
                spellcheck="false"
                prop:value=words(move || typed.get().unwrap_or_else(|| value.get()))
                on:input=hear(input)
                on:click=move |_| list.show()
                on:focus=hear_focus(entered)
                on:keydown=hear_key(move |event| list.key(&event))
                on:blur=hear_focus(move |_| list.close())
            />
            <ul class="options" id=format!("{id}-list") role="listbox" aria-label="Models" hidden=flag(move || !list.open.get())>
                {part(move || if list.open.get() { option_views(id, list) } else { ().into_any() })}
            </ul>
        </div>
    }
    .into_any()
}

fn option_views(id: &'static str, list: Listbox) -> AnyView {
    let active = list.active.get();
    list.items.with(|items| {
        items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let here = active == Some(at);
                view! {
                    <li
                        id=format!("{id}-{at}")
                        role="option"
                        aria-selected=here.to_string()
                        // The box keeps the keyboard.
                        on:mousedown=|event: ev::MouseEvent| event.prevent_default()
                        on:click=super::press(move || list.pick(at))
                    >
                        <span>{item.name.clone()}</span>
                        <small>{item.detail.clone()}</small>
                    </li>
                }
            })
            .collect_view()
            .into_any()
    })
}

fn scroll_to(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
