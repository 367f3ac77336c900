//! Caches of different pages, packed into blocks that hold all of them: those of DeepSeek V4 and V4.1, up to five a
//! layer, and those of GLM-5.3-Flash, whose index keeps one key for a pool of tokens.
//!
//! Mirrors `models/deepseek_v4/{attention,compressor}.py` and those of `models/deepseek_v41`, `models/glm5next/common/attention.py`,
//! `v1/attention/backends/mla/sparse_swa.py` and `v1/core/kv_cache_planning.py: _get_packed_kv_cache_groups` at 0.33.0.
use super::{
    kv_cache::{Group, GroupKind, KvSettings, kind, token_bytes},
    sparse_latent::LoadSettings,
};
use crate::{
    engine::KvCacheDtype,
    model::{Attention, Compressed, GroupIndex, Mixer, Mla, ModelSpec, Shared, SparseIndex},
    units::{MIB, gcd},
};

/// Bytes of a kept or compressed token: 8-bit floats, 16-bit positions, scales.
const PACKED: u64 = 584;

/// The same in V4.1's layouts on Blackwell: 8-bit floats throughout, and 4-bit floats, which only compressed tokens have.
const PACKED_BLACKWELL: [u64; 2] = [528, 288];

/// Pages are rounded to what the kernel loads at once.
const ALIGNMENT: u64 = 576;

/// The same for V4.1's layouts on Blackwell.
const ALIGNMENT_BLACKWELL: u64 = 512;

/// Tokens of a block of the window's cache, and in V4.1.
const WINDOW_BLOCK: [u64; 2] = [64, 32];

/// Rows of V4.1's ring of tokens that are not compressed yet: as many at least, and what a step may propose.
const RING: u64 = 8;

/// `_FLASHINFER_DSV4_WORKSPACE_BUFFER_SIZE`.
const FLASHINFER_BUFFER: u64 = 128 * MIB;

/// The first layer with an index over pools of tokens.
pub fn pooled(spec: &ModelSpec) -> Option<SparseIndex> {
    spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::Mla(mla) => mla.sparse.filter(|index| index.index_kpool > 1),
        _ => None,
    })
}

/// The first layer with an index over groups of tokens.
pub fn grouped(spec: &ModelSpec) -> Option<GroupIndex> {
    spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::Attention(attention, _) => attention.groups,
        _ => None,
    })
}

/// What vLLM says where a block does not hold whole rings or groups (`models/qwen4_exp/common/qsa_cache.py`).
pub fn ring_refusal(spec: &ModelSpec, block_size: u32, proposed: u64) -> Option<String> {
    let index = grouped(spec)?;
    let ring = index.ring(proposed);
    if !block_size.is_multiple_of(index.indexer_compress_ratio) {
        return Some("QSA cache block size must be divisible by the compression ratio".to_owned());
    }
    (!u64::from(block_size).is_multiple_of(ring))
        .then(|| format!("QSA ring capacity {ring} must divide the attention block size {block_size}"))
}

/// The first layer with compressed attention.
pub fn compressed(spec: &ModelSpec) -> Option<Compressed> {
    spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::Compressed(layer) => Some(layer),
        _ => None,
    })
}

/// What V4.1's layers have in common.
pub fn shared(spec: &ModelSpec) -> Option<Shared> {
    compressed(spec).and_then(|layer| layer.shared)
}

/// Bytes of a compressed token in DeepSeek V4's and V4.1's caches; `None` where no kernel takes that cache on that GPU
/// (`models/deepseek_v41/attention.py: _resolve_dsv4_kv_cache_dtype`, `nvidia/flash_mla_mega_attn.py`).
pub fn record(layer: &Compressed, capability: u16, kv: KvCacheDtype) -> Option<u64> {
    let [eight, four] = PACKED_BLACKWELL;
    // The kernel that reads 4 bits wants eight heads in each group of the output projection.
    let mega = layer.num_attention_heads / layer.o_groups.max(1) == 8;
    match (kv, capability) {
        (kv, _) if layer.shared.is_none() => (kv == KvCacheDtype::Auto || kv.is_fp8()).then_some(PACKED),
        (KvCacheDtype::Auto | KvCacheDtype::Fp8, 100..110) => Some(if mega { four } else { eight }),
        (KvCacheDtype::Nvfp4DsMla, 100..110) => mega.then_some(four),
        (KvCacheDtype::Auto | KvCacheDtype::Fp8, _) => Some(PACKED),
        _ => None,
    }
}

