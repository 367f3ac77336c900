//! production-stack-values.yaml for vLLM's production-stack chart, `helm/` at vllm-stack 0.1.12.
//!
//! What the chart does with a value was read from `templates/deployment-vllm-multi.yaml`.
use super::{
    deployment::{Deployment, PORT},
    k8s, pod,
    quote::{Comments, dollars},
    yaml::{Document, Yaml, map, texts},
};
use std::borrow::Cow;

/// Flags that the chart writes itself, from values of their own.
const WRITTEN: &[&str] = &[
    "--port",
    "--tensor-parallel-size",
    "--enable-prefix-caching",
    "--no-enable-prefix-caching",
];

/// production-stack-values.yaml
pub(crate) fn values(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    let name = deployment.name();
    for line in [
        "",
        "helm repo add vllm https://vllm-project.github.io/production-stack",
        &format!("helm install {name} vllm/vllm-stack -f production-stack-values.yaml"),
        &format!("The router answers at the service {name}-router-service."),
    ] {
        document.comment(line);
    }
    k8s::secret(&mut document, deployment);
    document.comment(
        "The chart's rollout counts as failed after 20 minutes without a ready pod; the pod goes on loading.",
    );
    if deployment.model_folder().is_some() {
        document.comment("The model is a folder: copy it into the volume, which is mounted at /data, and give its path there as modelURL.");
    }
    document.gap();
    document.comment(&pod::start_reason(deployment));
    let mut engine: Vec<(Cow<'_, str>, Yaml<'_>)> = vec![
        (
            "runtimeClassName".into(),
            Yaml::from("").comment("the cluster's own; nvidia where the GPUs need that class"),
        ),
        ("containerPort".into(), deployment.port.into()),
        (
            "startupProbe".into(),
            map([
                ("initialDelaySeconds", 15_u32.into()),
                ("periodSeconds", pod::PERIOD.into()),
                ("failureThreshold", pod::start_looks(deployment).into()),
                ("httpGet", health(deployment)),
            ]),
        ),
    ];
    if deployment.port != PORT {
        // The chart's own ask its default port.
        for probe in ["readinessProbe", "livenessProbe"] {
            engine.push((probe.into(), map([("httpGet", health(deployment))])));
        }
    }
    engine.extend(pod::security(deployment));
    engine.push(("modelSpec".into(), Yaml::List(vec![model(deployment)])));
    document.entry("servingEngineSpec", Yaml::Map(engine));
    document.finish()
}

fn health<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    map([("path", "/health".into()), ("port", deployment.port.into())])
}

fn model<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let (cpu, memory) = deployment.host();
    let mut entries: Vec<(Cow<'_, str>, Yaml<'_>)> = vec![
        ("name".into(), deployment.name().into()),
        ("repository".into(), deployment.repository.as_str().into()),
        ("tag".into(), deployment.tag.as_str().into()),
        (
            "modelURL".into(),
            dollars(&*deployment.plan.scenario.model.id).into(),
        ),
        ("replicaCount".into(), 1_u32.into()),
        ("requestCPU".into(), cpu.into()),
        (
            "requestMemory".into(),
            format!("{}Gi", memory + deployment.shared_gib()).into(),
        ),
        ("requestGPU".into(), deployment.gpus.into()),
    ];
    if !deployment.cuda() {
        entries.push(("requestGPUType".into(), deployment.resource().into()));
    }
    entries.extend([
        (
            "pvcStorage".into(),
            format!("{}Gi", deployment.storage_gib()).into(),
        ),
        ("pvcAccessMode".into(), texts(["ReadWriteOnce"])),
        ("shmSize".into(), format!("{}Gi", deployment.shared_gib()).into()),
        ("vllmConfig".into(), config(deployment)),
        ("env".into(), Yaml::List(pod::environment(deployment))),
    ]);
    let products = deployment.products();
    if deployment.cuda() && !products.is_empty() {
        entries.push(("nodeSelectorTerms".into(), pod::product_terms(products)));
    }
    Yaml::Map(entries)
}

/// The chart writes two flags whatever one says; the rest stands as it is.
fn config<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let args = deployment.plan.args.as_ref();
    let caching = args.is_some_and(|args| args.enable_prefix_caching.value);
    let tp = args.map_or(1, |args| args.tensor_parallel_size.value);
    let mut extra = Vec::new();
    for arg in deployment.args.iter().skip(1) {
        if arg.flag.as_deref().is_some_and(|flag| WRITTEN.contains(&flag)) {
            continue;
        }
        extra.extend(pod::arg(arg));
    }
    map([
        ("enablePrefixCaching", caching.into()),
        ("tensorParallelSize", tp.into()),
        ("extraArgs", Yaml::List(extra)),
    ])
}
