//! The command line.
use crate::{
    error::Exit,
    scenario_flags::{AllFields, LoadFields},
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

const ABOUT: &str = "Plans vLLM deployments: GPU memory as vLLM accounts it, whether a model fits, which flags, and the files that start it.";

const EXAMPLES: &str = "Examples:
  vllm-wizard detect
  vllm-wizard plan --model Qwen/Qwen3-8B --gpu \"H100 SXM\"
  vllm-wizard plan --model Qwen/Qwen3-32B --gpu L40S --gpus 4 --concurrency 64 --explain
  vllm-wizard explore --model Qwen/Qwen3-32B --concurrency 64 --slo-ttft-ms 500
  vllm-wizard generate -o deploy --model Qwen/Qwen3-8B --gpu L40S --emit command,compose
  vllm-wizard check --gpu L4 -- vllm serve Qwen/Qwen3-8B --max-model-len 16384
  vllm-wizard serve --ui dist

Answers go to stdout and nothing else does; notes go to stderr, where --quiet leaves only errors.
NO_COLOR turns colours off; COLUMNS is the width where no terminal says one.";

const DETECT_EXAMPLES: &str = "Examples:
  vllm-wizard detect
  vllm-wizard detect --json > host.json
  vllm-wizard detect --compact              (one line, to paste into the page)
  vllm-wizard detect --link https://wizard.example/ --qr

CUDA_VISIBLE_DEVICES, NVIDIA_VISIBLE_DEVICES (in a container), HIP_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES are respected.";

const SERVE_EXAMPLES: &str = "Examples:
  vllm-wizard serve
  vllm-wizard serve --allow-origin https://wizard.example
  vllm-wizard serve --ui dist

GET /v1/host answers with the host report, GET /v1/health with the version. Nothing is written, no shell is run.
Beyond loopback visitors need the token of the address that is printed at the start.";

const PLAN_EXAMPLES: &str = "Examples:
  vllm-wizard plan --model Qwen/Qwen3-8B             (on the GPUs of this machine)
  vllm-wizard plan --model Qwen/Qwen3-8B --gpu L4 --max-model-len 16k
  vllm-wizard plan --model ./my-model --gpu-memory-gib 79.18 --compute-capability 9.0
  curl -sL URL/config.json | vllm-wizard plan --model org/name --model-config - --gpu L4
  vllm-wizard plan --search --objective throughput --model Qwen/Qwen3-32B --gpu \"H100 SXM\" --gpus 8
  vllm-wizard plan --batch scenarios.jsonl

A model is looked up in this order: --model-config, a local folder, the local Hugging Face cache, the built-in catalogue.
Switches take three forms: --enforce-eager, --no-enforce-eager, --enforce-eager=false.";

const EXPLORE_EXAMPLES: &str = "Examples:
  vllm-wizard explore --model Qwen/Qwen3-32B --concurrency 64
  vllm-wizard explore --model Qwen/Qwen3-32B --slo-ttft-ms 500 --slo-tpot-ms 30
  vllm-wizard explore --model Qwen/Qwen3-32B --among L40S,L4 --price L40S=0.90 --price L4=0.40
  vllm-wizard explore --model Qwen/Qwen3-32B --gpu \"H100 SXM\" --gpus 8 --objective throughput
  vllm-wizard explore --model Qwen/Qwen3-32B --csv > gpus.csv

Tried are 1, 2, 4 … GPUs of a node, then nodes, in every split into tensor, pipeline and data parallel sizes; \
what is set by a flag is not varied. Exit code 3 where nothing serves the load within the limits.";

const FLEET_EXAMPLES: &str = "Examples:
  vllm-wizard fleet --model Qwen/Qwen3-32B --request-rate 20 --peak 3 --use-case chat
  vllm-wizard fleet --model Qwen/Qwen3-32B --request-rate 20 --gpu L40S --price 0.90 --api-price 0.10,0.30

For each number of GPUs and each layout the highest rate is found that a replica carries within the limits; \
replicas follow from --request-rate (the average), --peak, --spare and --load. Prices are your own, or listed ones \
with --price known.";

const GENERATE_EXAMPLES: &str = "Examples:
  vllm-wizard generate -o deploy --model Qwen/Qwen3-8B --gpu L40S
  vllm-wizard generate -o deploy --profile deploy/profile.yaml --force
  vllm-wizard generate -o deploy --emit command,values --model Qwen/Qwen3-8B --gpu L40S

If a file is there with other content, nothing is written unless --force is given.
SOURCE_DATE_EPOCH sets the date too.";

const CHECK_EXAMPLES: &str = "Examples:
  vllm-wizard check --gpu L4 -- vllm serve Qwen/Qwen3-8B --max-model-len 16384
  vllm-wizard check --gpu \"H100 SXM\" --gpus 8 -- vllm serve deepseek-ai/DeepSeek-V3 -tp 8
  vllm-wizard check --model-config config.json --gpu-memory-gib 23.5 -- vllm serve org/name
  vllm-wizard check --gpu L40S --file docker-compose.yaml
  kubectl get deploy llm -o yaml | vllm-wizard check --gpu \"H100 SXM\" --file -
  vllm-wizard check --profile profile.yaml

The command is taken as it is: what it leaves out is vLLM's default. What would be better stands after the answer.
--file reads scripts, `docker run`, compose files, Kubernetes manifests, values of vLLM's chart and of production-stack,
KServe, SkyPilot, systemd and Podman units. vLLM's version comes from the image's tag, the number of GPUs from the file.";

const SCHEMA_EXAMPLES: &str = "Examples:
  vllm-wizard schema plan > plan.schema.json
  vllm-wizard schema profile > profile.schema.json";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "vllm-wizard", about = ABOUT, max_term_width = 110, propagate_version = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the GPUs of this machine
    #[command(after_help = DETECT_EXAMPLES)]
    Detect(DetectArgs),
    /// Answer the page's question for the GPUs of this machine
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Work out whether a model fits, and with which flags
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(Box<PlanArgs>),
    /// Find the GPUs, how many, and the layout that serve a model's load
    #[command(after_help = EXPLORE_EXAMPLES)]
    Explore(Box<ExploreArgs>),
    /// Count replicas, GPUs and money for a rate of requests
    #[command(after_help = FLEET_EXAMPLES)]
    Fleet(Box<FleetArgs>),
    /// Write the files that start it
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(Box<GenerateArgs>),
    /// Say what an existing command, container or manifest will do
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Box<CheckArgs>),
    /// Print the JSON Schema of plan.json or profile.yaml
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
    /// Write shell completions and manual pages into a folder
    #[cfg(feature = "manual")]
    #[command(hide = true)]
    Manual(ManualArgs),
}

