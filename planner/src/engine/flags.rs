//! `vllm serve`'s flags, as `data/vllm/<version>.json` has them: what the parsers of 0.10.2, 0.11.2 and 0.33.0 take.
use super::VllmVersion;
use crate::{
    built,
    error::InputError,
    text::{nearest, short},
};
use std::sync::LazyLock;

/// What follows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagKind {
    /// One value.
    Value,
    /// None.
    Switch,
    /// None; `--no-…` takes it back.
    SwitchPair,
    /// One value or none.
    OptionalValue,
    /// One or more values.
    List,
}

/// One flag in one form.
#[derive(Clone, Debug)]
pub struct Flag {
    /// `--name`.
    pub flag: &'static str,
    /// What follows it.
    pub kind: FlagKind,
    /// Other spellings, such as `-tp`.
    pub aliases: Vec<&'static str>,
    /// Further spellings that negate it.
    pub negative: Vec<&'static str>,
    /// The values that vLLM takes, as they are written, where they are listed.
    pub choices: Vec<&'static str>,
    first: VllmVersion,
    last: VllmVersion,
}

struct Removed {
    flag: &'static str,
    last_seen: VllmVersion,
    instead: &'static str,
}

struct Rows {
    flags: Vec<Flag>,
    removed: Vec<Removed>,
}

// As text: tables of pointers would be several times as large in every program.
static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let text = built::text!("flags");
    let (flags, removed) = text.split_once("\n\n").unwrap_or((text, ""));
    Rows {
        // Every row is one: a test counts them.
        flags: flags.lines().filter_map(flag).collect(),
        removed: removed.lines().filter_map(gone).collect(),
    }
});
/// Before, `--no-…` alone negated a switch.
const FURTHER_NEGATIONS: VllmVersion = VllmVersion::new(12, 0);

fn flag(line: &'static str) -> Option<Flag> {
    let mut columns = line.split('\t');
    let (first, last) = (columns.next()?, columns.next()?);
    let kind = match columns.next()? {
        "value" => FlagKind::Value,
        "switch" => FlagKind::Switch,
        "switch_pair" => FlagKind::SwitchPair,
        "optional_value" => FlagKind::OptionalValue,
        "list" => FlagKind::List,
        _ => return None,
    };
    let flag = columns.next()?;
    let mut words = || {
        columns
            .next()
            .map(|words| words.split_ascii_whitespace().collect())
    };
    Some(Flag {
        flag,
        kind,
        aliases: words()?,
        negative: words()?,
        choices: words()?,
        first: version(first).unwrap_or(VllmVersion::new(0, 0)),
        last: version(last).unwrap_or(VllmVersion::new(u16::MAX, 0)),
    })
}

fn gone(line: &'static str) -> Option<Removed> {
    let mut columns = line.split('\t');
    Some(Removed {
        flag: columns.next()?,
        last_seen: version(columns.next()?)?,
        instead: columns.next()?,
    })
}

/// `17.1` is 0.17.1.
fn version(text: &str) -> Option<VllmVersion> {
    let (minor, patch) = text.split_once('.')?;
    Some(VllmVersion::new(minor.parse().ok()?, patch.parse().ok()?))
}

/// The flags of one version.
#[derive(Clone, Copy, Debug)]
pub struct FlagTable {
    version: VllmVersion,
}

/// A spelling that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The flag.
    pub flag: &'static Flag,
    /// `--no-…` or `--disable-…`.
    pub negated: bool,
    /// `.mode` in `--compilation-config.mode`, or nothing.
    pub dotted: String,
}

impl Found {
    /// The flag as it is written in full.
    pub fn name(&self) -> String {
        let flag = self.flag.flag;
        if self.negated {
            negation(flag)
        } else {
            format!("{flag}{}", self.dotted)
        }
    }
}

impl FlagTable {
    /// The flags of a version: as its own parser has them, or where that was not looked at, as the next ones do.
    pub const fn of(version: VllmVersion) -> Self {
        Self { version }
    }

