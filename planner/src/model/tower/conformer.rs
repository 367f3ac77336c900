//! Gemma 4's tower for sound, as transformers has it: whole on every rank.
use super::{Cut, TowerTensor, fields::whole, read::Reader};
use crate::model::ConfigError;
use serde_json::Value;

impl Reader<'_> {
    /// Two convolutions over a picture of sound, and the scales of relative positions.
    pub(super) fn sound_picture(&self) -> Result<Vec<TowerTensor>, ConfigError> {
        let w = u64::from(self.width);
        let channel = |list: &[Value], at: usize| {
            list.get(at)
                .and_then(Value::as_u64)
                .filter(|channels| (1..=1 << 16).contains(channels))
        };
        let key = "subsampling_conv_channels";
        let (first, second) = match self.fields.list(key)? {
            None => (128, 32),
            Some(list) => match (channel(list, 0), channel(list, 1)) {
                (Some(first), Some(second)) => (first, second),
                _ => return Err(self.fields.inconsistent(key, "expected two numbers")),
            },
        };
        Ok(vec![
            whole(9 * first, 1),
            whole(first, 1),
            whole(9 * first * second, 1),
            whole(second, 1),
            whole(first / 4 * second * w, 1),
            TowerTensor::Cache { elements: w / 2 },
        ])
    }

    /// One block: feed-forward, attention, convolution, feed-forward.
    pub(super) fn conformer(&self, index: u32) -> Result<Vec<TowerTensor>, ConfigError> {
        let w = self.width;
        let clipped = self.fields.flag("use_clipped_linears")?.unwrap_or(true);
        let mut out = Vec::with_capacity(24);
        for (name, inputs, outputs) in [
            ("feed_forward1.ffw_layer_1", w, 4 * w),
            ("feed_forward1.ffw_layer_2", 4 * w, w),
            ("feed_forward2.ffw_layer_1", w, 4 * w),
            ("feed_forward2.ffw_layer_2", 4 * w, w),
            ("self_attn.q_proj", w, w),
            ("self_attn.k_proj", w, w),
            ("self_attn.v_proj", w, w),
            ("self_attn.post", w, w),
            ("lconv1d.linear_start", w, 2 * w),
            ("lconv1d.linear_end", w, w),
            ("self_attn.relative_k_proj", w, w),
        ] {
            let name = format!("layers.{index}.{name}");
            out.push(TowerTensor::Linear(self.linear(
                &name,
                inputs,
                outputs,
                1,
                Cut::Whole,
                false,
            )?));
            if clipped && !name.ends_with("relative_k_proj") {
                out.push(whole(1, 4));
            }
        }
        // A scale for each dimension of a head, and the cap of the scores.
        out.push(whole(u64::from(w / self.heads), 1));
        out.push(TowerTensor::Cache { elements: 1 });
        out.push(whole(
            u64::from(w) * u64::from(self.number("conv_kernel_size")?),
            1,
        ));
        out.push(whole(u64::from(w), 9));
        Ok(out)
    }
}
