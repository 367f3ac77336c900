//! The tests' driver: says what stands in `tests/fixtures/answers`. Those files are written after what nvidia-smi prints
//! on such machines, and are no recordings: no driver was at hand.
use super::answers::{Answers, Driver, Failure};
use std::{fs, path::Path};

/// Every file.
pub(super) const ALL: &[&str] = &[
    "l4x1",
    "h100x2",
    "h200x8",
    "a100_mig",
    "mixed",
    "one_broken",
    "gb10",
    "wsl",
    "vgpu",
    "gh200",
    "unknown",
];

/// A driver that says what it is told to.
pub(super) struct Pretend(pub(super) Result<Answers, Failure>);

impl Driver for Pretend {
    fn answers(&self) -> Result<Answers, Failure> {
        self.0.clone()
    }
}

/// The file of that name.
pub(super) fn answers(name: &str) -> Answers {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/answers");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}
