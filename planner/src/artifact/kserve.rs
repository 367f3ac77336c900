//! KServe: kserve-inferenceservice.yaml with vLLM's own image as the predictor, and kserve-llminferenceservice.yaml, where
//! KServe brings the command and the router.
use super::{
    deployment::Deployment,
    k8s,
    nodes::Spread,
    pod::{self, Container},
    quote::{Comments, dollars, shell_word},
    yaml::{Document, Yaml, map, texts},
};
use std::borrow::Cow;

/// Where KServe puts the model.
const SERVED: &[&str] = &["--served-model-name", "--port", "--revision"];

/// kserve-inferenceservice.yaml
pub(crate) fn inference_service(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    let name = deployment.name();
    for line in [
        "",
        "kubectl apply -f kserve-inferenceservice.yaml, in a cluster with KServe. The predictor is vLLM's own image, so that version and flags are the plan's;",
        "its paths are vLLM's: /v1/chat/completions.",
    ] {
        document.comment(line);
    }
    k8s::secret(&mut document, deployment);
    k8s::claim(&mut document, deployment, "ReadWriteOnce");
    document.text("---\n");
    document.entry("apiVersion", "serving.kserve.io/v1beta1");
    document.entry("kind", "InferenceService");
    document.entry(
        "metadata",
        map([
            ("name", name.into()),
            ("labels", pod::labels(deployment)),
            (
                "annotations",
                map([(
                    "serving.kserve.io/deploymentMode",
                    Yaml::from("RawDeployment")
                        .comment("a plain Deployment: Knative takes neither volumes nor long starts"),
                )]),
            ),
        ]),
    );
    let container = Container {
        deployment,
        name: "kserve-container",
        command: texts(["vllm", "serve"]),
        args: pod::words(deployment),
        serves: true,
    };
    let cache = map([("claimName", name.into())]);
    let mut predictor: Vec<(Cow<'_, str>, Yaml<'_>)> = vec![
        ("minReplicas".into(), 1_u32.into()),
        ("maxReplicas".into(), 1_u32.into()),
        (
            "deploymentStrategy".into(),
            map([(
                "type",
                Yaml::from("Recreate").comment("a rolling update would need the GPUs twice"),
            )]),
        ),
    ];
    predictor.extend(pod::spec(
        deployment,
        container.yaml(),
        ("persistentVolumeClaim", cache),
    ));
    document.comment(&pod::start_reason(deployment));
    document.entry("spec", map([("predictor", Yaml::Map(predictor))]));
    document.finish()
}

/// kserve-llminferenceservice.yaml
pub(crate) fn llm_inference_service(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    for line in [
        "",
        "kubectl apply -f kserve-llminferenceservice.yaml, in a cluster with KServe's LLMInferenceService and a gateway.",
        "KServe fetches the model, writes the command and puts a router before it; VLLM_ADDITIONAL_ARGS holds the plan's flags.",
    ] {
        document.comment(line);
    }
    document.comment(&deployment.nodes.reason());
    k8s::secret(&mut document, deployment);
    document.gap();
    document.entry("apiVersion", "serving.kserve.io/v1alpha2");
    document.entry("kind", "LLMInferenceService");
    document.entry(
        "metadata",
        map([
            ("name", deployment.name().into()),
            ("labels", pod::labels(deployment)),
        ]),
    );
    document.comment(&pod::start_reason(deployment));
    let scenario = &deployment.plan.scenario;
    let id = scenario.model.id.as_str();
    let uri = match &scenario.model.revision {
        Some(revision) => format!("hf://{id}:{revision}"),
        None => format!("hf://{id}"),
    };
    let served = scenario.engine.served_model_name.as_deref().unwrap_or(id);
    let mut spec: Vec<(Cow<'_, str>, Yaml<'_>)> = vec![
        (
            "model".into(),
            map([("uri", uri.into()), ("name", served.into())]),
        ),
        ("replicas".into(), 1_u32.into()),
    ];
    if let Some(sizes) = parallelism(deployment) {
        spec.push(("parallelism".into(), sizes));
    }
    let part = || map([("scheduler", map([])), ("route", map([])), ("gateway", map([]))]);
    spec.push(("router".into(), part()));
    spec.push(("template".into(), template(deployment, true)));
    if !deployment.nodes.is_alone() {
        spec.push(("worker".into(), template(deployment, false)));
    }
    document.entry("spec", Yaml::Map(spec));
    document.finish()
}

/// Sizes that KServe has to know to lay out nodes.
fn parallelism<'a>(deployment: &'a Deployment<'_>) -> Option<Yaml<'a>> {
    let args = deployment.plan.args.as_ref()?;
    let tensor = ("tensor", args.tensor_parallel_size.value.into());
    match deployment.nodes.spread {
        Spread::Alone => None,
        Spread::Parts { .. } => Some(map([
            tensor,
            ("pipeline", args.pipeline_parallel_size.value.into()),
        ])),
        Spread::Engines(local) => Some(map([
            tensor,
            ("data", args.data_parallel_size.value.into()),
            ("dataLocal", local.into()),
            ("expert", args.enable_expert_parallel.value.into()),
        ])),
    }
}

/// The pod as far as it differs from KServe's own.
fn template<'a>(deployment: &'a Deployment<'_>, serves: bool) -> Yaml<'a> {
    let flags: Vec<String> = deployment
        .args
        .iter()
        .skip(1)
        .filter(|arg| !arg.flag.as_deref().is_some_and(|flag| SERVED.contains(&flag)))
        .flat_map(super::argv::Arg::words)
        .map(|word| shell_word(&word))
        .collect();
    let mut env = pod::environment(deployment);
    env.push(map([
        ("name", "VLLM_ADDITIONAL_ARGS".into()),
        ("value", dollars(flags.join(" ")).into()),
    ]));
    let mut container: Vec<(Cow<'_, str>, Yaml<'_>)> = vec![
        ("name".into(), "main".into()),
        ("image".into(), deployment.image().into()),
        ("env".into(), Yaml::List(env)),
        ("resources".into(), pod::resources(deployment)),
    ];
    if serves {
        // Path, port and scheme stay KServe's own: it decides about TLS.
        container.push((
            "startupProbe".into(),
            map([
                ("periodSeconds", pod::PERIOD.into()),
                ("failureThreshold", pod::start_looks(deployment).into()),
            ]),
        ));
    }
    let mut entries: Vec<(Cow<'_, str>, Yaml<'_>)> = vec![(
        "enableServiceLinks".into(),
        Yaml::from(false).comment("a service named vllm would set VLLM_PORT to a URL"),
    )];
    entries.extend(pod::affinity(deployment));
    entries.extend(pod::security(deployment));
    entries.push(("containers".into(), Yaml::List(vec![Yaml::Map(container)])));
    Yaml::Map(entries)
}