/// `manual`.
#[cfg(feature = "manual")]
#[derive(Debug, Args)]
pub(crate) struct ManualArgs {
    /// Folder to write to; made if it is not there
    pub(crate) folder: PathBuf,
}

/// `schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of which file
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

/// A file with a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemaOf {
    /// plan.json
    Plan,
    /// profile.yaml
    Profile,
}

/// `detect`.
#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// Print the report as JSON (vllm-wizard/host/v1)
    #[arg(long)]
    pub(crate) json: bool,
    /// The same on one line, to paste
    #[arg(long)]
    pub(crate) compact: bool,
    /// Print a link that opens the page at URL with this hardware in it
    #[arg(long, value_name = "URL", conflicts_with_all = ["json", "compact"])]
    pub(crate) link: Option<String>,
    /// Print that link as a QR code for a phone or another machine's camera; the link itself goes to stderr
    #[arg(long, requires = "link")]
    pub(crate) qr: bool,
    /// Read a saved report instead of the driver; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
}

/// `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; other machines reach it only if this is not a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9177")]
    pub(crate) listen: SocketAddr,
    /// Let pages of this origin read the report, besides this server's own and those of localhost; can be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) allow_origin: Vec<String>,
    /// Also serve the built page from this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) ui: Option<PathBuf>,
    /// Serve a saved report instead of the driver's
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
}