    /// All flags.
    pub fn flags(self) -> impl Iterator<Item = &'static Flag> {
        let holds = move |flag: &&Flag| flag.first <= self.version && self.version <= flag.last;
        ROWS.flags.iter().filter(holds)
    }

    /// The flag of that spelling: underscores for dashes, aliases, negations and dotted keys as vLLM takes them.
    pub fn find(self, spelling: &str) -> Option<Found> {
        let (name, dotted) = spelling.split_once('.').unwrap_or((spelling, ""));
        let name = normal(name);
        let found = |flag: &'static Flag, negated| Found {
            flag,
            negated,
            dotted: spelling.get(name.len()..).unwrap_or_default().to_owned(),
        };
        let positive = |flag: &&Flag| flag.flag == name || flag.aliases.contains(&name.as_str());
        if let Some(flag) = self.flags().find(positive) {
            let takes_keys = flag.kind == FlagKind::Value;
            return (dotted.is_empty() || takes_keys).then(|| found(flag, false));
        }
        let further = self.version >= FURTHER_NEGATIONS;
        let negative = |flag: &&Flag| {
            flag.kind == FlagKind::SwitchPair
                && (further && flag.negative.contains(&name.as_str())
                    || name.strip_prefix("--no-") == flag.flag.strip_prefix("--"))
        };
        let flag = self.flags().find(negative)?;
        dotted.is_empty().then(|| found(flag, true))
    }

    /// The only flag that begins so: vLLM takes such abbreviations.
    pub fn abbreviated(self, spelling: &str) -> Option<Found> {
        let name = normal(spelling);
        if name.len() < 4 || !name.starts_with("--") {
            return None;
        }
        let mut hits = self.flags().filter(|flag| flag.flag.starts_with(&name));
        let flag = hits.next()?;
        hits.next().is_none().then(|| Found {
            flag,
            negated: false,
            dotted: String::new(),
        })
    }

    /// An error about a flag that this version does not have.
    pub fn unknown(self, spelling: &str) -> InputError {
        let version = self.version;
        let name = normal(spelling.split('.').next().unwrap_or_default());
        let mut problem = format!("vLLM {version} has no such flag");
        let gone = ROWS.removed.iter().find(|gone| gone.flag == name);
        let later = || {
            let mut rows = ROWS.flags.iter();
            rows.find(|flag| flag.flag == name && flag.first > version)
        };
        if let Some(gone) = gone.filter(|gone| gone.last_seen < version) {
            problem = format!(
                "vLLM {version} no longer has it (last seen in {})",
                gone.last_seen
            );
            if !gone.instead.is_empty() {
                problem.push_str("; use ");
                problem.push_str(gone.instead);
            }
        } else if gone.is_some() {
            problem = format!("vLLM {version} may have it; what follows it is not known here");
        } else if later().is_some() {
            problem.push_str(" yet");
        } else {
            let near = nearest(&name, self.flags().map(|flag| flag.flag));
            if !near.is_empty() {
                problem.push_str("; nearest: ");
                problem.push_str(&near.join(", "));
            }
        }
        InputError::new(short(spelling), problem)
    }
}

/// `--no-…`, which takes a switch back.
pub(crate) fn negation(flag: &str) -> String {
    format!("--no-{}", flag.trim_start_matches('-'))
}

