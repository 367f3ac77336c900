//! One flag for each row of planner's table of fields: a new row is a new flag, with its help and its limits.
use crate::error::flag_name;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use planner::bounds::{FIELDS, Field, FieldKind};

/// Every field.
pub(crate) type AllFields = FieldFlags<true>;
/// The machine and the load, but no arguments of vLLM and nothing about files.
pub(crate) type LoadFields = FieldFlags<false>;

/// Short names that people use.
const ALIASES: &[(&str, &str)] = &[
    ("tensor_parallel_size", "tp"),
    ("pipeline_parallel_size", "pp"),
    ("data_parallel_size", "dp"),
];
/// Fields that ask for a recommendation or shape files: not for `check`.
const NOT_FOR_CHECK: &[&str] = &[
    "headroom_gb",
    "defaults",
    "image",
    "name",
    "hf_secret",
    "non_root",
    "device_ids",
];
const HARDWARE: &[&str] = &[
    "gpus",
    "nodes",
    "gpu_memory",
    "gpu_memory_used",
    "compute_capability",
    "interconnect",
    "other_gpus",
    "pp_layer_partition",
];
const FILES: &[&str] = &["image", "name", "hf_secret", "non_root", "device_ids"];

/// The values that were given, in the table's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldFlags<const ALL: bool> {
    /// Field and text.
    pub(crate) values: Vec<(&'static str, String)>,
}

impl<const ALL: bool> FieldFlags<ALL> {
    /// What was given for a field.
    pub(crate) fn value(&self, id: &str) -> Option<&str> {
        let found = self.values.iter().find(|(name, _)| *name == id)?;
        Some(&found.1)
    }

    fn fields() -> impl Iterator<Item = &'static Field> {
        FIELDS
            .iter()
            .filter(|field| ALL || (field.flag.is_none() && !NOT_FOR_CHECK.contains(&field.id)))
    }
}

impl<const ALL: bool> Args for FieldFlags<ALL> {
    fn augment_args(mut command: Command) -> Command {
        for field in Self::fields() {
            command = command.arg(arg(field));
            if field.kind == FieldKind::Switch {
                command = command.arg(negated(field));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const ALL: bool> FromArgMatches for FieldFlags<ALL> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = Self::fields()
            .filter_map(|field| Some((field.id, given(field, matches)?)))
            .collect();
        Ok(Self { values })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn given(field: &Field, matches: &ArgMatches) -> Option<String> {
    if field.kind == FieldKind::Switch && matches.get_flag(&negated_id(field)) {
        return Some("false".to_owned());
    }
    matches.get_one::<String>(field.id).cloned()
}

fn long(field: &Field) -> String {
    let flag = field.flag.map_or_else(|| flag_name(field.id), str::to_owned);
    flag.trim_start_matches('-').to_owned()
}

fn negated_id(field: &Field) -> String {
    format!("no_{}", field.id)
}

fn arg(field: &'static Field) -> Arg {
    let mut arg = Arg::new(field.id)
        .long(long(field))
        // vLLM takes underscores too.
        .alias(long(field).replace('-', "_"))
        .help(help(field))
        .help_heading(heading(field))
        .allow_negative_numbers(true)
        .action(ArgAction::Set);
    if let Some((_, short)) = ALIASES.iter().find(|(id, _)| *id == field.id) {
        arg = arg.visible_alias(*short);
    }
    if field.kind == FieldKind::Switch {
        return arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("true|false")
            .overrides_with(negated_id(field));
    }
    arg.value_name(value_name(field))
}

fn negated(field: &'static Field) -> Arg {
    Arg::new(negated_id(field))
        .long(format!("no-{}", long(field)))
        .action(ArgAction::SetTrue)
        .overrides_with(field.id)
        .hide(true)
}

fn heading(field: &Field) -> &'static str {
    match field.id {
        _ if field.flag.is_some() => "vLLM arguments",
        id if HARDWARE.contains(&id) => "Hardware",
        id if FILES.contains(&id) => "Files",
        _ => "Workload",
    }
}

fn value_name(field: &Field) -> String {
    match field.kind {
        FieldKind::Count { .. } => "N".to_owned(),
        FieldKind::Fraction => "FRACTION".to_owned(),
        FieldKind::Decimal => "NUMBER".to_owned(),
        FieldKind::Choice(words) if is_short(words) => words.join("|"),
        FieldKind::Choice(_) => "CHOICE".to_owned(),
        FieldKind::Switch => "true|false".to_owned(),
        FieldKind::Memory => "BYTES|80GiB".to_owned(),
        FieldKind::Text => "TEXT".to_owned(),
    }
}

/// Whether the words fit beside the flag: clap lines up all help of a heading behind its longest flag.
fn is_short(words: &[&str]) -> bool {
    words.iter().map(|word| word.len() + 1).sum::<usize>() <= 48
}

/// The field's help, with unit and limits where they say something.
fn help(field: &Field) -> String {
    let help = field.help.trim_end_matches('.');
    match field.kind {
        FieldKind::Count { min, max } if max <= 65_536 => {
            let unit = if field.unit.is_empty() {
                String::new()
            } else {
                format!(" {}", field.unit)
            };
            format!("{help} [{min} to {max}{unit}]")
        }
        FieldKind::Count { .. } | FieldKind::Decimal if !field.unit.is_empty() => {
            format!("{help} [{}]", field.unit)
        }
        FieldKind::Choice(words) if !is_short(words) => format!("{help} [{}]", words.join(", ")),
        _ => help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(args: &[&str]) -> Vec<(&'static str, String)> {
        let command = AllFields::augment_args(Command::new("test").no_binary_name(true));
        AllFields::from_arg_matches(&command.try_get_matches_from(args).unwrap())
            .unwrap()
            .values
    }

    #[test]
    fn switches_take_vllms_forms() {
        for (args, value) in [
            (&["--enforce-eager"][..], "true"),
            (&["--enforce-eager=false"], "false"),
            (&["--no-enforce-eager"], "false"),
            (&["--no-enforce-eager", "--enforce-eager"], "true"),
            (&["--enforce-eager", "--no-enforce-eager"], "false"),
        ] {
            assert_eq!(values(args), [("enforce_eager", value.to_owned())], "{args:?}");
        }
    }

    #[test]
    fn names_may_be_short_or_have_underscores() {
        for flag in ["--tensor-parallel-size", "--tensor_parallel_size", "--tp"] {
            assert_eq!(values(&[flag, "4"]), [("tensor_parallel_size", "4".to_owned())]);
        }
        assert_eq!(
            values(&["--max-model-len", "-1"]),
            [("max_model_len", "-1".to_owned())]
        );
    }

    #[test]
    fn check_has_the_load_but_no_arguments_of_vllm() {
        let ids: Vec<&str> = LoadFields::fields().map(|field| field.id).collect();
        assert!(ids.contains(&"concurrency") && ids.contains(&"gpus"));
        assert!(!ids.contains(&"max_model_len") && !ids.contains(&"defaults"));
    }
}