/// Where the scenario comes from, before its single fields.
#[derive(Debug, Default, Args)]
pub(crate) struct SourceArgs {
    /// Model: repository id or local folder
    #[arg(long, value_name = "ID|DIR", help_heading = "Model")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Start from a profile.yaml; flags given beside it win
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Start from",
        conflicts_with = "scenario"
    )]
    pub(crate) profile: Option<PathBuf>,
    /// Start from a scenario: a plan.json or scenario file, or a link of the page; flags given beside it win
    #[arg(
        long,
        visible_alias = "link",
        value_name = "FILE|LINK",
        help_heading = "Start from"
    )]
    pub(crate) scenario: Option<String>,
}

/// Which config.json.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArgs {
    /// The model's config.json, a folder with it, or `-` for stdin
    #[arg(long, value_name = "FILE|DIR|-", help_heading = "Model")]
    pub(crate) model_config: Option<PathBuf>,
    /// The config.json of the draft that --speculative-config names, or a folder with it
    #[arg(long, value_name = "FILE|DIR", help_heading = "Model")]
    pub(crate) draft_config: Option<PathBuf>,
    /// Branch, tag or commit of the model
    #[arg(long, value_name = "REVISION", help_heading = "Model")]
    pub(crate) revision: Option<String>,
    /// Parameters in thousand millions; the config gives the count, so this changes nothing
    #[arg(long, value_name = "NUMBER", help_heading = "Model")]
    pub(crate) params_b: Option<f64>,
    /// Fetch the config.json from $HF_ENDPOINT (huggingface.co) where it is nowhere here, with $HF_TOKEN if it is set
    #[cfg(feature = "hub")]
    #[arg(long, help_heading = "Model")]
    pub(crate) hub: bool,
}

/// Which GPU, which vLLM.
#[derive(Debug, Default, Args)]
pub(crate) struct MachineArgs {
    /// GPU by its name here or in nvidia-smi; without it, the GPUs of this machine
    #[arg(long, value_name = "NAME", help_heading = "Hardware")]
    pub(crate) gpu: Option<String>,
    /// GPU memory in GiB that the driver gives a process: a little less than nvidia-smi prints
    #[arg(
        long,
        visible_alias = "vram-gb",
        value_name = "GIB",
        help_heading = "Hardware"
    )]
    pub(crate) gpu_memory_gib: Option<String>,
    /// Take the hardware from a saved report (`detect --json`)
    #[arg(long, value_name = "FILE", help_heading = "Hardware", conflicts_with = "gpu")]
    pub(crate) host: Option<PathBuf>,
    /// One engine over all GPUs of that report, or of this machine, though they differ: in pipeline stages, each as large
    /// as its GPU holds
    #[arg(long, help_heading = "Hardware", conflicts_with = "gpu")]
    pub(crate) mixed_gpus: bool,
    /// vLLM release
    #[arg(long, value_name = "VERSION", help_heading = "vLLM arguments")]
    pub(crate) vllm_version: Option<String>,
}

/// What is printed of a plan.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ViewArgs {
    /// Print plan.json (vllm-wizard/plan/v1)
    #[arg(long)]
    pub(crate) json: bool,
    /// Show how every figure comes about
    #[arg(long)]
    pub(crate) explain: bool,
}

