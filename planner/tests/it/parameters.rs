//! Parameter counts against those that the models' pages show; the catalogue's own are tested where it is parsed.
use crate::support;
use planner::model::ModelInput;

#[test]
fn parameters_equal_the_published_count() {
    let file = support::json("measured/parameters.json");
    for row in file["rows"].as_array().unwrap() {
        let id = row[0].as_str().unwrap();
        let model = ModelInput::from_object(id, row[4].as_object().unwrap()).unwrap();
        let spec = model.spec.unwrap();
        let published = row[1].as_u64().unwrap() - row[2].as_u64().unwrap();
        assert_eq!(spec.parameters(), published, "{id}");
    }
}
