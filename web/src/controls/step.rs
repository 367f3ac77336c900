//! Arrow keys in number fields.
use planner::bounds::{self, Field, FieldKind};

/// The value after a key, or nothing where the key or the field does not step.
/// `now` is what the box shows, or what holds while it is empty.
pub(crate) fn stepped(field: &Field, now: &str, key: &str) -> Option<String> {
    let (up, times) = match key {
        "ArrowUp" => (true, 1),
        "ArrowDown" => (false, 1),
        "PageUp" => (true, 10),
        "PageDown" => (false, 10),
        _ => return None,
    };
    match field.kind {
        FieldKind::Count { min, max } => {
            let step = times
                * if field.unit == "tokens" && max > 4096 {
                    256
                } else {
                    1
                };
            let now = bounds::parse_count(field.id, now).ok()?;
            let next = if up {
                now.saturating_add(step)
            } else {
                now.saturating_sub(step)
            };
            // Onto the grid: 1000 steps up to 1024, not to 1256.
            let next = if step > 1 { next / step * step } else { next };
            Some(next.clamp(min, max).to_string())
        }
        FieldKind::Fraction => {
            let now = bounds::parse_decimal(field.id, now).ok()?;
            let next = if up {
                now + 10 * times
            } else {
                now.saturating_sub(10 * times)
            };
            let next = next.clamp(10, 1000);
            Some(
                format!("{}.{:03}", next / 1000, next % 1000)
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned(),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_step_within_bounds() {
        for (id, now, key, next) in [
            ("gpus", "4", "ArrowUp", Some("5")),
            ("gpus", "1", "ArrowDown", Some("1")),
            ("gpus", "60", "PageUp", Some("64")),
            ("max_model_len", "1000", "ArrowUp", Some("1024")),
            ("max_model_len", "32K", "ArrowDown", Some("32512")),
            ("gpu_memory_utilization", "0.92", "ArrowUp", Some("0.93")),
            ("gpu_memory_utilization", "1", "ArrowUp", Some("1")),
            ("gpu_memory_utilization", "0.9", "PageDown", Some("0.8")),
            ("name", "a", "ArrowUp", None),
            ("gpus", "many", "ArrowUp", None),
            ("gpus", "4", "Enter", None),
        ] {
            assert_eq!(
                stepped(bounds::field(id).unwrap(), now, key).as_deref(),
                next,
                "{id} {now} {key}"
            );
        }
    }
}