/// Tokens of a block that V4.1's kernels take (`models/deepseek_v41/sparse_mla.py`).
pub const fn shared_block(capability: u16) -> u32 {
    if capability == 90 { 64 } else { 128 }
}

/// One cache of a layer.
#[derive(Clone, Copy)]
struct Cache {
    kind: GroupKind,
    block: u64,
    page: u64,
    /// A state that ranks do not share out: it is grouped apart from those that they do.
    whole: bool,
}

impl Cache {
    fn new(kind: GroupKind, block: u64, page: u64) -> Self {
        Self {
            kind,
            block,
            page,
            whole: false,
        }
    }
}

/// The caches of a layer; `row` is a token of latent attention.
fn caches(mixer: &Mixer, settings: &KvSettings, row: u64) -> Vec<Cache> {
    let block = u64::from(settings.block_size);
    match mixer {
        Mixer::Compressed(layer) if layer.shared.is_some() => shared_caches(layer, settings),
        Mixer::Compressed(layer) => compressed_caches(layer, block),
        Mixer::Mla(Mla {
            sparse: Some(index), ..
        }) => {
            let pool = u64::from(index.index_kpool.max(1));
            let mut caches = vec![Cache::new(GroupKind::Full, block, block * row)];
            if index.own {
                caches.push(Cache::new(
                    GroupKind::Full,
                    block,
                    block / pool * index.key_bytes(),
                ));
                // The pool that is not full yet: a 16-bit key and a score per token, once per request.
                let tail = pool * 2 * u64::from(index.index_head_dim) * 2;
                caches.push(Cache::new(GroupKind::Ring, pool, tail));
            }
            caches
        }
        Mixer::Attention(
            Attention {
                groups: Some(index), ..
            },
            _,
        ) => {
            let key = u64::from(index.indexer_head_dim);
            let kept = block / u64::from(index.indexer_compress_ratio.max(1));
            let ring = index.ring(u64::from(settings.speculative_tokens));
            // Beside its key a token of the ring has its positions on three axes, as int64.
            let token = key.next_multiple_of(4) * 2 + 3 * 8;
            vec![
                Cache::new(GroupKind::Full, block, block * row),
                Cache::new(GroupKind::Full, block, kept * key * u64::from(index.element)),
                Cache::new(GroupKind::Ring, ring, ring * token),
            ]
        }
        // States are as large as a page of attention.
        Mixer::Kda(_) | Mixer::GatedDeltaNet(_) => {
            let state = kind(mixer, settings).map(|kind| Cache::new(kind, block, block * row));
            let tables = matches!(mixer, Mixer::GatedDeltaNet(gdn) if gdn.ngrams.is_some());
            let beside = state
                .filter(|_| tables)
                .map(|state| Cache { whole: true, ..state });
            state.into_iter().chain(beside).collect()
        }
        _ => Vec::new(),
    }
}

/// Those of DeepSeek V4, for blocks of `block` tokens.
fn compressed_caches(layer: &Compressed, block: u64) -> Vec<Cache> {
    let cache = |kind, block, bytes: u64| Cache::new(kind, block, bytes.next_multiple_of(ALIGNMENT));
    let mut caches = vec![cache(
        GroupKind::Sliding(layer.sliding_window),
        WINDOW_BLOCK[0],
        WINDOW_BLOCK[0] * PACKED,
    )];
    if layer.ratio == 0 {
        return caches;
    }
    // What a compressor has seen of tokens that are not compressed yet: values and scores in float32.
    let states = layer.states();
    let window = u32::try_from(states).unwrap_or(1) * layer.ratio;
    let rows = if layer.ratio == 4 { 4 } else { 8 };
    let state = |dim: u32| {
        cache(
            GroupKind::Sliding(window),
            rows,
            rows * 2 * states * u64::from(dim) * 4,
        )
    };
    let kept = block / u64::from(layer.ratio);
    caches.push(cache(GroupKind::Full, block, kept * PACKED));
    caches.push(state(layer.head_dim));
    if layer.index.own {
        caches.push(cache(GroupKind::Full, block, kept * layer.key_bytes()));
        caches.push(state(layer.index.index_head_dim));
    }
    caches
}

/// How records of compressed tokens and of the window are laid out: bytes of one of the window, what pages are rounded to.
fn layout(record: u64) -> (u64, u64) {
    if PACKED_BLACKWELL.contains(&record) {
        (PACKED_BLACKWELL[0], ALIGNMENT_BLACKWELL)
    } else {
        (PACKED, ALIGNMENT)
    }
}

