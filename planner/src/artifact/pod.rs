//! What pods of vLLM share, whatever object holds them: container, volumes, probes, the node they need.
use super::{
    argv::Arg,
    deployment::Deployment,
    quote::dollars,
    yaml::{Yaml, map, texts},
};
use crate::gpu::Vendor;
use std::borrow::Cow;

/// Seconds between two looks of the startup and liveness probes.
pub(crate) const PERIOD: u64 = 10;

type Entries<'a> = Vec<(Cow<'a, str>, Yaml<'a>)>;

/// What follows `vllm serve`, one word an item, the reason behind each flag.
pub(crate) fn words<'a>(deployment: &'a Deployment<'_>) -> Vec<Yaml<'a>> {
    deployment.args.iter().flat_map(arg).collect()
}

/// The words of one argument.
pub(crate) fn arg(arg: &Arg) -> Vec<Yaml<'_>> {
    let item = |(i, word)| {
        let item = Yaml::from(dollars(word));
        if i == 0 { item.comment(&arg.why) } else { item }
    };
    arg.words().into_iter().enumerate().map(item).collect()
}

/// The container, without what it runs.
pub(crate) struct Container<'a, 'b> {
    pub(crate) deployment: &'a Deployment<'b>,
    pub(crate) name: &'a str,
    pub(crate) command: Yaml<'a>,
    pub(crate) args: Vec<Yaml<'a>>,
    /// It answers requests.
    pub(crate) serves: bool,
}

impl<'a> Container<'a, '_> {
    pub(crate) fn yaml(self) -> Yaml<'a> {
        let (image, home) = (self.deployment.image(), self.deployment.home());
        self.with_image(image, home)
    }

    /// Of another image than vLLM's, whose user has another home; without a command where the image's own is meant.
    pub(crate) fn with_image(self, image: String, home: &str) -> Yaml<'a> {
        let deployment = self.deployment;
        let mut entries: Entries = vec![("name".into(), self.name.into()), ("image".into(), image.into())];
        if !matches!(self.command, Yaml::Null) {
            entries.push(("command".into(), self.command));
        }
        if !self.args.is_empty() {
            entries.push(("args".into(), Yaml::List(self.args)));
        }
        entries.push(("env".into(), Yaml::List(environment(deployment))));
        if self.serves {
            let port = map([("name", "http".into()), ("containerPort", deployment.port.into())]);
            entries.push(("ports".into(), Yaml::List(vec![port])));
        }
        entries.push(("resources".into(), resources(deployment)));
        if self.serves {
            entries.extend(probes(deployment));
        }
        entries.push(("volumeMounts".into(), Yaml::List(mounts(deployment, home))));
        if deployment.vendor == Vendor::Amd {
            let context = map([
                ("capabilities", map([("add", texts(["SYS_PTRACE"]))])),
                ("seccompProfile", map([("type", "Unconfined".into())])),
            ]);
            entries.push(("securityContext".into(), context));
        }
        Yaml::Map(entries)
    }
}

/// The token from the secret, where there is one.
pub(crate) fn environment<'a>(deployment: &'a Deployment<'_>) -> Vec<Yaml<'a>> {
    let secret = map([
        ("name", deployment.plan.scenario.deploy.hf_secret.as_str().into()),
        ("key", "token".into()),
        (
            "optional",
            Yaml::from(true).comment("models that are not gated need none"),
        ),
    ]);
    let token = map([
        ("name", "HF_TOKEN".into()),
        ("valueFrom", map([("secretKeyRef", secret)])),
    ]);
    std::iter::once(token).chain(variables(deployment)).collect()
}

/// What the plan relies on.
pub(crate) fn variables<'a>(deployment: &Deployment<'_>) -> impl Iterator<Item = Yaml<'a>> {
    let one = |(name, value): (&'static str, String)| map([("name", name.into()), ("value", value.into())]);
    deployment.env().into_iter().map(one)
}

/// GPUs as the plan takes them; processor and main memory by rule of thumb.
pub(crate) fn resources<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let (cpu, memory) = deployment.host();
    let shared = deployment.shared_gib();
    let amount = |times: u32| {
        map([
            ("cpu", (cpu * times).into()),
            // What lies in /dev/shm counts as the container's.
            ("memory", format!("{}Gi", memory * times + shared).into()),
            (deployment.resource(), deployment.gpus.into()),
        ])
    };
    map([("requests", amount(1)), ("limits", amount(2))])
}

/// Starting may take its time; then a pod that does not answer for a minute is started again.
fn probes<'a>(deployment: &'a Deployment<'_>) -> [(Cow<'a, str>, Yaml<'a>); 3] {
    let probe = |period: u64, failures: u64| {
        map([
            (
                "httpGet",
                map([("path", "/health".into()), ("port", "http".into())]),
            ),
            ("periodSeconds", period.into()),
            ("timeoutSeconds", 5_u32.into()),
            ("failureThreshold", failures.into()),
        ])
    };
    [
        ("startupProbe".into(), probe(PERIOD, start_looks(deployment))),
        ("readinessProbe".into(), probe(5, 3)),
        ("livenessProbe".into(), probe(PERIOD, 6)),
    ]
}

