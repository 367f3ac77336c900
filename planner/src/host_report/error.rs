//! Why a host report cannot be read.

/// Why a host report cannot be read, or gives no GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Nothing.
    #[error("empty: expected the output of `vllm-wizard detect --json`")]
    Empty,
    /// A web page.
    #[error("this is a web page, not a host report")]
    Html,
    /// nvidia-smi's table for people.
    #[error("this is nvidia-smi's table, which is not read")]
    Table,
    /// nvidia-smi's own error.
    #[error("nvidia-smi failed: {message}")]
    NvidiaSmi {
        /// Its first line.
        message: String,
    },
    /// JSON that ends too early.
    #[error("the JSON ends too early, at line {line}: it was cut off")]
    CutOff {
        /// Where.
        line: usize,
    },
    /// No JSON.
    #[error("not JSON: {message}")]
    NotJson {
        /// With line and column.
        message: String,
    },
    /// Another document.
    #[error("expected schema \"vllm-wizard/host/v1\", got {found:?}")]
    Schema {
        /// What it says it is.
        found: String,
    },
    /// Made by a newer version.
    #[error("schema {found:?} is newer than this program reads (vllm-wizard/host/v1)")]
    Newer {
        /// Its schema.
        found: String,
    },
    /// A field of the wrong type, or a missing one.
    #[error("`{field}`: expected {expected}, got {found}")]
    Field {
        /// With its place: `gpus[0].memory_total_bytes`.
        field: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A line of CSV that has no name and memory.
    #[error("line {line}: {problem}")]
    Csv {
        /// Where.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// No GPU in it.
    #[error("the report lists no GPU")]
    NoGpus,
    /// GPUs, and all of them unreadable.
    #[error("no GPU of the report could be read: {reason}")]
    NoUsableGpu {
        /// The first one's error.
        reason: String,
    },
    /// A GPU whose memory is not known.
    #[error("`{field}`: the memory of {name} is not known")]
    NoMemory {
        /// Where.
        field: String,
        /// The GPU.
        name: String,
    },
}

impl ReportError {
    /// A stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "report-empty",
            Self::Html => "report-html",
            Self::Table => "report-table",
            Self::NvidiaSmi { .. } => "report-nvidia-smi",
            Self::CutOff { .. } => "report-cut-off",
            Self::NotJson { .. } => "report-not-json",
            Self::Schema { .. } => "report-schema",
            Self::Newer { .. } => "report-newer",
            Self::Field { .. } => "report-field",
            Self::Csv { .. } => "report-csv",
            Self::NoGpus => "report-no-gpus",
            Self::NoUsableGpu { .. } => "report-no-usable-gpu",
            Self::NoMemory { .. } => "report-no-memory",
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Html => "Save the file itself, not the page that shows it.",
            Self::Table => "Run: nvidia-smi --query-gpu=name,memory.total,compute_cap --format=csv",
            Self::NvidiaSmi { .. } | Self::NoUsableGpu { .. } => {
                "Run nvidia-smi on that machine; if it fails too, the driver needs attention first."
            }
            Self::CutOff { .. } => "Copy the whole output, to the last closing bracket.",
            Self::Newer { .. } => "Reload the page, or update the program.",
            Self::NoGpus => "Choose a GPU by name instead.",
            Self::NoMemory { .. } => "Choose a GPU by name, or give its memory.",
            _ => "Run `vllm-wizard detect --json` and give its output as it is.",
        }
    }
}
