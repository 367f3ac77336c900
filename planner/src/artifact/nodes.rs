//! How one deployment lies over nodes, and what each node's vLLM is told about it.
use crate::{engine::ResolvedArgs, engine::VllmVersion, plan::Hardware};

/// The port on which engines of several nodes meet; the one of vLLM's own example.
const RPC_PORT: &str = "13345";

/// What lies on each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Everything, on one node.
    Alone,
    /// A part of the one engine. With `ray`, a Ray cluster holds the parts together: `--nnodes` is there since 0.11.2.
    Parts {
        /// Before 0.11.2.
        ray: bool,
    },
    /// That many whole engines.
    Engines(u32),
}

/// Nodes of one deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nodes {
    /// How many.
    pub(crate) count: u32,
    /// GPUs on each.
    pub(crate) gpus: u32,
    /// What lies on each.
    pub(crate) spread: Spread,
}

/// A word of a node's flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// As it stands.
    Plain(String),
    /// The number of the node, 0 for the first.
    Rank,
    /// The address of the first node.
    Head,
    /// The number of the node's first engine: its number times this.
    Start(u32),
}

impl Nodes {
    /// The fewest nodes, all with the same part; or why there are none.
    pub(crate) fn of(args: &ResolvedArgs, hardware: &Hardware, version: VllmVersion) -> Result<Self, String> {
        let engine = args.tensor_parallel_size.value * args.pipeline_parallel_size.value;
        let engines = args.data_parallel_size.value;
        let (total, room) = (engine.saturating_mul(engines), hardware.gpus.max(1));
        if total <= room {
            return Ok(Self {
                count: 1,
                gpus: total,
                spread: Spread::Alone,
            });
        }
        if engine > room && engines > 1 {
            return Err(format!(
                "each of {engines} engines takes {engine} GPUs and a node has {room}: engines over several nodes, more than one of them, are not written yet"
            ));
        }
        let count = (2..=hardware.nodes).find(|n| {
            total.is_multiple_of(*n) && total / n <= room && (engines == 1 || engines.is_multiple_of(*n))
        });
        let Some(count) = count else {
            return Err(format!(
                "the deployment takes {total} GPUs, which cannot be cut into equal parts of up to {room} for {} nodes",
                hardware.nodes
            ));
        };
        Ok(Self {
            count,
            gpus: total / count,
            spread: if engines > 1 {
                Spread::Engines(engines / count)
            } else {
                Spread::Parts {
                    ray: version < VllmVersion::new(11, 2),
                }
            },
        })
    }

    /// Flags that every node gets.
    pub(crate) fn common(&self) -> Vec<Word> {
        match self.spread {
            Spread::Alone => Vec::new(),
            Spread::Parts { ray: true } => vec![plain("--distributed-executor-backend"), plain("ray")],
            Spread::Parts { ray: false } => vec![
                plain("--nnodes"),
                plain(&self.count.to_string()),
                plain("--node-rank"),
                Word::Rank,
                plain("--master-addr"),
                Word::Head,
            ],
            Spread::Engines(local) => vec![
                plain("--data-parallel-size-local"),
                plain(&local.to_string()),
                plain("--data-parallel-address"),
                Word::Head,
                plain("--data-parallel-rpc-port"),
                plain(RPC_PORT),
            ],
        }
    }

    /// What every node but the first gets besides. On the first, a start rank would mean another kind of balancing.
    pub(crate) fn others(&self) -> Vec<Word> {
        match self.spread {
            Spread::Engines(local) => vec![
                plain("--data-parallel-start-rank"),
                Word::Start(local),
                plain("--headless"),
            ],
            Spread::Parts { ray: false } => vec![plain("--headless")],
            Spread::Alone | Spread::Parts { ray: true } => Vec::new(),
        }
    }

    /// One node does it all.
    pub(crate) fn is_alone(&self) -> bool {
        self.spread == Spread::Alone
    }

    /// A Ray cluster has to be there.
    pub(crate) fn needs_ray(&self) -> bool {
        self.spread == Spread::Parts { ray: true }
    }

    /// What the nodes do, as a sentence.
    pub(crate) fn reason(&self) -> String {
        let Self { count, gpus, spread } = self;
        match spread {
            Spread::Alone => format!("One node, {gpus} of its GPUs."),
            Spread::Parts { .. } => {
                format!("{count} nodes with {gpus} GPUs each hold one engine; the first serves requests.")
            }
            Spread::Engines(local) => format!(
                "{count} nodes with {local} engines each, on {gpus} GPUs; the first serves requests and spreads them."
            ),
        }
    }
}

fn plain(text: &str) -> Word {
    Word::Plain(text.to_owned())
}