/// Underscores in a long flag are dashes.
fn normal(spelling: &str) -> String {
    if spelling.starts_with("--") {
        spelling.replace('_', "-")
    } else {
        spelling.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> FlagTable {
        FlagTable::of(VllmVersion::latest())
    }

    #[test]
    fn the_table_is_there() {
        for (minor, patch, flags) in [(10, 2, 177), (11, 2, 201), (33, 0, 321)] {
            let table = FlagTable::of(VllmVersion::new(minor, patch));
            assert_eq!(table.flags().count(), flags, "0.{minor}.{patch}");
        }
        assert_eq!(ROWS.removed.len(), 41);
        assert_eq!(
            ROWS.flags.len() + ROWS.removed.len() + 1,
            built::text!("flags").lines().count()
        );
    }

    #[test]
    fn spellings_are_found_as_vllm_finds_them() {
        for (spelling, name) in [
            ("--max-model-len", "--max-model-len"),
            ("--max_model_len", "--max-model-len"),
            ("-tp", "--tensor-parallel-size"),
            ("-q", "--quantization"),
            ("--no-enable-prefix-caching", "--no-enable-prefix-caching"),
            ("--disable-prefix-caching", "--no-enable-prefix-caching"),
            ("--no_enforce_eager", "--no-enforce-eager"),
            ("--compilation-config.mode", "--compilation-config.mode"),
            (
                "--compilation_config.pass_config.x",
                "--compilation-config.pass_config.x",
            ),
            ("-cc.mode", "--compilation-config.mode"),
        ] {
            assert_eq!(
                table().find(spelling).map(|f| f.name()).as_deref(),
                Some(name),
                "{spelling}"
            );
        }
        for spelling in [
            "--nope",
            "-x",
            "--enforce-eager.x",
            "--no-max-model-len",
            "",
            "--",
        ] {
            assert!(table().find(spelling).is_none(), "{spelling}");
        }
        assert_eq!(
            table().abbreviated("--max-model-l").unwrap().name(),
            "--max-model-len"
        );
        assert!(table().abbreviated("--max").is_none());
    }

    #[test]
    fn an_unknown_flag_names_the_nearest_or_the_last_version() {
        let error = table().unknown("--max-model-length");
        assert!(error.problem.contains("--max-model-len"), "{error}");
        for (minor, patch, flag, says) in [
            (33, 0, "--swap-space", "no longer has it (last seen in 0.17.1)"),
            (18, 0, "--swap-space", "no longer has it (last seen in 0.17.1)"),
            (10, 2, "--attention-config.backend", "has no such flag yet"),
            (11, 2, "--task-x", "has no such flag; nearest: --task"),
            (9, 2, "--num-scheduler-steps", "may have it"),
            (10, 2, "--num-scheduler-steps", "last seen in 0.9.2"),
        ] {
            let error = FlagTable::of(VllmVersion::new(minor, patch)).unknown(flag);
            assert!(error.problem.contains(says), "{error}");
        }
    }

    /// What the three parsers take, and what sources between them still had.
    #[test]
    fn flags_come_and_go() {
        // In 0.8.5, 0.10.2, 0.11.2, 0.12.0, 0.17.1, 0.18.0 and 0.33.0.
        for (flag, has) in [
            ("--max-model-len", "yes yes yes yes yes yes yes"),
            ("--swap-space", "yes yes yes yes yes no no"),
            ("--task", "yes yes yes yes no no no"),
            // A flag of its own, then a negation of --enable-log-requests.
            ("--disable-log-requests", "yes yes yes yes yes yes yes"),
            // Last seen in the source of 0.11.0, and the parser of 0.11.2 lacks it.
            ("--rope-scaling", "yes yes no no no no no"),
            ("--nnodes", "no no yes yes yes yes yes"),
            ("--attention-config", "no no no yes yes yes yes"),
            ("--disable-prefix-caching", "no no no yes yes yes yes"),
        ] {
            let versions = ["8.5", "10.2", "11.2", "12.0", "17.1", "18.0", "33.0"];
            for (at, has) in versions.into_iter().zip(has.split(' ')) {
                let found = FlagTable::of(version(at).unwrap()).find(flag);
                assert_eq!(found.is_some(), has == "yes", "{flag} in 0.{at}");
            }
        }
    }

    #[test]
    fn choices_are_the_versions() {
        for (at, takes) in [("10.2", false), ("11.2", false), ("33.0", true)] {
            let found = FlagTable::of(version(at).unwrap())
                .find("--kv-cache-dtype")
                .unwrap();
            assert_eq!(found.flag.choices.contains(&"nvfp4"), takes, "0.{at}");
            assert!(found.flag.choices.contains(&"fp8_e5m2"), "0.{at}");
        }
    }
}
