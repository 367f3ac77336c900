//! What torch's caching allocator counts for a list of tensors.
//!
//! Mirrors `c10/cuda/CUDACachingAllocator.cpp` of torch 2.14: sizes are rounded to 512 bytes; requests up to 1 MiB come
//! from 2 MiB segments, up to 10 MiB from 20 MiB segments, larger ones from segments of their own rounded to 2 MiB;
//! the rest of a large block is split off only if it is over 1 MiB. The counted size is the block's. A freed block joins
//! its free neighbours in the same segment.
use super::tensors::{Tensor, TensorClass, TensorRun};
use crate::units::{Bytes, MIB};

const SMALL: u64 = MIB;
const LARGE_SEGMENT: u64 = 20 * MIB;
const OWN_SEGMENT: u64 = 10 * MIB;
const ROUND: u64 = 2 * MIB;

/// How many pools a layer's is compared with: they repeat early or not at all.
const COMPARED: usize = 16;

/// A piece of a segment. Ordered as the allocator looks for one: the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    size: u64,
    segment: u32,
    offset: u64,
}

/// The large pool.
#[derive(Default)]
struct LargePool {
    /// Free blocks, smallest first.
    free: Vec<Block>,
    segments: u32,
}

impl LargePool {
    /// Takes a block of at least `size`; its size is what the allocator counts.
    fn take(&mut self, size: u64) -> Block {
        let at = self.free.partition_point(|block| block.size < size);
        let mut block = if at < self.free.len() {
            self.free.remove(at)
        } else {
            self.segments += 1;
            Block {
                size: if size < OWN_SEGMENT {
                    LARGE_SEGMENT
                } else {
                    size.next_multiple_of(ROUND)
                },
                segment: self.segments,
                offset: 0,
            }
        };
        if block.size - size > SMALL {
            self.insert(Block {
                size: block.size - size,
                offset: block.offset + size,
                ..block
            });
            block.size = size;
        }
        block
    }

    /// Frees a block.
    fn give(&mut self, mut block: Block) {
        self.free.retain(|free| {
            let before = free.segment == block.segment && free.offset + free.size == block.offset;
            let after = free.segment == block.segment && block.offset + block.size == free.offset;
            if before {
                block.offset = free.offset;
            }
            if before || after {
                block.size += free.size;
            }
            !(before || after)
        });
        self.insert(block);
    }

    /// Inserts `again` times what is in `after` beyond `before`; both are sorted.
    fn leave(&mut self, before: &[u64], after: &[u64], again: u64) {
        let mut before = before.iter().peekable();
        for size in after {
            if before.next_if_eq(&size).is_some() {
                continue;
            }
            for _ in 0..again {
                self.segments += 1;
                self.insert(Block {
                    size: *size,
                    segment: self.segments,
                    offset: 0,
                });
            }
        }
    }

    fn insert(&mut self, block: Block) {
        let at = self.free.partition_point(|free| *free < block);
        self.free.insert(at, block);
    }

    /// A rotary cache in 16 bits: angles, cosines and sines in float32, both beside each other, then the cache itself
    /// (`layers/rotary_embedding/base.py: _compute_cos_sin_cache`).
    fn rotary(&mut self, cache: u64, wide: u64) -> u64 {
        let parts = [cache; 3].map(|part| (part > SMALL).then(|| self.take(part)));
        let wide = (wide > SMALL).then(|| self.take(wide));
        for part in parts.into_iter().flatten() {
            self.give(part);
        }
        let counted = if cache > SMALL { self.take(cache).size } else { 0 };
        if let Some(wide) = wide {
            self.give(wide);
        }
        counted
    }
}

/// As the allocator rounds it.
fn rounded(size: u64) -> u64 {
    size.next_multiple_of(512)
}

/// It is quantised while loading.
fn made(tensor: &Tensor) -> bool {
    tensor.source > 0 && tensor.class != TensorClass::Rope
}

