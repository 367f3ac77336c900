//! How many GPUs a container gets; `None` where a text says "all", or nothing.
use super::{container::texts, vars::Vars};
use crate::{
    gpu::{self, GpuSpec},
    yaml::Node,
};

/// Kubernetes' resources that are whole GPUs.
const RESOURCES: &[&str] = &[
    "nvidia.com/gpu",
    "amd.com/gpu",
    "gpu.intel.com/i915",
    "gpu.intel.com/xe",
];
/// Labels of a node that name its GPU.
const PRODUCTS: &[&str] = &[
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    "cloud.google.com/gke-accelerator",
    "k8s.amazonaws.com/accelerator",
];

/// `all`, `2`, `device=0,1`, with quotes around it or not: `docker run --gpus`.
pub(super) fn flag(value: &str) -> Option<u32> {
    let value = value.trim_matches(['"', '\'']);
    match value.split_once("device=") {
        Some((_, ids)) => ids_count(ids.trim_matches(['"', '\''])),
        None => count(value.strip_prefix("count=").unwrap_or(value)),
    }
}

/// `nvidia.com/gpu=0` of `--device` and `AddDevice=`; true for `…=all`.
pub(super) fn is_cdi(device: &str) -> bool {
    device
        .split_once('=')
        .is_some_and(|(kind, _)| RESOURCES.contains(&kind))
}

/// GPUs among devices of the container device interface.
pub(super) fn cdi(devices: &[String]) -> Option<u32> {
    let gpus = devices.iter().filter(|device| is_cdi(device));
    if gpus.clone().any(|device| device.ends_with("=all")) {
        return None;
    }
    u32::try_from(gpus.count()).ok().filter(|count| *count > 0)
}

/// What variables leave visible.
pub(super) fn visible(env: &Vars) -> Option<u32> {
    let names = [
        "CUDA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "ROCR_VISIBLE_DEVICES",
        "ZE_AFFINITY_MASK",
        "NVIDIA_VISIBLE_DEVICES",
    ];
    names.iter().filter_map(|name| env.get(name)).find_map(ids_count)
}

/// `0,1` is two.
fn ids_count(ids: &str) -> Option<u32> {
    let known = |id: &str| {
        id.chars().all(|c| c.is_ascii_digit()) || ["GPU-", "MIG-"].iter().any(|kind| id.starts_with(kind))
    };
    let ids: Vec<&str> = ids
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .collect();
    let all_known = !ids.is_empty() && ids.iter().all(|id| known(id));
    u32::try_from(ids.len()).ok().filter(|_| all_known)
}

fn count(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|count| (1..=64).contains(count))
}

/// A whole number of at least 1 in YAML, quoted or not.
pub(super) fn number(node: Option<&Node>) -> Option<u32> {
    count(node?.text()?)
}

/// `deploy.resources.reservations.devices`, `gpus`, or `runtime` of a compose service.
pub(super) fn compose(service: &Node) -> Option<u32> {
    let devices = service.at(&["deploy", "resources", "reservations", "devices"]);
    let lists = devices.or_else(|| service.get("gpus")).map(Node::list);
    let mut found = None;
    for device in lists.unwrap_or_default() {
        let is_gpu = |node: &Node| node.text().is_some_and(|text| matches!(text, "gpu" | "nvidia"));
        let gpu = device.get("driver").is_some_and(is_gpu)
            || device
                .get("capabilities")
                .is_some_and(|list| list.list().iter().any(is_gpu))
            || device.get("capabilities").is_none();
        let ids = device.get("device_ids").map(|ids| ids.list().len());
        let counted =
            number(device.get("count")).or_else(|| u32::try_from(ids?).ok().filter(|count| *count > 0));
        found = if gpu { counted.or(found) } else { found };
    }
    let text = service.get("gpus").and_then(Node::text);
    let named = texts(service.get("devices"));
    found.or_else(|| cdi(&named)).or_else(|| count(text?))
}

/// `resources.limits` or `.requests` of a Kubernetes container.
pub(super) fn resources(resources: &Node) -> Option<u32> {
    let kinds = ["limits", "requests"]
        .into_iter()
        .filter_map(|kind| resources.get(kind));
    let gpu = |key: &str| RESOURCES.contains(&key) || key.starts_with("nvidia.com/mig-");
    kinds.into_iter().find_map(|kind| {
        let entry = kind.map().iter().find(|entry| gpu(&entry.key))?;
        number(Some(&entry.node))
    })
}

/// The GPU that a pod's node selector or affinity asks for.
pub(super) fn product(pod: &Node) -> Option<&'static GpuSpec> {
    let selector = pod.get("nodeSelector").map(Node::map).unwrap_or_default();
    let label = selector
        .iter()
        .find(|entry| PRODUCTS.contains(&entry.key.as_str()));
    if let Some(found) = label.and_then(|entry| named(entry.node.text()?)) {
        return Some(found);
    }
    let terms = pod.at(&[
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    ]);
    terms.and_then(|terms| of_terms(terms.list()))
}

/// The GPU of node selector terms.
pub(super) fn of_terms(terms: &[Node]) -> Option<&'static GpuSpec> {
    let expressions = terms.iter().filter_map(|term| term.get("matchExpressions"));
    let asks = |expression: &Node| {
        let key = expression.get("key").and_then(Node::text);
        key.is_some_and(|key| PRODUCTS.contains(&key))
            && expression.get("operator").and_then(Node::text) != Some("NotIn")
    };
    expressions
        .flat_map(Node::list)
        .filter(|expression| asks(expression))
        .filter_map(|expression| expression.get("values"))
        .flat_map(Node::list)
        .find_map(|value| named(value.text()?))
}

/// A GPU by a label or by the name that clouds have for it.
pub(super) fn named(name: &str) -> Option<&'static GpuSpec> {
    let alias = match name.to_ascii_lowercase().as_str() {
        "h100" | "nvidia-h100-80gb" | "nvidia-h100-mega-80gb" => "H100 SXM",
        "h200" | "nvidia-h200-141gb" => "H200 SXM",
        "a100-80gb" | "nvidia-a100-80gb" => "A100 SXM4 80GB",
        "a100" | "nvidia-tesla-a100" => "A100 SXM4 40GB",
        "v100-32gb" => "V100 SXM2 32GB",
        "b200" => "B200 SXM",
        "b300" => "B300 SXM",
        "gh200" => "GH200 96GB",
        "rtxpro6000" => "RTX PRO 6000 Blackwell Server",
        "v100" | "nvidia-tesla-v100" => "V100 SXM2 16GB",
        "nvidia-tesla-t4" => "T4",
        _ => name,
    };
    let alias = alias.trim_end_matches("-SHARED");
    let plain = |name: &str| -> String { name.chars().filter(char::is_ascii_alphanumeric).collect() };
    let squeezed = plain(alias);
    gpu::find(alias).or_else(|| {
        let same = |name: &str| plain(name).eq_ignore_ascii_case(&squeezed);
        gpu::gpus().iter().find(|gpu| same(&gpu.name))
    })
}
