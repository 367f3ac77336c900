//! The scenarios of `examples/`: whole plans and their files, reviewed as text.
//! `tests/wasm.rs` holds the page's build of planner against the same snapshots, byte for byte.
use crate::every_file;
use std::{fs, path::Path};

#[test]
fn examples_plan_as_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // not a scenario: what CI takes
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let files = every_file::every_file(&fs::read_to_string(&path).unwrap());
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, files);
        });
    }
}
