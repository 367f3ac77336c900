//! What Marlin makes of 4-bit floats: `layers/quantization/utils/{marlin_utils,marlin_utils_fp4}.py` at 0.33.0.
use super::{Builder, linear::Linear};

/// Inputs that share a scale.
const GROUP: u64 = 16;

impl Builder<'_> {
    /// Bytes of weight and scales of a layer, padded to Marlin's tiles.
    pub(super) fn marlin_nvfp4(&self, linear: &Linear<'_>) -> (u64, u64) {
        let n: u64 = linear.shards.iter().sum();
        let k = linear.k;
        if linear.experts == 1 {
            let (n, k) = padded(n, k);
            return (n * k / 2, n * (k / GROUP));
        }
        // The width of an expert is padded: of each shard where it is the output, else of the input.
        let hidden = self.expert_input();
        let tile = if hidden.is_multiple_of(128) { 64 } else { 128 };
        let bytes = |n: u64, k: u64, groups: u64| (linear.experts * n * k / 2, linear.experts * n * groups);
        if k == hidden {
            let n = linear
                .shards
                .iter()
                .map(|shard| shard.next_multiple_of(tile))
                .sum();
            return bytes(n, k, k / GROUP);
        }
        let wide = k.next_multiple_of(tile);
        bytes(n, wide, k / GROUP + (wide - k) / GROUP)
    }

    /// Inputs of a routed expert.
    fn expert_input(&self) -> u64 {
        let h = self.spec.hidden_size;
        self.spec.moe().map_or(u64::from(h), |moe| moe.inner_size(h))
    }
}

/// The cheaper of the two families of tiles (`marlin_padded_nk`).
fn padded(n: u64, k: u64) -> (u64, u64) {
    let candidates = [
        (n.next_multiple_of(64), k.next_multiple_of(128)),
        (n.next_multiple_of(128), k.next_multiple_of(64)),
    ];
    let cost = |(n, k): &(u64, u64)| (n * k, n + k);
    candidates.into_iter().min_by_key(cost).unwrap_or((n, k))
}
