//! From an empty link to files, and back through links.
use super::page::{Page, fragment};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn from_the_example_over_a_remedy_to_a_link_that_gives_the_same_files() {
    let page = Page::open("").await;
    assert_eq!(page.verdict(), "Fits");
    assert!(page.having("header", "Example").is_some());

    page.type_into("Model", "meta-llama/Llama-3.3-70B-Instruct").await;
    page.press(&page.field("Model"), "Enter").await;
    assert_eq!(page.verdict(), "Does not fit");
    assert!(page.having("header", "Example").is_none());
    assert!(page.having("section", "vLLM would say").is_some());
    assert!(page.having("section", "Show anyway").is_some());

    page.click("Use 4 GPUs").await;
    assert_eq!(page.verdict(), "Fits");
    assert_eq!(page.value("Tensor parallel"), "4");
    assert!(
        page.file().contains("--tensor-parallel-size 4"),
        "{}",
        page.file()
    );
    assert!(fragment().contains("tensor_parallel_size=4"), "{}", fragment());

    page.type_into("Concurrent sequences", "64").await;
    page.wait(400).await;
    let (link, file) = (fragment(), page.file());
    assert!(link.contains("concurrency=64"), "{link}");
    drop(page);

    let page = Page::open(&link).await;
    assert_eq!(page.file(), file);
    assert_eq!(fragment(), link);
}

#[wasm_bindgen_test]
async fn undo_takes_a_remedy_back() {
    let page = Page::open("s=1&model=meta-llama/Llama-3.3-70B-Instruct&gpu=h100-sxm").await;
    assert_eq!(page.verdict(), "Does not fit");
    page.click("Use 4 GPUs").await;
    assert_eq!(page.verdict(), "Fits");
    page.click("Undo").await;
    assert_eq!(page.verdict(), "Does not fit");
    assert_eq!(page.value("GPUs per node"), "1");
}

#[wasm_bindgen_test]
async fn what_a_link_holds_and_cannot_be_used_is_listed() {
    let page = Page::open("s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&max_num_seqs=many&no_such_key=1").await;
    let banner = page
        .having("[role=alert]", "left out")
        .unwrap()
        .text_content()
        .unwrap();
    assert!(
        banner.contains("max_num_seqs=many") && banner.contains("no_such_key"),
        "{banner}"
    );
    assert_eq!(page.verdict(), "Fits");
}

#[wasm_bindgen_test]
async fn a_link_that_cannot_be_read_leaves_the_example_and_says_so() {
    let page = Page::open("s=99&model=x").await;
    assert!(page.having("[role=alert]", "newer").is_some());
    assert_eq!(page.value("Model"), "Qwen/Qwen3-8B");
}

#[wasm_bindgen_test]
async fn hardware_arrives_by_link_and_does_not_stay_in_it() {
    let report = r#"[{"name":"NVIDIA L4","vram_mib":23034,"compute_capability":"8.9"}]"#;
    let packed: String = js_sys::encode_uri_component(report).into();
    let page = Page::open(&format!("host={packed}")).await;
    assert!(page.having("section", "1 × L4").is_some());
    assert!(!fragment().contains("host="), "{}", fragment());
}

#[wasm_bindgen_test]
async fn a_config_of_an_unknown_architecture_gives_a_reason_and_no_files() {
    let page = Page::open("").await;
    page.click("Paste or open a config.json").await;
    page.type_into(
        "Text",
        r#"{"architectures":["RwkvForCausalLM"],"hidden_size":768}"#,
    )
    .await;
    page.click("Use it").await;
    assert_eq!(page.verdict(), "Unsupported");
    assert_eq!(page.file(), "");
    assert!(page.texts("[role=tab]").is_empty());
}

#[wasm_bindgen_test]
async fn a_text_that_is_no_config_is_refused_in_the_dialog() {
    let page = Page::open("").await;
    page.click("Paste or open a config.json").await;
    page.type_into("Text", "{ broken").await;
    page.click("Use it").await;
    assert!(
        page.description("Text").contains("JSON"),
        "{}",
        page.description("Text")
    );
    assert_eq!(page.value("Model"), "Qwen/Qwen3-8B");
    page.click("Cancel").await;
}

#[wasm_bindgen_test]
async fn the_last_scenario_comes_back_and_a_link_goes_before_it() {
    let page = Page::open("").await;
    page.type_into("Concurrent sequences", "77").await;
    page.wait(400).await;
    drop(page);
    let page = Page::open_again("").await;
    assert_eq!(page.value("Concurrent sequences"), "77");
    drop(page);
    let page = Page::open_again("s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&concurrency=5").await;
    assert_eq!(page.value("Concurrent sequences"), "5");
}
