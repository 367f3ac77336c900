//! `vllm serve`'s flags, as `data/vllm/<version>.json` has them.
use super::VllmVersion;
use crate::{
    error::InputError,
    text::{nearest, short},
};

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

/// One flag.
#[derive(Clone, Debug)]
pub struct Flag {
    /// `--name`.
    pub flag: &'static str,
    /// What follows it.
    pub kind: FlagKind,
    /// Other spellings, such as `-tp`.
    pub aliases: &'static [&'static str],
    /// Further spellings that negate it.
    pub negative: &'static [&'static str],
    /// The values that vLLM takes, as they are written, where they are listed.
    pub choices: &'static [&'static str],
}

struct Removed {
    flag: &'static str,
    last_seen: &'static str,
    instead: Option<&'static str>,
}

/// The flags of one version.
pub struct FlagTable {
    flags: &'static [Flag],
    removed: &'static [Removed],
}

static TABLE: FlagTable = FlagTable {
    flags: &include!(concat!(env!("OUT_DIR"), "/flags.rs")),
    removed: &include!(concat!(env!("OUT_DIR"), "/removed_flags.rs")),
};

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
    /// The flags of a version; of the newest one where that version is not bundled.
    pub fn of(_version: VllmVersion) -> &'static Self {
        &TABLE
    }

    /// All flags.
    pub fn flags(&'static self) -> &'static [Flag] {
        self.flags
    }

    /// The flag of that spelling: underscores for dashes, aliases, negations and dotted keys as vLLM takes them.
    pub fn find(&'static self, spelling: &str) -> Option<Found> {
        let (name, dotted) = spelling.split_once('.').unwrap_or((spelling, ""));
        let name = normal(name);
        let found = |flag: &'static Flag, negated| Found {
            flag,
            negated,
            dotted: spelling.get(name.len()..).unwrap_or_default().to_owned(),
        };
        let positive = |flag: &&Flag| flag.flag == name || flag.aliases.contains(&name.as_str());
        if let Some(flag) = self.flags.iter().find(positive) {
            let takes_keys = flag.kind == FlagKind::Value;
            return (dotted.is_empty() || takes_keys).then(|| found(flag, false));
        }
        let negative = |flag: &&Flag| {
            flag.kind == FlagKind::SwitchPair
                && (flag.negative.contains(&name.as_str())
                    || name.strip_prefix("--no-") == flag.flag.strip_prefix("--"))
        };
        let flag = self.flags.iter().find(negative)?;
        dotted.is_empty().then(|| found(flag, true))
    }

    /// The only flag that begins so: vLLM takes such abbreviations.
    pub fn abbreviated(&'static self, spelling: &str) -> Option<Found> {
        let name = normal(spelling);
        if name.len() < 4 || !name.starts_with("--") {
            return None;
        }
        let mut hits = self.flags.iter().filter(|flag| flag.flag.starts_with(&name));
        let flag = hits.next()?;
        hits.next().is_none().then(|| Found {
            flag,
            negated: false,
            dotted: String::new(),
        })
    }

    /// An error about a flag that this version does not have.
    pub fn unknown(&'static self, version: VllmVersion, spelling: &str) -> InputError {
        let name = normal(spelling.split('.').next().unwrap_or_default());
        let mut problem = format!("vLLM {version} has no such flag");
        if let Some(gone) = self.removed.iter().find(|gone| gone.flag == name) {
            problem = format!(
                "vLLM {version} no longer has it (last seen in {})",
                gone.last_seen
            );
            if let Some(instead) = gone.instead {
                problem.push_str("; use ");
                problem.push_str(instead);
            }
        } else {
            let near = nearest(&name, self.flags.iter().map(|flag| flag.flag));
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

    fn table() -> &'static FlagTable {
        FlagTable::of(VllmVersion::latest())
    }

    #[test]
    fn the_table_is_there() {
        assert!(table().flags.len() > 300 && !table().removed.is_empty());
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
        let version = VllmVersion::latest();
        let error = table().unknown(version, "--max-model-length");
        assert!(error.problem.contains("--max-model-len"), "{error}");
        let error = table().unknown(version, "--swap-space");
        assert!(error.problem.contains("last seen in 0.1"), "{error}");
    }
}
