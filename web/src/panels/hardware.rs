//! 2 Hardware: which GPU, how many, or those of a real machine.
use crate::{
    controls::{Field, Section, hear, part, press, words},
    lean::memo,
    state::{
        AppState, Import, actions,
        derive::{changed, hardware_line},
        use_app,
    },
};
use leptos::{ev, prelude::*};
use planner::gpu::{self, GpuGroup, GpuSpec};

/// The value of the option for a GPU that the catalogue does not have.
const CUSTOM: &str = "custom";

const GROUPS: [(GpuGroup, &str); 5] = [
    (GpuGroup::DataCenter, "Data centre"),
    (GpuGroup::Workstation, "Workstation"),
    (GpuGroup::Consumer, "Consumer"),
    (GpuGroup::Unified, "Unified memory"),
    (GpuGroup::Other, "Other"),
];

/// Beside the GPU itself.
const FIELDS: [&str; 5] = ["gpus", "nodes", "interconnect", "gpu_memory_used", OTHERS];
/// Few machines have them.
const OTHERS: &str = "other_gpus";

/// The section.
#[component]
pub(crate) fn HardwarePanel() -> AnyView {
    let state = use_app();
    let digest = words(move || state.scenario.with(hardware_line));
    let chosen = move |event: ev::Event| match event_target_value(&event).as_str() {
        CUSTOM => actions::set_custom_gpu(state),
        name => actions::set_gpu(state, name),
    };
    let detect = press(move || actions::open_import(state, Some(Import::Hardware)));
    let gpu = memo(move || state.scenario.with(|scenario| scenario.hardware.gpu.clone()));
    view! {
        <Section number="2" title="Hardware" open=true digest changed=words(move || state.scenario.with(|scenario| changed(scenario, &FIELDS)))>
            <div class="field">
                <div class="field-head">
                    <label for="gpu">"GPU"</label>
                    <code class="field-name">"gpu"</code>
                </div>
                <select id="gpu" class="box box-wide" aria-describedby="gpu-about" on:change=hear(chosen)>
                    {part(move || gpu.with(options))}
                </select>
                <p class="why" id="gpu-about">{words(move || gpu.with(about))}</p>
            </div>
            {part(move || custom_fields(state, gpu))}
            {FIELDS.into_iter().filter(|id| *id != OTHERS).map(|id| view! { <Field id=id /> }).collect_view()}
            <details class="more">
                <summary>"GPUs of other kinds"</summary>
                <div class="section-body"><Field id=OTHERS /></div>
            </details>
            <button type="button" class="button" on:click=detect>"Import this machine's GPUs"</button>
        </Section>
    }
    .into_any()
}

/// Whether the catalogue's figures do not hold.
fn is_custom(gpu: &GpuSpec) -> bool {
    gpu::find(&gpu.name).is_none_or(|known| known != gpu)
}

fn custom_fields(state: AppState, gpu: Memo<GpuSpec>) -> AnyView {
    let custom = memo(move || gpu.with(is_custom));
    if !custom.get() {
        return ().into_any();
    }
    let _ = state;
    view! {
        <Field id="gpu_memory" />
        <Field id="compute_capability" />
    }
    .into_any()
}

/// "79.2 GiB for a process, compute capability 9.0."
fn about(gpu: &GpuSpec) -> String {
    let memory = gpu.memory_visible.map_or_else(
        || "memory not known".to_owned(),
        |bytes| format!("{} GiB for a process", bytes.gib_text(2)),
    );
    let capability = gpu
        .compute_capability
        .map(|c| format!(" · compute capability {c}"))
        .unwrap_or_default();
    let bandwidth = gpu
        .memory_bandwidth_gbps
        .map(|b| format!(" · {b} GB/s"))
        .unwrap_or_default();
    format!("{memory}{capability}{bandwidth}")
}

fn options(chosen: &GpuSpec) -> AnyView {
    let custom = is_custom(chosen);
    let one = |gpu: &'static GpuSpec| {
        let selected = !custom && gpu.name == chosen.name;
        let memory = gpu
            .memory_visible
            .map(|bytes| format!(" · {bytes}"))
            .unwrap_or_default();
        view! { <option value=gpu.name.clone() prop:selected=selected>{format!("{}{memory}", gpu.name)}</option> }
    };
    let groups = GROUPS
        .iter()
        .map(|(group, label)| {
            let options = gpu::gpus()
                .iter()
                .filter(|gpu| gpu.group == *group)
                .map(one)
                .collect_view();
            view! { <optgroup label=*label>{options}</optgroup> }
        })
        .collect_view();
    let name = if custom && chosen.name != CUSTOM {
        chosen.name.clone()
    } else {
        "Custom GPU…".to_owned()
    };
    view! {
        {groups}
        <option value=CUSTOM prop:selected=custom>{name}</option>
    }
    .into_any()
}
