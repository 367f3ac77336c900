//! What torch's caching allocator counts for a list of tensors.
//!
//! Mirrors `c10/cuda/CUDACachingAllocator.cpp` of torch 2.14: sizes are rounded to 512 bytes; requests up to 1 MiB come
//! from 2 MiB segments, up to 10 MiB from 20 MiB segments, larger ones from segments of their own rounded to 2 MiB;
//! the rest of a large block is split off only if it is over 1 MiB. The counted size is the block's.
use super::tensors::TensorRun;
use crate::units::{Bytes, MIB};

const SMALL: u64 = MIB;
const LARGE_SEGMENT: u64 = 20 * MIB;
const OWN_SEGMENT: u64 = 10 * MIB;
const ROUND: u64 = 2 * MIB;

/// Free blocks of the large pool, smallest first.
#[derive(Default)]
struct LargePool {
    free: Vec<u64>,
}

impl LargePool {
    /// Takes a block of at least `size` and returns what the allocator counts for it.
    fn take(&mut self, size: u64) -> u64 {
        let at = self.free.partition_point(|block| *block < size);
        let block = if at < self.free.len() {
            self.free.remove(at)
        } else if size < OWN_SEGMENT {
            LARGE_SEGMENT
        } else {
            size.next_multiple_of(ROUND)
        };
        let rest = block - size;
        if rest <= SMALL {
            return block;
        }
        let at = self.free.partition_point(|free| *free < rest);
        self.free.insert(at, rest);
        size
    }
}

/// What the allocator counts once all tensors are there, after loading.
pub fn allocated(runs: &[TensorRun]) -> Bytes {
    let mut pool = LargePool::default();
    let mut total = 0_u64;
    let mut before = Vec::new();
    for run in runs {
        // Small tensors never leave a rest behind, so a layer's are counted once.
        let small = |size: u64| size <= SMALL;
        let rounded = |size: u64| size.next_multiple_of(512);
        let tensors = || run.tensors.iter().filter(|tensor| tensor.loaded > 0);
        total += tensors()
            .filter(|t| small(rounded(t.loaded)))
            .map(|t| rounded(t.loaded) * t.count)
            .sum::<u64>()
            * run.layers;
        let mut left = run.layers;
        while left > 0 {
            before.clone_from(&pool.free);
            let mut layer = 0;
            for tensor in tensors().filter(|t| !small(rounded(t.loaded))) {
                for _ in 0..tensor.count {
                    layer += pool.take(rounded(tensor.loaded));
                }
            }
            // A layer that leaves the pool as it found it is followed by others that do the same.
            let alike = if left > 1 && pool.free == before { left } else { 1 };
            total += layer * alike;
            left -= alike;
        }
    }
    Bytes::new(total)
}
