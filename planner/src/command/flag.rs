//! One flag → one engine argument, checked against the version's flags.
use crate::{
    bounds,
    engine::{EngineArgs, FlagKind, FlagTable, Found, NO_ITEMS, VllmVersion},
    error::InputError,
    text::short,
};

/// Sets one flag: a modelled one in its field, any other in `vllm_args` after a check against the version's flags.
/// `value` is `None` for a switch; several values of a list are a JSON array of strings.
pub fn set_flag(
    args: &mut EngineArgs,
    version: VllmVersion,
    flag: &str,
    value: Option<&str>,
) -> Result<(), InputError> {
    let table = FlagTable::of(version);
    let rules = version.memory_rules();
    let Some(found) = table.find(flag) else {
        // A profile or link names the argument, and the files say it in this version's way.
        if flag == "--language-model-only" && value.is_none() && rules.zero_limits_leave_out {
            args.language_model_only = Some(true);
            return Ok(());
        }
        return Err(table.unknown(flag));
    };
    check(&found, value)?;
    let name = found.name();
    if name == "--limit-mm-per-prompt" && value == Some(NO_ITEMS) && !rules.language_model_only {
        args.language_model_only = Some(true);
        return Ok(());
    }
    if found.dotted.is_empty()
        && let Some(id) = modelled(found.flag.flag)
        && let Some(text) = field_text(id, &found, value)?
    {
        return args
            .set(id, &text)
            .map_err(|error| InputError { field: name, ..error });
    }
    let value = value.map(str::to_owned);
    // Elements of a list add up.
    if found.flag.flag != "--middleware" && !found.dotted.ends_with('+') {
        args.vllm_args.retain(|(old, _)| *old != name);
    }
    args.vllm_args.push((name, value));
    Ok(())
}

/// The argument that a flag sets, if the plan models it.
pub(crate) fn modelled(flag: &str) -> Option<&'static str> {
    bounds::FIELDS
        .iter()
        .find(|field| field.flag == Some(flag))
        .map(|field| field.id)
        .filter(|id| EngineArgs::ids().contains(id))
}

/// The values of a flag that takes several: a JSON array of strings, or the one value.
pub(crate) fn list_values(value: &str) -> Vec<String> {
    serde_json::from_str(value).unwrap_or_else(|_| vec![value.to_owned()])
}

/// What [`EngineArgs::set`] takes; `None` where the field cannot hold it.
fn field_text(id: &str, found: &Found, value: Option<&str>) -> Result<Option<String>, InputError> {
    Ok(match (found.flag.kind, value) {
        (FlagKind::Switch | FlagKind::SwitchPair, _) => Some((!found.negated).to_string()),
        (FlagKind::List, Some(value)) => match list_values(value).as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        (_, Some(value)) if id == "kv_cache_memory_bytes" => Some(human_bytes(value)?),
        (_, value) => value.map(str::to_owned),
    })
}

/// vLLM's `human_readable_int`: lower-case suffixes are powers of 1000, upper-case ones of 1024.
fn human_bytes(text: &str) -> Result<String, InputError> {
    let unit = match text.chars().last() {
        Some(suffix @ ('k' | 'm' | 'g' | 't')) => format!("{suffix}B"),
        Some(suffix @ ('K' | 'M' | 'G' | 'T')) => format!("{suffix}iB"),
        Some('0'..='9') => return Ok(text.to_owned()),
        _ => {
            return Err(InputError::new(
                "--kv-cache-memory-bytes",
                "expected a number such as 25G",
            ));
        }
    };
    Ok(format!(
        "{}{unit}",
        text.get(..text.len() - 1).unwrap_or_default()
    ))
}

/// Whether vLLM's parser would take that value.
fn check(found: &Found, value: Option<&str>) -> Result<(), InputError> {
    let flag = found.flag;
    let wrong = |problem: String| Err(InputError::new(found.name(), problem));
    if matches!(flag.flag, "--api-key" | "--hf-token") && value.is_some() {
        let variable = if flag.flag == "--api-key" {
            "VLLM_API_KEY"
        } else {
            "HF_TOKEN"
        };
        return wrong(format!(
            "a secret does not belong into files and links; set the variable {variable} where vLLM runs"
        ));
    }
    if matches!(flag.flag, "--model" | "--help") {
        return wrong("not a flag to pass through".to_owned());
    }
    match (flag.kind, value) {
        (FlagKind::Value | FlagKind::List, None) => wrong("expected a value".to_owned()),
        (FlagKind::Switch | FlagKind::SwitchPair, Some(value)) => {
            wrong(format!("takes no value, got {:?}", short(value)))
        }
        (FlagKind::Value, Some(value)) if !found.dotted.is_empty() && value.is_empty() => {
            wrong("expected a value".to_owned())
        }
        (FlagKind::Value, Some(value)) if found.dotted.is_empty() && !allowed(found, value) => {
            wrong(format!(
                "expected one of {}, got {:?}",
                flag.choices.join(", "),
                short(value)
            ))
        }
        _ => Ok(()),
    }
}

fn allowed(found: &Found, value: &str) -> bool {
    found.flag.choices.is_empty() || found.flag.choices.contains(&value)
}
