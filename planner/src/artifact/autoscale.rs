//! k8s-autoscale.yaml: metrics for Prometheus, and replicas by the requests that wait. Beside k8s.yaml, where a cluster has
//! Prometheus' operator and adapter.
use super::{
    deployment::Deployment,
    pod,
    quote::Comments,
    yaml::{Document, Yaml, map},
};
use crate::{
    engine::VllmVersion,
    recommend::{Demand, Scaling},
    text::milli_text,
};

/// Replicas at most, where no rate says how many.
const REPLICAS: u64 = 4;
/// Requests waiting for each replica, where no limit of the first token says how many may.
const WAITING: u64 = 5;

/// What the numbers below are from.
fn reasons(scaling: Option<&Scaling>) -> Vec<String> {
    let Some(scaling) = scaling else {
        return vec![format!(
            "The plan names no request rate: 1 to {REPLICAS} replicas and {WAITING} waiting requests are a start, not a result."
        )];
    };
    let [average, peak] = scaling.replicas;
    let Demand {
        average_milli,
        peak_milli,
        spare,
        load_percent,
    } = scaling.demand;
    let capacity = milli_text(scaling.capacity_milli);
    vec![
        format!(
            "By the estimate a replica carries {capacity} requests a second within the plan's limits, and is given {load_percent} % of it."
        ),
        format!(
            "{average} carry the average of {}, {peak} the peak of {}, {spare} more may fail.",
            milli_text(average_milli),
            milli_text(peak_milli)
        ),
        format!(
            "At that share {:.0} % of its KV cache is in use; {}",
            scaling.cache_usage * 100.0,
            if scaling.waiting.is_some() {
                "so many may wait until the first token would come too late."
            } else {
                "no limit of the first token says how many may wait, so that number is a start."
            }
        ),
    ]
}

/// The cache's gauge; until 0.9 by another name (`v1/metrics/loggers.py`).
fn cache_metric(deployment: &Deployment<'_>) -> &'static str {
    if deployment.plan.scenario.vllm_version < VllmVersion::new(10, 0) {
        "gpu_cache_usage_perc"
    } else {
        "kv_cache_usage_perc"
    }
}

fn metric(name: String, value: String, about: &'static str) -> Yaml<'static> {
    let target = map([
        ("type", "AverageValue".into()),
        ("averageValue", Yaml::from(value).comment(about)),
    ]);
    map([
        ("type", "Pods".into()),
        (
            "pods",
            map([("metric", map([("name", Yaml::from(name))])), ("target", target)]),
        ),
    ])
}

/// k8s-autoscale.yaml
pub(crate) fn autoscale(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    let scaling = Scaling::of(deployment.plan);
    let cache = cache_metric(deployment);
    for line in [
        "",
        "Optional, beside k8s.yaml: kubectl apply -f k8s-autoscale.yaml",
        "The PodMonitor needs Prometheus' operator.",
        "The autoscaler needs an adapter that serves the metric vllm:num_requests_waiting of pods as vllm_num_requests_waiting.",
        "k8s.yaml claims its volume ReadWriteOnce, which holds all replicas on one node: claim it ReadWriteMany to use more.",
        "Every replica takes the GPUs of the plan.",
    ] {
        document.comment(line);
    }
    if scaling.is_some() {
        document.comment(&format!("It also needs vllm:{cache} as vllm_{cache}."));
    }
    for reason in reasons(scaling.as_ref()) {
        document.comment(&reason);
    }
    let name = deployment.name();
    document.object(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        name,
        pod::labels(deployment),
    );
    let endpoint = map([
        ("port", "http".into()),
        ("path", "/metrics".into()),
        ("interval", "15s".into()),
    ]);
    document.entry(
        "spec",
        map([
            ("selector", map([("matchLabels", pod::labels(deployment))])),
            ("podMetricsEndpoints", Yaml::List(vec![endpoint])),
        ]),
    );
    document.object(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        name,
        pod::labels(deployment),
    );
    document.comment(
        "A new replica has to load the weights first: scaling up is quick to decide, scaling down is not.",
    );
    let target = map([
        ("apiVersion", "apps/v1".into()),
        ("kind", "Deployment".into()),
        ("name", name.into()),
    ]);
    let waiting = scaling
        .and_then(|scaling| scaling.waiting)
        .map_or_else(|| WAITING.to_string(), |waiting| format!("{waiting:.0}"));
    let mut metrics = vec![metric(
        "vllm_num_requests_waiting".to_owned(),
        waiting,
        "requests that wait, for each replica",
    )];
    if let Some(scaling) = scaling {
        metrics.push(metric(
            format!("vllm_{cache}"),
            format!("{:.0}m", scaling.cache_usage * 1000.0),
            "the share of its KV cache, in thousandths",
        ));
    }
    let [least, most] = scaling.map_or([1, REPLICAS], |scaling| {
        scaling
            .replicas
            .map(|replicas| replicas + u64::from(scaling.demand.spare))
    });
    let slow = |seconds: u64| map([("stabilizationWindowSeconds", seconds.into())]);
    document.entry(
        "spec",
        map([
            ("scaleTargetRef", target),
            ("minReplicas", least.into()),
            ("maxReplicas", most.into()),
            ("metrics", Yaml::List(metrics)),
            (
                "behavior",
                map([
                    ("scaleUp", slow(60)),
                    // At most an hour, which is Kubernetes' own bound.
                    ("scaleDown", slow(deployment.start_seconds.clamp(300, 3600))),
                ]),
            ),
        ]),
    );
    document.finish()
}
