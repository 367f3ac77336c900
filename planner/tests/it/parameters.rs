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
        let tower = spec.tower.as_ref().unwrap().parameters();
        assert_eq!(spec.parameters() + tower, published, "{id}");
    }
}

/// `models/telechat2.py`: biases behind the attention and the feed-forward, none before.
#[test]
fn telechat2_has_biases_behind_its_layers_alone() {
    let config = r#"{"architectures":["TeleChat2ForCausalLM"],"hidden_size":1024,"n_layer":2,"n_head":8,"ffn_hidden_size":4096,"vocab_size":1000,"seq_length":2048,"tie_word_embeddings":false}"#;
    let spec = ModelInput::from_config("Tele-AI/TeleChat2", config)
        .unwrap()
        .spec
        .unwrap();
    let (h, width) = (1024, 4096);
    let layer = 4 * h * h + 3 * h * width + 2 * h + 2 * h;
    assert_eq!(spec.parameters(), 2 * 1000 * h + 2 * layer + h);
    assert!(spec.unchecked);
}
