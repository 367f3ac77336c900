//! The slider of the context length: powers of two up to the model's own length, and the longest that fits among them.
use super::hear;
use super::words;
use crate::{
    lean::{effect, memo},
    state::{AppState, actions, derive::after_pause},
    text,
};
use leptos::{ev, html, prelude::*};
use planner::Plan;

const ID: &str = "max_model_len";
/// The first stop, as a power of two.
const FIRST: u32 = 10;

/// The slider, with what one sequence takes.
pub(super) fn length_slider(state: AppState) -> AnyView {
    let longest = after_pause(state, longest);
    let own = move || {
        state.scenario.with(|scenario| {
            let spec = scenario.model.spec.as_ref().ok();
            spec.map_or(0, |spec| size(spec.derived_max_model_len))
        })
    };
    let stops = move || stops(own(), longest.get());
    let node = NodeRef::<html::Input>::new();
    let place = memo(move || {
        let stops = stops();
        let length = state.plan.with(length).unwrap_or_else(own);
        let at = stops.partition_point(|stop| *stop <= length).saturating_sub(1);
        (stops.len().saturating_sub(1), at)
    });
    // In one go: a value beyond an older end would be cut off.
    effect(move || {
        let (last, at) = place.get();
        if let Some(input) = node.get() {
            input.set_max(&last.to_string());
            input.set_value(&at.to_string());
        }
    });
    let moved = move |event: ev::Event| {
        let at = event_target_value(&event).parse::<usize>().ok();
        let stop = at.and_then(|at| untrack(stops).get(at).copied());
        if let Some(stop) = stop {
            actions::step(state, ID, &stop.to_string());
        }
    };
    let said = words(move || {
        state.plan.with(|plan| {
            let each = plan.memory.as_ref().map(|memory| memory.kv_cache_needed_bytes);
            length(plan).map_or_else(String::new, |length| text::length_said(length, each))
        })
    });
    let mark = words(move || {
        let at = longest
            .get()
            .and_then(|longest| stops().binary_search(&longest).ok());
        at.map_or_else(String::new, |at| at.to_string())
    });
    let about = words(move || {
        let longest = longest.get();
        state.plan.with(|plan| {
            plan.memory.as_ref().map_or_else(String::new, |memory| {
                text::length_about(memory.kv_cache_needed_bytes, longest, own())
            })
        })
    });
    view! {
        <div class="length">
            <input
                type="range"
                min="0"
                step="1"
                list="max_model_len-fits"
                aria-label="Context length, slider"
                aria-valuetext=said
                node_ref=node
                on:input=hear(moved)
            />
            <datalist id="max_model_len-fits">
                <option value=mark></option>
            </datalist>
            <p class="why">{about}</p>
        </div>
    }
    .into_any()
}

fn size(tokens: u32) -> usize {
    usize::try_from(tokens).unwrap_or(usize::MAX)
}

fn length(plan: &Plan) -> Option<usize> {
    plan.args.as_ref().map(|args| size(args.max_model_len.value))
}

fn longest(plan: &Plan) -> Option<usize> {
    plan.longest().map(size)
}

/// Where the slider stops: up to the model's own length.
fn stops(own: usize, longest: Option<usize>) -> Vec<usize> {
    let mut stops: Vec<usize> = (FIRST..31)
        .map(|power| 1_usize << power)
        .take_while(|stop| *stop < own)
        .collect();
    stops.push(own);
    if let Some(longest) = longest.filter(|longest| *longest < own)
        && let Err(at) = stops.binary_search(&longest)
    {
        stops.insert(at, longest);
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_in_order_and_end_at_the_models_own() {
        for (own, longest, expected) in [
            (4096, None, &[1024, 2048, 4096][..]),
            (
                40_960,
                Some(3000),
                &[1024, 2048, 3000, 4096, 8192, 16_384, 32_768, 40_960],
            ),
            (4096, Some(4096), &[1024, 2048, 4096]),
            (4096, Some(2048), &[1024, 2048, 4096]),
            (4096, Some(16), &[16, 1024, 2048, 4096]),
            (512, Some(9999), &[512]),
            (0, None, &[0]),
        ] {
            assert_eq!(stops(own, longest), expected, "{own} {longest:?}");
        }
        assert_eq!(stops(usize::MAX, None).len(), 22);
    }
}