/// `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) view: ViewArgs,
    /// Answer many: one scenario (JSON or link) a line in, one plan.json without its files a line out; `-` is stdin
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["json", "explain", "model", "model_config", "draft_config", "revision", "profile", "scenario", "gpu", "gpu_memory_gib", "host", "vllm_version", "params_b"])]
    pub(crate) batch: Option<PathBuf>,
    /// Also send so many requests, one by one, through a model of vLLM's scheduler: percentiles of their times, in plan.json too
    #[arg(long, value_name = "REQUESTS", conflicts_with = "batch", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) simulate: Option<u32>,
    /// Also show what twice of each input brings, and which input the verdict hangs on most
    #[arg(long, conflicts_with_all = ["batch", "json"])]
    pub(crate) sensitivity: bool,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    #[command(flatten)]
    pub(crate) fields: AllFields,
}

/// What is wanted of a search.
#[derive(Clone, Debug, Args)]
pub(crate) struct GoalArgs {
    /// What matters most among layouts that serve the load; cost where prices are given, else gpus
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Goal")]
    pub(crate) objective: Option<ObjectiveArg>,
    /// What a GPU costs an hour: for one kind, or for all; or a listed instance such as p5.48xlarge; or `known`, the
    /// cheapest listed of each kind; can be repeated
    #[arg(long, value_name = "[GPU=]AMOUNT", help_heading = "Goal")]
    pub(crate) price: Vec<String>,
    /// What the prices are counted in
    #[arg(long, value_name = "LABEL", default_value = "USD", help_heading = "Goal", value_parser = currency)]
    pub(crate) currency: String,
}

fn currency(text: &str) -> Result<String, String> {
    let ok = (1..=8).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || "$€£¥".contains(c));
    if ok {
        Ok(text.to_owned())
    } else {
        Err("expected a label such as USD or €".to_owned())
    }
}

/// `--objective`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ObjectiveArg {
    /// Little money for each token
    Cost,
    /// Output tokens a second over all requests
    Throughput,
    /// The time of one request from its arrival to its last token
    Latency,
    /// Few GPUs
    Gpus,
    /// The rate of all and the speed of one alike
    Balanced,
}

/// Whether the layout is searched.
#[derive(Clone, Debug, Args)]
pub(crate) struct SearchArgs {
    /// Search tensor, pipeline, data and expert parallel sizes on these GPUs, and take the best; what is set stays
    #[arg(long, help_heading = "Goal")]
    pub(crate) search: bool,
    /// Also try FP8 weights and an FP8 KV cache where the checkpoint has neither; answers may change a little
    #[arg(long, requires = "search", help_heading = "Goal")]
    pub(crate) allow_fp8: bool,
    #[command(flatten)]
    pub(crate) goal: GoalArgs,
}

/// What is tried for which model and load.
#[derive(Debug, Args)]
pub(crate) struct TriedArgs {
    /// Also try FP8 weights and an FP8 KV cache where the checkpoint has neither; answers may change a little
    #[arg(long)]
    pub(crate) allow_fp8: bool,
    /// Only these kinds of GPU, with commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Hardware", conflicts_with_all = ["gpu", "host", "gpu_memory_gib", "profile", "scenario"])]
    pub(crate) among: Vec<String>,
    /// Lengths and limits of a use: chat, rag, code-generation, code-completion, agents, summarization, batch, embeddings, voice; flags beside it win
    #[arg(long, value_name = "USE", help_heading = "Workload")]
    pub(crate) use_case: Option<String>,
    #[command(flatten)]
    pub(crate) goal: GoalArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    #[command(flatten)]
    pub(crate) fields: AllFields,
}

/// `explore`.
#[derive(Debug, Args)]
pub(crate) struct ExploreArgs {
    /// Print the answers as JSON (vllm-wizard/explore/v1)
    #[arg(long)]
    pub(crate) json: bool,
    /// Print them as a table for spreadsheets
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Show so many rows
    #[arg(long, value_name = "ROWS", default_value_t = 15)]
    pub(crate) top: usize,
    /// A row for each number of GPUs, not only the best of each kind
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) tried: TriedArgs,
}

