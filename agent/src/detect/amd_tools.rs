//! amd-smi's and rocm-smi's JSON, where the files of the driver cannot be read.
use super::{
    answers::{Answers, Device, Driver, Failure, Memory},
    program,
};
use serde_json::Value;

/// Either tool.
#[derive(Clone, Copy, Debug)]
pub(super) struct AmdTools;

impl Driver for AmdTools {
    fn answers(&self) -> Result<Answers, Failure> {
        let json = |name: &str, arguments: &[&str]| -> Option<Value> {
            serde_json::from_str(&program::answer(name, arguments)?).ok()
        };
        let new = json(
            "amd-smi",
            &["static", "--asic", "--vram", "--limit", "--driver", "--json"],
        );
        if let Some(answers) = new.and_then(|value| amd_smi(&value)) {
            return Ok(answers);
        }
        let old = json(
            "rocm-smi",
            &[
                "--showproductname",
                "--showmeminfo",
                "vram",
                "--showdriverversion",
                "--json",
            ],
        );
        old.and_then(|value| rocm_smi(&value))
            .ok_or(Failure::NotInstalled)
    }
}

/// A list of GPUs, which newer versions put under `gpu_data`.
fn amd_smi(value: &Value) -> Option<Answers> {
    let list = value.get("gpu_data").unwrap_or(value).as_array()?;
    let mut answers = Answers::default();
    for gpu in list {
        let text = |path: &str| {
            gpu.pointer(path)
                .and_then(Value::as_str)
                .filter(|text| *text != "N/A")
        };
        let index = gpu.get("gpu")?.as_u64()?;
        answers.driver_version = text("/driver/version").map(str::to_owned);
        answers.devices.push(Device {
            index: u32::try_from(index).ok()?,
            name: named(text("/asic/market_name").unwrap_or("AMD GPU")),
            architecture: text("/asic/target_graphics_version").map(str::to_owned),
            memory: Some(Memory {
                // Its MB are MiB, as its own source counts them.
                total: quantity(gpu.pointer("/vram/size")?)?.checked_mul(1 << 20)?,
                used: 0,
                reserved: None,
            }),
            power_limit_w: gpu
                .pointer("/limit/max_power")
                .and_then(quantity)
                .and_then(|watts| u32::try_from(watts).ok()),
            ..Device::default()
        });
    }
    some(answers, "amd-smi")
}

/// `{"value": 196592, "unit": "MB"}`, or the number alone.
fn quantity(value: &Value) -> Option<u64> {
    let value = value.get("value").unwrap_or(value);
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `{"card0": {…}, "system": {…}}`, every value a text. Keys were spelt otherwise before ROCm 6.
fn rocm_smi(value: &Value) -> Option<Answers> {
    let cards = value.as_object()?;
    let mut answers = Answers {
        driver_version: value
            .pointer("/system/Driver version")
            .and_then(Value::as_str)
            .map(str::to_owned),
        ..Answers::default()
    };
    let mut numbered: Vec<(u32, &Value)> = cards
        .iter()
        .filter_map(|(name, card)| Some((name.strip_prefix("card")?.parse().ok()?, card)))
        .collect();
    planner::order::sort(&mut numbered, |(a, _), (b, _)| a.cmp(b));
    for (index, card) in numbered {
        let text = |names: &[&str]| names.iter().find_map(|name| card.get(*name)?.as_str());
        let bytes = |name: &str| text(&[name])?.parse::<u64>().ok();
        answers.devices.push(Device {
            index,
            name: named(text(&["Card Series", "Card series", "Card Model"]).unwrap_or("AMD GPU")),
            architecture: text(&["GFX Version", "GFX version"]).map(str::to_owned),
            memory: Some(Memory {
                total: bytes("VRAM Total Memory (B)")?,
                used: bytes("VRAM Total Used Memory (B)").unwrap_or(0),
                reserved: None,
            }),
            ..Device::default()
        });
    }
    some(answers, "rocm-smi")
}

fn named(name: &str) -> String {
    if name.starts_with("AMD") {
        name.to_owned()
    } else {
        format!("AMD {name}")
    }
}

fn some(mut answers: Answers, tool: &str) -> Option<Answers> {
    answers.notes.push(format!(
        "Read from {tool}, which does not say how the GPUs are joined."
    ));
    (!answers.devices.is_empty()).then_some(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amd_smis_list_is_read_in_both_forms() {
        let gpu = json!({
            "gpu": 0,
            "asic": {"market_name": "AMD Instinct MI300X", "target_graphics_version": "gfx942"},
            "vram": {"type": "HBM", "size": {"value": 196_592, "unit": "MB"}},
            "limit": {"max_power": {"value": 750, "unit": "W"}},
            "driver": {"name": "amdgpu", "version": "6.12.12"}
        });
        for value in [json!([gpu]), json!({"gpu_data": [gpu]})] {
            let answers = amd_smi(&value).unwrap();
            let device = &answers.devices[0];
            assert_eq!(device.name, "AMD Instinct MI300X");
            assert_eq!(device.memory.unwrap().total, 206_141_652_992);
            assert_eq!(device.power_limit_w, Some(750));
            assert_eq!(answers.driver_version.as_deref(), Some("6.12.12"));
        }
        for value in [json!([]), json!({"gpu_data": 1}), json!([{"gpu": "x"}])] {
            assert_eq!(amd_smi(&value), None, "{value}");
        }
    }

    #[test]
    fn rocm_smis_cards_are_read_in_their_order() {
        let card = |name: &str| {
            json!({"VRAM Total Memory (B)": "206141652992", "VRAM Total Used Memory (B)": "297472000",
                   "Card Series": name, "GFX Version": "gfx942"})
        };
        let value = json!({"card10": card("second"), "card2": card("Instinct MI300X"), "system": {"Driver version": "6.7.0"}});
        let answers = rocm_smi(&value).unwrap();
        let names: Vec<&str> = answers
            .devices
            .iter()
            .map(|device| device.name.as_str())
            .collect();
        assert_eq!(names, ["AMD Instinct MI300X", "AMD second"]);
        assert_eq!(answers.devices[0].memory.unwrap().used, 297_472_000);
        assert_eq!(rocm_smi(&json!({"card0": {}})), None);
        assert_eq!(rocm_smi(&json!({"system": {}})), None);
    }
}
