//! lws.yaml: a LeaderWorkerSet for a deployment over several nodes. The leader serves requests.
use super::{
    deployment::Deployment,
    k8s,
    nodes::{Spread, Word},
    pod::{self, Container},
    quote::{Comments, dollars},
    yaml::{Document, Yaml, map, texts},
};

/// lws.yaml
pub(crate) fn lws(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut document = Document::new(header);
    let name = deployment.name();
    for line in [
        "",
        &deployment.nodes.reason(),
        "kubectl apply -f lws.yaml, in a cluster with the LeaderWorkerSet controller (leaderworkerset.x-k8s.io/v1).",
    ] {
        document.comment(line);
    }
    k8s::secret(&mut document, deployment);
    document.comment("The volume is shared by all nodes, so that the weights are fetched once: it needs a class that can be ReadWriteMany.");
    k8s::claim(&mut document, deployment, "ReadWriteMany");
    // The controller makes a service of the set's own name for itself.
    document.object(
        "v1",
        "Service",
        &format!("{name}-leader"),
        pod::labels(deployment),
    );
    let selector = map([
        ("leaderworkerset.sigs.k8s.io/name", name.into()),
        ("role", "leader".into()),
    ]);
    document.entry("spec", k8s::service_spec(selector));
    document.object(
        "leaderworkerset.x-k8s.io/v1",
        "LeaderWorkerSet",
        name,
        pod::labels(deployment),
    );
    document.comment(&pod::start_reason(deployment));
    document.entry(
        "spec",
        map([
            ("replicas", 1_u32.into()),
            (
                "leaderWorkerTemplate",
                map([
                    ("size", deployment.nodes.count.into()),
                    (
                        "restartPolicy",
                        Yaml::from("RecreateGroupOnPodRestart").comment("no part goes on without the others"),
                    ),
                    ("leaderTemplate", template(deployment, true)),
                    ("workerTemplate", template(deployment, false)),
                ]),
            ),
        ]),
    );
    document.finish()
}

fn template<'a>(deployment: &'a Deployment<'_>, leader: bool) -> Yaml<'a> {
    let (command, args) = start(deployment, leader);
    let container = Container {
        deployment,
        name: "vllm",
        command,
        args,
        serves: leader,
    };
    let cache = map([("claimName", deployment.name().into())]);
    let spec = pod::spec(deployment, container.yaml(), ("persistentVolumeClaim", cache));
    let role = if leader { "leader" } else { "worker" };
    let labels = map([
        ("app.kubernetes.io/name", deployment.name().into()),
        ("role", role.into()),
    ]);
    map([("metadata", map([("labels", labels)])), ("spec", Yaml::Map(spec))])
}

/// Command and arguments of a pod.
fn start<'a>(deployment: &'a Deployment<'_>, leader: bool) -> (Yaml<'a>, Vec<Yaml<'a>>) {
    let nodes = &deployment.nodes;
    let mut args = pod::words(deployment);
    let mut own = nodes.common();
    if !leader {
        own.extend(nodes.others());
    }
    args.extend(own.into_iter().filter_map(|word| match word {
        Word::Plain(text) => Some(text.into()),
        Word::Rank if leader => Some("0".into()),
        Word::Rank => Some("$(LWS_WORKER_INDEX)".into()),
        Word::Head => Some("$(LWS_LEADER_ADDRESS)".into()),
        // Kubernetes cannot multiply; the shell below adds it.
        Word::Start(_) => None,
    }));
    let script = match nodes.spread {
        Spread::Parts { ray: true } if leader => {
            "ray start --head --port 6379 && exec vllm serve \"$@\"".to_owned()
        }
        Spread::Parts { ray: true } => {
            let wait = "until ray start --address \"$LWS_LEADER_ADDRESS:6379\" --block; do sleep 5; done";
            return (
                texts(["/bin/bash".into(), "-c".into(), dollars(wait)]),
                Vec::new(),
            );
        }
        Spread::Engines(engines) if !leader => {
            // The flag stands alone at the end of the list and takes the word behind it.
            args.retain(|word| !matches!(word, Yaml::Text(text) if text == "--data-parallel-start-rank"));
            format!("exec vllm serve \"$@\" --data-parallel-start-rank \"$((LWS_WORKER_INDEX * {engines}))\"")
        }
        _ => return (texts(["vllm", "serve"]), args),
    };
    (
        texts(["/bin/bash".into(), "-c".into(), dollars(script), "vllm".into()]),
        args,
    )
}