/// `fleet`.
#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// Print the answers as JSON (vllm-wizard/fleet/v1)
    #[arg(long)]
    pub(crate) json: bool,
    /// How many times the average rate comes at the busiest time; --peak-rate says it by the second
    #[arg(
        long,
        value_name = "TIMES",
        help_heading = "Workload",
        conflicts_with = "peak_rate"
    )]
    pub(crate) peak: Option<String>,
    /// Replicas that may fail while the rest carries the peak
    #[arg(long, value_name = "REPLICAS", default_value_t = 1, help_heading = "Workload", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) spare: u32,
    /// How much of what it can carry within the limits a replica is given, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 80, help_heading = "Workload", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) load: u32,
    /// What somebody else asks for a million tokens, of prompts and of answers
    #[arg(long, value_name = "IN,OUT", help_heading = "Goal")]
    pub(crate) api_price: Option<String>,
    /// Show so many rows
    #[arg(long, value_name = "ROWS", default_value_t = 10)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) tried: TriedArgs,
}

/// `generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Folder to write to; made if it is not there
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Which files, by kind; plan.json is always written
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    pub(crate) emit: Vec<String>,
    /// Date in the headers; today (UTC) if not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<String>,
    /// Put a link to this scenario on the page at URL into the headers
    #[arg(long, value_name = "URL")]
    pub(crate) link_base: Option<String>,
    /// Overwrite files that have other content
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    #[command(flatten)]
    pub(crate) fields: AllFields,
}

/// `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) view: ViewArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    #[command(flatten)]
    pub(crate) fields: LoadFields,
    /// Read a script, a compose file, a manifest, chart values or a unit; `-` is stdin
    #[arg(short, long, value_name = "FILE|-", help_heading = "Start from")]
    pub(crate) file: Option<PathBuf>,
    /// Take the arguments and the machine of a profile.yaml as they are
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Start from",
        conflicts_with = "file"
    )]
    pub(crate) profile: Option<PathBuf>,
    /// Hold the plan against vLLM's start-up log; its arguments count where no command is given
    #[arg(
        long,
        value_name = "FILE|-",
        help_heading = "Start from",
        conflicts_with = "profile"
    )]
    pub(crate) log: Option<PathBuf>,
    /// Hold the plan's speed against a benchmark's result, at its load: bench.json, or what `vllm bench serve` prints
    #[arg(
        long,
        value_name = "FILE|-",
        help_heading = "Start from",
        conflicts_with = "log"
    )]
    pub(crate) bench: Option<PathBuf>,
    /// The command, after `--`
    #[arg(
        last = true,
        conflicts_with_all = ["file", "profile"],
        value_name = "vllm serve MODEL FLAGS"
    )]
    pub(crate) argv: Vec<String>,
}

/// Version of this program and of its facts.
fn version() -> String {
    format!(
        "{} (data {}, vLLM {})",
        env!("CARGO_PKG_VERSION"),
        planner::gpu::data_revision(),
        planner::engine::VllmVersion::latest()
    )
}

/// The command with all that is computed.
fn command() -> clap::Command {
    let after = format!("{EXAMPLES}\n\n{}", Exit::table());
    Cli::command().version(version()).after_help(after)
}

/// The command, for completions and the manual.
#[cfg(feature = "manual")]
pub(crate) fn definition() -> clap::Command {
    command()
}

/// Parses the process's arguments; ends the process for `--help`, `--version` and wrong usage.
pub(crate) fn parse() -> Cli {
    let matches = command().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_field_is_a_flag_of_plan() {
        let mut command = command();
        let plan = command.find_subcommand_mut("plan").unwrap();
        let flags: Vec<String> = plan
            .get_arguments()
            .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
            .collect();
        for field in planner::bounds::FIELDS {
            let flag = field
                .flag
                .map_or_else(|| crate::error::flag_name(field.id), str::to_owned);
            assert!(flags.contains(&flag), "{flag}");
        }
    }
}
