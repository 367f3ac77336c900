//! k8s.yaml: plain manifests, for one node.
use super::{
    deployment::Deployment,
    pod::{self, Container},
    quote::Comments,
    yaml::{Document, Yaml, map, texts},
};
use crate::gpu::Vendor;

/// k8s.yaml
pub(crate) fn k8s(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    introduction(&mut document, deployment);
    claim(&mut document, deployment, "ReadWriteOnce");
    service(&mut document, deployment);
    workload(&mut document, deployment);
    document.finish()
}

/// What every file for a cluster says of the token.
pub(crate) fn secret(document: &mut Document, deployment: &Deployment<'_>) {
    document.comment(&format!(
        "A gated model needs: kubectl create secret generic {} --from-literal=token=\"$HF_TOKEN\"",
        deployment.plan.scenario.deploy.hf_secret
    ));
}

fn introduction(document: &mut Document, deployment: &Deployment<'_>) {
    document.comment("");
    document.comment("kubectl apply -f k8s.yaml");
    secret(document, deployment);
    document.comment(
        "Processor and main memory are rules of thumb: two cores and 6 GiB a GPU beyond 2 cores and 8 GiB, twice that as the limit.",
    );
    if deployment.model_folder().is_some() {
        document
            .comment("The model's folder is taken from the node: it has to lie there under the same path.");
    }
    if !deployment.cuda() {
        document.comment(
            "No node affinity: the labels of AMD's and Intel's GPUs depend on the labeller in the cluster.",
        );
        if deployment.vendor == Vendor::Intel {
            document.comment("Intel's device plugin gives the GPUs; for PyTorch its README says to choose how it mounts by-path (-bypath). Not tried on a cluster here.");
        }
    } else if deployment.products().is_empty() {
        document.comment("No node affinity: the plan is for a GPU without a name.");
    }
}

/// The volume for weights and compiled graphs.
pub(crate) fn claim(document: &mut Document, deployment: &Deployment<'_>, mode: &'static str) {
    document.object(
        "v1",
        "PersistentVolumeClaim",
        deployment.name(),
        pod::labels(deployment),
    );
    let size = map([(
        "storage",
        Yaml::from(format!("{}Gi", deployment.storage_gib()))
            .comment("weights, a fifth more, and 10 GiB of caches"),
    )]);
    document.entry(
        "spec",
        map([
            ("accessModes", texts([mode])),
            ("resources", map([("requests", size)])),
        ]),
    );
}

fn service(document: &mut Document, deployment: &Deployment<'_>) {
    document.object("v1", "Service", deployment.name(), pod::labels(deployment));
    document.entry("spec", service_spec(pod::labels(deployment)));
}

/// Port 80 of the pods with these labels.
pub(crate) fn service_spec(selector: Yaml<'_>) -> Yaml<'_> {
    let port = map([
        ("name", "http".into()),
        ("port", 80_u32.into()),
        ("targetPort", "http".into()),
    ]);
    map([("selector", selector), ("ports", Yaml::List(vec![port]))])
}

fn workload(document: &mut Document, deployment: &Deployment<'_>) {
    document.object(
        "apps/v1",
        "Deployment",
        deployment.name(),
        pod::labels(deployment),
    );
    let container = Container {
        deployment,
        name: "vllm",
        command: texts(["vllm", "serve"]),
        args: pod::words(deployment),
        serves: true,
    };
    let cache = map([("claimName", deployment.name().into())]);
    let spec = pod::spec(deployment, container.yaml(), ("persistentVolumeClaim", cache));
    document.comment(&pod::start_reason(deployment));
    document.entry(
        "spec",
        map([
            ("replicas", 1_u32.into()),
            (
                "progressDeadlineSeconds",
                Yaml::from(pod::deadline(deployment))
                    .comment("the startup probe's time and ten minutes for the image"),
            ),
            (
                "strategy",
                map([(
                    "type",
                    Yaml::from("Recreate").comment("a rolling update would need the GPUs twice"),
                )]),
            ),
            ("selector", map([("matchLabels", pod::labels(deployment))])),
            (
                "template",
                map([
                    ("metadata", map([("labels", pod::labels(deployment))])),
                    ("spec", Yaml::Map(spec)),
                ]),
            ),
        ]),
    );
}