/// The large tensors of a run, as often as they come.
fn large(run: &TensorRun) -> impl Iterator<Item = &Tensor> {
    let tensors = run.tensors.iter().filter(|t| rounded(t.loaded) > SMALL);
    tensors.flat_map(|t| std::iter::repeat_n(t, usize::try_from(t.count).unwrap_or(usize::MAX)))
}

/// How the pool stood before a layer.
struct Before {
    /// Sizes of free blocks that no tensor of the run fits into, and of the others.
    unfit: Vec<u64>,
    fit: Vec<u64>,
    /// Counted until then.
    total: u64,
}

impl Before {
    fn new(pool: &LargePool, smallest: u64, total: u64) -> Self {
        let mut sizes = pool.free.iter().map(|block| block.size);
        Self {
            unfit: sizes.by_ref().take_while(|size| *size < smallest).collect(),
            fit: pool
                .free
                .iter()
                .map(|block| block.size)
                .filter(|size| *size >= smallest)
                .collect(),
            total,
        }
    }
}

/// What `count` layers take from the pool one after the other, `layer` making one, `smallest` their smallest tensor.
fn layers(
    pool: &mut LargePool,
    count: u64,
    smallest: u64,
    mut layer: impl FnMut(&mut LargePool) -> u64,
) -> u64 {
    let (mut total, mut left) = (0, count);
    let mut past: Vec<Before> = Vec::new();
    while left > 0 {
        if left > 1 && past.len() < COMPARED {
            let now = Before::new(pool, smallest, total);
            // Layers that find the pool as earlier ones did do the same again.
            if let Some(at) = past.iter().position(|before| before.fit == now.fit) {
                let period = (past.len() - at) as u64;
                let again = left / period;
                let first = past.swap_remove(at);
                total += (total - first.total) * again;
                left -= period * again;
                pool.leave(&first.unfit, &now.unfit, again);
                past.clear();
                continue;
            }
            past.push(now);
        }
        total += layer(pool);
        left -= 1;
    }
    total
}

/// What the allocator counts once all tensors are there, after loading.
pub fn allocated(runs: &[TensorRun]) -> Bytes {
    let mut pool = LargePool::default();
    let mut total = 0_u64;
    for run in runs {
        // Small tensors never leave a rest behind, so a layer's are counted once.
        let small = |t: &&Tensor| rounded(t.loaded) <= SMALL;
        let bytes = |t: &Tensor| rounded(t.loaded) * t.count;
        total += run.tensors.iter().filter(small).map(bytes).sum::<u64>() * run.layers;
        let plain = || large(run).filter(|t| !made(t));
        let smallest = plain().map(|t| rounded(t.loaded)).min().unwrap_or(0);
        total += layers(&mut pool, run.layers, smallest, |pool| {
            plain()
                .map(|tensor| match tensor.source {
                    0 => pool.take(rounded(tensor.loaded)).size,
                    wide => pool.rotary(rounded(tensor.loaded), rounded(wide)),
                })
                .sum()
        });
    }
    for run in runs {
        if !run.tensors.iter().any(made) {
            continue;
        }
        let smallest = large(run)
            .filter(|t| made(t))
            .map(|t| rounded(t.loaded.min(t.source)));
        let smallest = smallest.min().unwrap_or(0);
        total += layers(&mut pool, run.layers, smallest, |pool| {
            let mut counted = 0;
            let mut tensors = large(run).filter(|t| made(t)).peekable();
            while let Some(first) = tensors.next() {
                // All weights of a layer's experts are one step.
                let mut step = vec![first];
                let experts = |t: &&Tensor| first.class == TensorClass::Experts && t.class == first.class;
                while let Some(next) = tensors.next_if(experts) {
                    step.push(next);
                }
                let wide: Vec<Block> = step.iter().map(|t| pool.take(rounded(t.source))).collect();
                counted += step
                    .iter()
                    .map(|t| pool.take(rounded(t.loaded)).size)
                    .sum::<u64>();
                for block in wide {
                    pool.give(block);
                }
            }
            counted
        });
    }
    Bytes::new(total)
}