/// Those of V4.1: every layer has a window, and the sources keep compressed tokens, their keys and a ring.
fn shared_caches(layer: &Compressed, settings: &KvSettings) -> Vec<Cache> {
    let (block, record) = (u64::from(settings.block_size), settings.packed_latent);
    let (window, alignment) = layout(record);
    let cache = |kind, block, bytes: u64| Cache::new(kind, block, bytes.next_multiple_of(alignment));
    let mut caches = vec![cache(
        GroupKind::Sliding(layer.sliding_window),
        WINDOW_BLOCK[1],
        WINDOW_BLOCK[1] * window,
    )];
    if layer.source {
        let kept = block / u64::from(layer.ratio.max(1));
        caches.push(cache(GroupKind::Full, block, kept * record));
        caches.push(cache(GroupKind::Full, block, kept * layer.key_bytes()));
        if layer.ratio > 1 {
            let rows = (u64::from(settings.speculative_tokens) + 2).next_power_of_two();
            let rows = rows.max(RING);
            // Values and scores in float32.
            let bytes = rows * 2 * u64::from(layer.head_dim) * 4;
            caches.push(Cache::new(GroupKind::Ring, rows, bytes));
        }
    }
    caches
}

/// Caches that need equally many blocks, by size of page.
struct Bucket {
    kind: GroupKind,
    block: u64,
    whole: bool,
    pages: Vec<(u64, Vec<u32>)>,
}

impl Bucket {
    /// How often its pattern of pages repeats.
    fn repeats(&self) -> usize {
        self.pages
            .iter()
            .map(|(_, layers)| layers.len())
            .max()
            .unwrap_or(0)
    }

    /// A state or a ring: so many of them for a request, whatever its length. Nor do windows grow beyond theirs; where
    /// no pattern repeats, they are cut as states are.
    fn is_state(&self, repeats: bool) -> bool {
        match self.kind {
            GroupKind::State(_) | GroupKind::Ring => true,
            GroupKind::Sliding(_) => !repeats,
            _ => false,
        }
    }

    /// Layers in all.
    fn layers(&self) -> usize {
        self.pages.iter().map(|(_, layers)| layers.len()).sum()
    }

    /// Bytes of the largest of `count` groups that it is cut into.
    fn widest(&self, count: usize) -> u64 {
        let bytes = |(page, layers): &(u64, Vec<u32>)| page * layers.len().div_ceil(count.max(1)) as u64;
        self.pages.iter().map(bytes).sum()
    }

    /// Each size of page is there equally often.
    fn balanced(&self) -> bool {
        self.pages
            .iter()
            .all(|(_, layers)| layers.len() == self.repeats())
    }
}

fn buckets(spec: &ModelSpec, settings: &KvSettings, row: u64) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut index = 0;
    // Few kinds of layers alternate; what one keeps is listed once.
    let mut listed: Vec<(&Mixer, Vec<Cache>)> = Vec::new();
    for run in &spec.layers {
        let layers = index..index + run.count;
        index = layers.end;
        let known = listed.iter().position(|(mixer, _)| **mixer == run.mixer);
        let at = known.unwrap_or_else(|| {
            listed.push((&run.mixer, caches(&run.mixer, settings, row)));
            listed.len() - 1
        });
        for cache in listed.get(at).map_or(&[][..], |(_, caches)| caches) {
            let at = buckets
                .iter()
                .position(|b| (b.kind, b.block, b.whole) == (cache.kind, cache.block, cache.whole));
            let at = at.unwrap_or_else(|| {
                buckets.push(Bucket {
                    kind: cache.kind,
                    block: cache.block,
                    whole: cache.whole,
                    pages: Vec::new(),
                });
                buckets.len() - 1
            });
            let Some(bucket) = buckets.get_mut(at) else {
                continue;
            };
            match bucket.pages.iter_mut().find(|(page, _)| *page == cache.page) {
                Some((_, members)) => members.extend(layers.clone()),
                None => bucket.pages.push((cache.page, layers.clone().collect())),
            }
        }
    }
    buckets
}

/// The number from `least` on that pads `values` least when each is rounded up to a multiple of it; the largest such.
fn common_repeats(values: &[usize], least: usize) -> usize {
    let most = values.iter().copied().max().unwrap_or(least);
    let padding = |d: usize| values.iter().map(|x| x.next_multiple_of(d) - x).sum::<usize>();
    (least..=most).rev().min_by_key(|d| padding(*d)).unwrap_or(least)
}

