//! rayservice.yaml: Ray Serve LLM on KubeRay, for one engine over several nodes.
use super::{
    deployment::Deployment,
    k8s,
    pod::{self, Container},
    quote::Comments,
    yaml::{Document, Yaml, map, texts},
};
use crate::{
    command::list_values,
    engine::{FlagKind, FlagTable},
};
use std::borrow::Cow;

/// Ray's own image with vLLM, where the scenario names none.
const IMAGE: &str = "rayproject/ray-llm:latest";
/// Of the user `ray`, 1000 in group 100, as whom Ray's images run.
const HOME: &str = "/home/ray";
/// Flags of the server, which Ray has its own of.
const SERVER: &[&str] = &["--served-model-name", "--port"];

/// rayservice.yaml
pub(crate) fn ray(deployment: &Deployment<'_>, header: &Comments) -> String {
    let scenario = &deployment.plan.scenario;
    let mut document = Document::new(header);
    for line in [
        "",
        &deployment.nodes.reason(),
        "kubectl apply -f rayservice.yaml, in a cluster with KubeRay.",
        "The image holds Ray and its own vLLM: choose a tag whose `vllm --version` prints",
        &format!("{}, other versions have other defaults.", scenario.vllm_version),
    ] {
        document.comment(line);
    }
    k8s::secret(&mut document, deployment);
    document.comment("The volume is shared by all nodes, so that the weights are fetched once: it needs a class that can be ReadWriteMany.");
    k8s::claim(&mut document, deployment, "ReadWriteMany");
    document.object(
        "ray.io/v1",
        "RayService",
        deployment.name(),
        pod::labels(deployment),
    );
    document.entry(
        "spec",
        map([
            ("serveConfigV2", Yaml::Block(serve_config(deployment))),
            (
                "rayClusterConfig",
                map([
                    ("headGroupSpec", head(deployment)),
                    ("workerGroupSpecs", Yaml::List(vec![workers(deployment)])),
                ]),
            ),
        ]),
    );
    document.finish()
}

fn serve_config(deployment: &Deployment<'_>) -> String {
    let scenario = &deployment.plan.scenario;
    let id = scenario.model.id.as_str();
    let served = scenario.engine.served_model_name.as_deref().unwrap_or(id);
    let replicas = map([("min_replicas", 1_u32.into()), ("max_replicas", 1_u32.into())]);
    let config = map([
        (
            "model_loading_config",
            map([("model_id", served.into()), ("model_source", id.into())]),
        ),
        ("engine_kwargs", Yaml::Map(engine_kwargs(deployment))),
        ("deployment_config", map([("autoscaling_config", replicas)])),
    ]);
    let application = map([
        ("name", "llm".into()),
        ("route_prefix", "/".into()),
        ("import_path", "ray.serve.llm:build_openai_app".into()),
        ("args", map([("llm_configs", Yaml::List(vec![config]))])),
    ]);
    let mut document = Document::new(&Comments::default());
    document.entry("applications", Yaml::List(vec![application]));
    document.finish()
}

/// The arguments under their names in Python.
fn engine_kwargs<'a>(deployment: &'a Deployment<'_>) -> Vec<(Cow<'a, str>, Yaml<'a>)> {
    let table = FlagTable::of(deployment.plan.scenario.vllm_version);
    let mut entries = Vec::new();
    for arg in deployment.args.iter().skip(1) {
        let Some(flag) = arg.flag.as_deref().filter(|flag| !SERVER.contains(flag)) else {
            continue;
        };
        let found = table.find(flag);
        let (name, negated) = found
            .as_ref()
            .map_or((flag, false), |found| (found.flag.flag, found.negated));
        let is_list = found
            .as_ref()
            .is_some_and(|found| found.flag.kind == FlagKind::List);
        let value = match arg.values.as_slice() {
            [] => Yaml::Bool(!negated),
            [one] if !is_list => typed(one),
            many => texts(many.iter().flat_map(|value| list_values(value))),
        };
        let dotted = found.map(|found| found.dotted).unwrap_or_default();
        let key = format!("{}{dotted}", name.trim_start_matches('-').replace('-', "_"));
        entries.push((Cow::Owned(key), value));
    }
    entries.push(("distributed_executor_backend".into(), "ray".into()));
    entries
}

/// A number, a JSON object or a text, as Python's parser would take it.
fn typed(text: &str) -> Yaml<'_> {
    if let Ok(whole) = text.parse::<u64>() {
        return Yaml::Int(whole);
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Number(number)) => number.as_f64().map_or_else(|| text.into(), Yaml::Number),
        Ok(value @ serde_json::Value::Object(_)) => from_json(value),
        _ => text.into(),
    }
}

fn from_json(value: serde_json::Value) -> Yaml<'static> {
    use serde_json::Value;
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => number
            .as_u64()
            .map(Yaml::Int)
            .or_else(|| number.as_f64().map(Yaml::Number))
            .unwrap_or(Yaml::Null),
        Value::String(text) => text.into(),
        Value::Array(items) => Yaml::List(items.into_iter().map(from_json).collect()),
        Value::Object(entries) => Yaml::Map(
            entries
                .into_iter()
                .map(|(key, value)| (Cow::Owned(key), from_json(value)))
                .collect(),
        ),
    }
}

/// A pod without GPUs that keeps the cluster and takes requests.
fn head<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let amount = map([("cpu", 2_u32.into()), ("memory", "8Gi".into())]);
    let ports = [
        (6379_u32, "gcs"),
        (8265, "dashboard"),
        (10001, "client"),
        (8000, "serve"),
    ]
    .map(|(port, name)| map([("containerPort", port.into()), ("name", name.into())]));
    let container = map([
        ("name", "ray-head".into()),
        ("image", image(deployment).into()),
        ("env", Yaml::List(pod::environment(deployment))),
        ("ports", Yaml::List(ports.into())),
        (
            "resources",
            map([("requests", amount.clone()), ("limits", amount)]),
        ),
    ]);
    map([
        (
            "rayStartParams",
            map([("num-cpus", Yaml::from("0").comment("no work of the model here"))]),
        ),
        (
            "template",
            map([(
                "spec",
                map([
                    ("enableServiceLinks", false.into()),
                    ("containers", Yaml::List(vec![container])),
                ]),
            )]),
        ),
    ])
}

fn workers<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let container = Container {
        deployment,
        name: "ray-worker",
        command: Yaml::Null,
        args: Vec::new(),
        serves: false,
    };
    let cache = map([("claimName", deployment.name().into())]);
    let mut spec = pod::bare_spec(
        deployment,
        container.with_image(image(deployment), HOME),
        ("persistentVolumeClaim", cache),
    );
    let group = map([("fsGroup", Yaml::from(100_u32).comment("of Ray's user"))]);
    spec.push(("securityContext".into(), group));
    let count = deployment.nodes.count;
    map([
        ("groupName", "gpu".into()),
        ("replicas", count.into()),
        ("minReplicas", count.into()),
        ("maxReplicas", count.into()),
        ("rayStartParams", map([])),
        ("template", map([("spec", Yaml::Map(spec))])),
    ])
}

fn image(deployment: &Deployment<'_>) -> String {
    let image = &deployment.plan.scenario.deploy.image;
    image.clone().unwrap_or_else(|| IMAGE.to_owned())
}
