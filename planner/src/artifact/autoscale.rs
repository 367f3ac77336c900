//! k8s-autoscale.yaml: metrics for Prometheus, and replicas by the requests that wait. Beside k8s.yaml, where a cluster has
//! Prometheus' operator and adapter.
use super::{
    deployment::Deployment,
    pod,
    quote::Comments,
    yaml::{Document, Yaml, map},
};

/// Replicas at most.
const REPLICAS: u32 = 4;
/// Requests waiting for each replica.
const WAITING: u32 = 5;

/// k8s-autoscale.yaml
pub(crate) fn autoscale(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
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
    let metric = map([
        ("type", "Pods".into()),
        (
            "pods",
            map([
                ("metric", map([("name", "vllm_num_requests_waiting".into())])),
                (
                    "target",
                    map([
                        ("type", "AverageValue".into()),
                        (
                            "averageValue",
                            Yaml::from(WAITING.to_string()).comment("requests that wait, for each replica"),
                        ),
                    ]),
                ),
            ]),
        ),
    ]);
    let slow = |seconds: u64| map([("stabilizationWindowSeconds", seconds.into())]);
    document.entry(
        "spec",
        map([
            ("scaleTargetRef", target),
            ("minReplicas", 1_u32.into()),
            ("maxReplicas", REPLICAS.into()),
            ("metrics", Yaml::List(vec![metric])),
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