/// The groups, with their bytes in the layers that are `inside` the stage; `None` where no layer is of this kind.
pub(super) fn groups(
    spec: &ModelSpec,
    settings: &KvSettings,
    inside: impl Fn(&u32) -> bool,
) -> Option<Vec<Group>> {
    let pooled = pooled(spec);
    if pooled.is_none() && grouped(spec).is_none() {
        compressed(spec)?;
    }
    let row = spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::Mla(_) | Mixer::Attention(..) => Some(token_bytes(&run.mixer, settings)),
        _ => None,
    });
    let row = row.unwrap_or(0);
    let buckets = buckets(spec, settings, row);
    let balanced = || buckets.iter().filter(|bucket| bucket.balanced());
    let least = balanced()
        .filter(|bucket| bucket.pages.len() > 1)
        .map(Bucket::repeats)
        .max();
    let repeats: Vec<usize> = balanced().map(Bucket::repeats).collect();
    let each = least.map(|least| common_repeats(&repeats, least.max(1)));
    let cut = |bucket: &Bucket| match each {
        Some(each) if bucket.balanced() => bucket.repeats().div_ceil(each),
        _ => 1,
    };
    let widest = |bucket: &Bucket| {
        let count = if bucket.is_state(each.is_some()) {
            bucket.layers()
        } else {
            cut(bucket)
        };
        bucket.widest(count)
    };
    let anchor = buckets.iter().map(widest).max().unwrap_or(0);
    // Blocks are whole rows of latent attention apart, on Blackwell so many as its kernel reads at once.
    let align = if settings.row_pages { row * 32 } else { row };
    let align = if pooled.is_some() { align.max(1) } else { 1 };
    let align = match (shared(spec), layout(settings.packed_latent)) {
        // Both kinds of records divide the distance of two blocks.
        (Some(_), (window, ALIGNMENT_BLACKWELL)) => {
            window / gcd(window, settings.packed_latent) * settings.packed_latent
        }
        _ => align,
    };
    let mut groups = Vec::new();
    for bucket in &buckets {
        let mut count = cut(bucket);
        if let (true, Some((page, _))) = (bucket.is_state(each.is_some()), bucket.pages.first()) {
            // No more states in a group than a block holds anyway.
            let held = anchor.checked_div(*page).unwrap_or(1).max(1);
            let held = usize::try_from(held).unwrap_or(usize::MAX);
            count = count.max(bucket.layers().div_ceil(held));
        }
        for group in 0..count {
            let bytes = |(page, layers): &(u64, Vec<u32>)| {
                let members = layers.iter().skip(group).step_by(count);
                page * members.filter(|layer| inside(layer)).count() as u64
            };
            groups.push(Group {
                kind: bucket.kind,
                block: bucket.block,
                bytes: bucket
                    .pages
                    .iter()
                    .map(bytes)
                    .sum::<u64>()
                    .next_multiple_of(align),
            });
        }
    }
    Some(groups)
}

/// Bytes of the workspaces that the profile run reserves: unpacked tokens of four prompts with what a step picks, and
/// the indexer's keys (`models/deepseek_v4/nvidia/flashmla.py`, `layers/sparse_attn_indexer.py`).
pub fn workspace(spec: &ModelSpec, load: &LoadSettings, capability: u16) -> u64 {
    let layers = || {
        spec.layers.iter().filter_map(|run| match run.mixer {
            Mixer::Compressed(layer) => Some(layer),
            _ => None,
        })
    };
    let Some(layer) = layers().next() else { return 0 };
    let ratio = layers().map(|layer| layer.ratio).filter(|ratio| *ratio > 0);
    let tokens = u64::from(load.max_num_batched_tokens);
    let window = u64::from(layer.sliding_window);
    // In V4 those of ratio 4 alone are gathered.
    let ratio = match layer.shared {
        None => 4,
        Some(_) => u64::from(ratio.min().unwrap_or(1)),
    };
    let rows = u64::from(load.max_model_len).div_ceil(ratio) + window + tokens;
    let picked = (u64::from(layer.index.index_topk) + window).next_multiple_of(128);
    let attention = 4 * rows * u64::from(layer.head_dim) * 2 + tokens * (picked + 1) * 4;
    let whole_key = layer.index.index_head_dim + 4;
    let keys = (load.gathered(&layer.index) - MIB) / ratio / u64::from(whole_key) * layer.key_bytes() + MIB;
    match (layer.shared, capability) {
        // FlashInfer gathers nothing, and has a buffer of its own (`nvidia/flashinfer_sparse.py`).
        (Some(_), 120..130) => keys + FLASHINFER_BUFFER,
        _ => attention.max(keys),
    }
}
