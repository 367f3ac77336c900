//! A switch for how somebody likes the page.
use crate::{
    controls::{flag, hear},
    state::{AppState, Likes, actions},
};
use leptos::prelude::*;

/// The switch of the field that `of` names.
pub(super) fn liked(state: AppState, label: &'static str, of: fn(&mut Likes) -> &mut bool) -> AnyView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=flag(move || *of(&mut state.likes.get()))
                on:change=hear(move |event| {
                    let on = event_target_checked(&event);
                    actions::like(state, |likes| *of(likes) = on);
                })
            />
            {label}
        </label>
    }
    .into_any()
}
