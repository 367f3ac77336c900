//! What each pipeline stage holds besides its layers.
use crate::support;
use planner::{
    memory::{
        shape::RankShape,
        tensors::{Placement, TensorClass, tensors},
    },
    model::ModelInput,
};

/// Whether each of three stages has an embedding and a head.
#[track_caller]
fn stages(id: &str) -> Vec<(bool, bool)> {
    let spec = ModelInput::from_catalog(id).unwrap().spec.unwrap();
    let classes = |pp_rank| {
        let shape = RankShape {
            pp: 3,
            pp_rank,
            ..RankShape::SINGLE
        };
        let place = Placement {
            shape,
            tower: None,
            dtype: spec.dtype,
            capability: 90,
            buffers: support::load(&spec).buffers(&spec, u64::from(shape.tp), 90),
            streams_online: true,
        };
        let runs = tensors(&spec, &place);
        let has = |class| {
            runs.iter()
                .flat_map(|run| &run.tensors)
                .any(|tensor| tensor.class == class)
        };
        (has(TensorClass::Embedding), has(TensorClass::LmHead))
    };
    (0..3).map(classes).collect()
}

/// `models/llama.py` puts a `PPMissingLayer` where a stage has no use for them, `models/qwen3_moe.py` does not.
#[test]
fn some_classes_build_embedding_and_head_on_every_stage() {
    assert_eq!(
        stages("meta-llama/Llama-3.1-8B-Instruct"),
        [(true, false), (false, false), (false, true)]
    );
    assert_eq!(stages("Qwen/Qwen3-30B-A3B"), [(true, true); 3]);
    // Tied: the embedding is the head.
    assert_eq!(stages("google/gemma-2-27b-it"), [(true, false); 3]);
}
