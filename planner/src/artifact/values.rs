//! k8s-values.yaml for vLLM's own Helm chart, `examples/deployment/chart-helm` at 0.33.0.
//!
//! What the chart does with a value was read from its templates; its schema lists only some of the keys it reads
//! (`image.env` is one that it does not list).
use super::{
    deployment::Deployment,
    pod,
    quote::{Comments, dollars},
    yaml::{Document, Yaml, map, texts},
};

/// k8s-values.yaml
pub(crate) fn values(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    introduction(&mut document, deployment);
    workload(&mut document, deployment);
    storage(&mut document, deployment);
    probes(&mut document, deployment);
    document.gap();
    document
        .comment("Pods are selected by these labels alone: no two releases in a namespace may share them.");
    document.entry(
        "labels",
        map([
            ("environment", "vllm".into()),
            ("release", deployment.name().into()),
        ]),
    );
    document.finish()
}

fn introduction(document: &mut Document, deployment: &Deployment<'_>) {
    let deploy = &deployment.plan.scenario.deploy;
    let version = deployment.plan.scenario.vllm_version;
    document.comment("");
    document.comment(&format!(
        "Values for the chart in vLLM's repository, examples/deployment/chart-helm at v{version}:"
    ));
    document.comment(&format!(
        "helm install {0} vllm/examples/deployment/chart-helm -f k8s-values.yaml",
        deployment.name()
    ));
    document.comment(&format!(
        "A gated model needs: kubectl create secret generic {} --from-literal=token=\"$HF_TOKEN\"",
        deploy.hf_secret
    ));
    document.comment("What this chart cannot do:");
    if deployment.gpus > 1 {
        document.comment(
            "- /dev/shm keeps the container's 64 MiB; if the log says \"No space left on device\" or \"Bus error\", mount an emptyDir of medium Memory there.",
        );
    }
    document.comment("- no startup probe: the liveness probe below waits for a first start instead.");
    document.comment(
        "- its Deployment counts as failed after 20 minutes without a ready pod; the pod goes on loading.",
    );
    if deployment.non_root() {
        document
            .comment("- no security context: its containers run as the image's default user, which is root.");
    }
    document.comment("- its storage is ReadWriteOnce: all pods of a release run on one node.");
}

fn workload(document: &mut Document, deployment: &Deployment<'_>) {
    document.gap();
    document.entry("image", image(deployment));
    document.gap();
    document.entry("containerPort", deployment.port);
    document.comment("Never `vllm`: Kubernetes would set VLLM_PORT to a URL, and vLLM refuses to start.");
    document.entry("serviceName", deployment.name());
    document.entry("servicePort", 80_u32);
    document.gap();
    document.entry("replicaCount", 1_u32);
    document.comment("A rolling update would need the GPUs twice.");
    document.entry("deploymentStrategy", map([("type", "Recreate".into())]));
    document.gap();
    document.comment("GPUs are what the plan takes. Processor and main memory are rules of thumb: two cores and 6 GiB a GPU");
    document.comment("beyond 2 cores and 8 GiB, twice that as the limit.");
    let (cpu, memory) = deployment.host();
    let amount = |times: u32| {
        map([
            ("cpu", (cpu * times).into()),
            ("memory", format!("{}Gi", memory * times).into()),
            ("nvidia.com/gpu", deployment.gpus.into()),
        ])
    };
    document.entry("resources", map([("requests", amount(1)), ("limits", amount(2))]));
    document.gap();
    gpu_models(document, deployment);
}

/// The chart always asks for a node with one of these products.
fn gpu_models(document: &mut Document, deployment: &Deployment<'_>) {
    document.comment(
        "The label nvidia.com/gpu.product of your nodes; kubectl get nodes -L nvidia.com/gpu.product",
    );
    let mut names = deployment.products();
    if names.is_empty() {
        document
            .comment("REPLACE THIS: the chart demands a product, and the plan is for a GPU without a name.");
        names.push("REPLACE-WITH-YOUR-GPU-PRODUCT".to_owned());
    }
    document.entry("gpuModels", texts(names.iter().map(String::as_str)));
}

fn image<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let mut command = vec![Yaml::from("vllm"), Yaml::from("serve")];
    for arg in &deployment.args {
        for (i, word) in arg.words().into_iter().enumerate() {
            let item = Yaml::from(dollars(word));
            command.push(if i == 0 { item.comment(&arg.why) } else { item });
        }
    }
    let secret = map([
        ("name", deployment.plan.scenario.deploy.hf_secret.as_str().into()),
        ("key", "token".into()),
        ("optional", true.into()),
    ]);
    let mut env = vec![
        map([
            ("name", "HF_TOKEN".into()),
            ("valueFrom", map([("secretKeyRef", secret)])),
        ]),
        map([
            ("name", "HF_HOME".into()),
            (
                "value",
                Yaml::from("/data/huggingface").comment("weights stay on the volume"),
            ),
        ]),
        map([
            ("name", "VLLM_CACHE_ROOT".into()),
            ("value", Yaml::from("/data/vllm").comment("so do compiled graphs")),
        ]),
    ];
    env.extend(pod::variables(deployment));
    map([
        ("repository", deployment.repository.as_str().into()),
        ("tag", deployment.tag.as_str().into()),
        ("command", Yaml::List(command)),
        ("env", Yaml::List(env)),
    ])
}

fn storage(document: &mut Document, deployment: &Deployment<'_>) {
    document.gap();
    document.comment("No download from S3: vLLM itself fetches the weights into the volume, which the chart mounts at /data.");
    if deployment.model_folder().is_some() {
        document.comment(
            "The model is a folder: copy it into the volume and give its path below /data in the command.",
        );
    }
    document.entry(
        "extraInit",
        map([
            ("modelDownload", map([("enabled", false.into())])),
            ("initContainers", Yaml::List(Vec::new())),
            ("pvcStorage", format!("{}Gi", deployment.storage_gib()).into()),
        ]),
    );
}

fn probes(document: &mut Document, deployment: &Deployment<'_>) {
    const PERIOD: u64 = 10;
    let probe = |delay: u64, failures: u64| {
        map([
            ("initialDelaySeconds", delay.into()),
            ("periodSeconds", PERIOD.into()),
            ("failureThreshold", failures.into()),
            (
                "httpGet",
                map([("path", "/health".into()), ("port", deployment.port.into())]),
            ),
        ])
    };
    document.gap();
    document.comment(&deployment.start_reason());
    document
        .comment("The liveness probe gives it that and half as much again before it restarts the container.");
    document.entry("readinessProbe", probe(30, 3));
    document.entry(
        "livenessProbe",
        probe(
            deployment.start_seconds,
            (deployment.start_seconds / 2).div_ceil(PERIOD),
        ),
    );
}
