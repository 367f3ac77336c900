//! docker-compose.yaml
use super::{
    deployment::{BY_PATH, Deployment},
    nodes::Word,
    quote::{Comments, dollars},
    yaml::{Document, Yaml, map, texts},
};
use crate::gpu::Vendor;

/// docker-compose.yaml
pub(crate) fn compose(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    document.gap();
    document.entry("name", deployment.name());
    document.gap();
    document.comment(
        "HF_TOKEN and VLLM_API_KEY come from the environment or from a file .env beside this one; they are never written here.",
    );
    document.comment(&deployment.start_reason());
    let name = deployment.name();
    let services = if deployment.nodes.is_alone() {
        vec![(name.to_owned().into(), service(deployment, None))]
    } else {
        on_each_node(&mut document, deployment);
        vec![
            (name.to_owned().into(), service(deployment, Some("head"))),
            (
                format!("{name}-worker").into(),
                service(deployment, Some("worker")),
            ),
        ]
    };
    document.entry("services", Yaml::Map(services));
    document.gap();
    document.comment("Keeps compiled graphs for the next start.");
    document.entry("volumes", map([("vllm-cache", map([]))]));
    document.finish()
}

fn on_each_node(document: &mut Document, deployment: &Deployment<'_>) {
    document.comment(&deployment.nodes.reason());
    document.comment("On the first node: docker compose --profile head up");
    document.comment("On each other:     docker compose --profile worker up");
    document.comment(
        "HEAD_ADDRESS on all of them, and the number of the node on the others, as .env.example says.",
    );
}

/// `role` is the profile of a node, where there are several.
fn service<'a>(deployment: &'a Deployment<'_>, role: Option<&'static str>) -> Yaml<'a> {
    let mut entries = vec![
        ("image", dollars(deployment.image()).into()),
        ("command", command(deployment, role)),
    ];
    if deployment.non_root() {
        entries.push((
            "user",
            Yaml::from("2000:0").comment("group 0 has to be able to write the mounted folders"),
        ));
    }
    match role {
        None => entries.push(("ports", texts([format!("{0}:{0}", deployment.port)]))),
        Some(role) => {
            entries.push(("profiles", texts([role])));
            entries.push((
                "network_mode",
                Yaml::from("host").comment("the nodes talk over ports of their choice"),
            ));
        }
    }
    entries.extend([
        ("environment", environment(deployment)),
        ("volumes", volumes(deployment)),
        (
            "ipc",
            Yaml::from("host").comment("the GPUs' processes share memory"),
        ),
        ("restart", "unless-stopped".into()),
    ]);
    if role != Some("worker") {
        entries.push(("healthcheck", healthcheck(deployment)));
    }
    match deployment.vendor {
        Vendor::Amd => entries.extend([
            ("devices", texts(["/dev/kfd:/dev/kfd", "/dev/dri:/dev/dri"])),
            ("group_add", texts(["video"])),
            ("cap_add", texts(["SYS_PTRACE"])),
            ("security_opt", texts(["seccomp=unconfined"])),
        ]),
        Vendor::Intel => entries.extend([
            ("devices", texts(["/dev/dri:/dev/dri"])),
            (
                "privileged",
                Yaml::from(true).comment("as vLLM's documentation starts it on Intel's GPUs"),
            ),
        ]),
        Vendor::Nvidia | Vendor::Google => entries.push(("deploy", reservation(deployment))),
    }
    Yaml::Map(
        entries
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect(),
    )
}

/// One list entry per word; the reason stands behind the flag.
fn command<'a>(deployment: &'a Deployment<'_>, role: Option<&str>) -> Yaml<'a> {
    let mut items = Vec::new();
    for arg in &deployment.args {
        for (i, word) in arg.words().into_iter().enumerate() {
            let item = Yaml::from(dollars(word));
            items.push(match i {
                0 => item.comment(&arg.why),
                _ => item,
            });
        }
    }
    let worker = role == Some("worker");
    let mut node = deployment.nodes.common();
    if worker {
        node.extend(deployment.nodes.others());
    }
    items.extend(node.into_iter().map(|word| match word {
        Word::Plain(text) => text.into(),
        Word::Rank if worker => "${NODE_RANK:-1}".into(),
        Word::Rank => "0".into(),
        Word::Head => "${HEAD_ADDRESS:?is the address of the first node}".into(),
        Word::Start(engines) => format!("${{START_RANK:-{engines}}}").into(),
    }));
    Yaml::List(items)
}

fn environment<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    // vLLM takes an empty key for none.
    let mut entries = vec![
        ("HF_TOKEN".into(), Yaml::from("${HF_TOKEN:-}")),
        ("VLLM_API_KEY".into(), Yaml::from("${VLLM_API_KEY:-}")),
    ];
    // With CUDA the reservation names them.
    if let Some(devices) = deployment.visible_devices().filter(|_| !deployment.cuda())
        && let Some((variable, ids)) = devices.split_once('=')
    {
        entries.push((variable.to_owned().into(), ids.to_owned().into()));
    }
    for (name, value) in deployment.env() {
        entries.push((name.into(), value.into()));
    }
    Yaml::Map(entries)
}

fn volumes<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let home = deployment.home();
    let mut items = vec![
        Yaml::from(format!(
            "${{HF_HOME:-${{HOME}}/.cache/huggingface}}:{home}/.cache/huggingface"
        )),
        Yaml::from(format!("vllm-cache:{home}/.cache/vllm")),
    ];
    if deployment.vendor == Vendor::Intel {
        items.push(BY_PATH.into());
    }
    if let Some(folder) = deployment.model_folder() {
        let folder = dollars(folder);
        items.push(map([
            ("type", "bind".into()),
            ("source", folder.clone().into()),
            ("target", folder.into()),
            ("read_only", true.into()),
        ]));
    }
    Yaml::List(items)
}

/// Python is in every image of vLLM, curl is not.
fn healthcheck<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let probe = format!(
        "import urllib.request as r; r.urlopen('http://127.0.0.1:{}/health', timeout=5)",
        deployment.port
    );
    map([
        (
            "test",
            texts(["CMD".into(), "python3".into(), "-c".into(), Yaml::from(probe)]),
        ),
        ("interval", "15s".into()),
        ("timeout", "10s".into()),
        ("retries", 4_u32.into()),
        ("start_period", format!("{}s", deployment.start_seconds).into()),
    ])
}

fn reservation<'a>(deployment: &'a Deployment<'_>) -> Yaml<'a> {
    let device = map([
        ("driver", "nvidia".into()),
        match deployment.device_ids() {
            Some(ids) => ("device_ids", texts(ids.split(','))),
            None => ("count", deployment.gpus.into()),
        },
        ("capabilities", texts(["gpu"])),
    ]);
    map([(
        "resources",
        map([("reservations", map([("devices", Yaml::List(vec![device]))]))]),
    )])
}