/// How often the startup probe may fail: for as long as a first start may take, and half as much again.
pub(crate) fn start_looks(deployment: &Deployment<'_>) -> u64 {
    (deployment.start_seconds * 3 / 2).div_ceil(PERIOD)
}

/// Seconds until a rollout counts as failed: the startup probe's time, and ten minutes for the image.
pub(crate) fn deadline(deployment: &Deployment<'_>) -> u64 {
    start_looks(deployment) * PERIOD + 600
}

/// How the startup probe's time comes about.
pub(crate) fn start_reason(deployment: &Deployment<'_>) -> String {
    format!(
        "{} The startup probe waits that long and half as much again.",
        deployment.start_reason()
    )
}

fn mounts<'a>(deployment: &'a Deployment<'_>, home: &str) -> Vec<Yaml<'a>> {
    let mount = |name: &'static str, path| map([("name", name.into()), ("mountPath", path)]);
    let mut mounts = vec![
        mount("cache", format!("{home}/.cache").into()),
        mount("shm", "/dev/shm".into()),
    ];
    if let Some(folder) = deployment.model_folder() {
        mounts.push(map([
            ("name", "model".into()),
            ("mountPath", folder.into()),
            ("readOnly", true.into()),
        ]));
    }
    mounts
}

/// Volumes for [`mounts`]; `cache` is where weights and compiled graphs stay.
pub(crate) fn volumes<'a>(deployment: &'a Deployment<'_>, cache: (&'static str, Yaml<'a>)) -> Vec<Yaml<'a>> {
    let shared = map([
        ("medium", "Memory".into()),
        (
            "sizeLimit",
            Yaml::from(format!("{}Gi", deployment.shared_gib()))
                .comment("a bound; what is not written takes nothing"),
        ),
    ]);
    let mut volumes = vec![
        map([("name", "cache".into()), cache]),
        map([("name", "shm".into()), ("emptyDir", shared)]),
    ];
    if let Some(folder) = deployment.model_folder() {
        let folder = map([("path", folder.into()), ("type", "Directory".into())]);
        volumes.push(map([("name", "model".into()), ("hostPath", folder)]));
    }
    volumes
}

/// Nodes with the plan's GPU; nothing where their label is not known.
pub(crate) fn affinity<'a>(deployment: &'a Deployment<'_>) -> Option<(Cow<'a, str>, Yaml<'a>)> {
    let products = deployment.products();
    if !deployment.cuda() || products.is_empty() {
        return None;
    }
    let required = map([("nodeSelectorTerms", product_terms(products))]);
    let node = map([("requiredDuringSchedulingIgnoredDuringExecution", required)]);
    Some(("affinity".into(), map([("nodeAffinity", node)])))
}

/// Terms of a node selector for one of these products.
pub(crate) fn product_terms(products: Vec<String>) -> Yaml<'static> {
    let label = map([
        ("key", "nvidia.com/gpu.product".into()),
        ("operator", "In".into()),
        ("values", texts(products)),
    ]);
    Yaml::List(vec![map([("matchExpressions", Yaml::List(vec![label]))])])
}

/// Who runs a pod of vLLM's image, where not root.
pub(crate) fn security<'a>(deployment: &'a Deployment<'_>) -> Option<(Cow<'a, str>, Yaml<'a>)> {
    let context = map([
        ("runAsNonRoot", true.into()),
        ("runAsUser", 2000_u32.into()),
        ("runAsGroup", 0_u32.into()),
        (
            "fsGroup",
            Yaml::from(0_u32).comment("group 0 may write the volumes"),
        ),
    ]);
    deployment.non_root().then(|| ("securityContext".into(), context))
}

/// The spec of a pod with one container of vLLM's image.
pub(crate) fn spec<'a>(
    deployment: &'a Deployment<'_>,
    container: Yaml<'a>,
    cache: (&'static str, Yaml<'a>),
) -> Entries<'a> {
    let mut entries = bare_spec(deployment, container, cache);
    entries.extend(security(deployment));
    entries
}

/// The same for another image.
pub(crate) fn bare_spec<'a>(
    deployment: &'a Deployment<'_>,
    container: Yaml<'a>,
    cache: (&'static str, Yaml<'a>),
) -> Entries<'a> {
    let mut entries: Entries = vec![(
        "enableServiceLinks".into(),
        Yaml::from(false).comment("a service named vllm would set VLLM_PORT to a URL"),
    )];
    entries.extend(affinity(deployment));
    entries.push((
        "terminationGracePeriodSeconds".into(),
        Yaml::from(60_u32).comment("for answers under way"),
    ));
    entries.push(("containers".into(), Yaml::List(vec![container])));
    entries.push(("volumes".into(), Yaml::List(volumes(deployment, cache))));
    entries
}

/// The label by which services and controllers find the pods.
pub(crate) fn labels<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    map([("app.kubernetes.io/name", deployment.name().into())])
}
