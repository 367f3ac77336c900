//! One control at a time.
use super::page::Page;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn invalid_text_stays_and_says_what_is_used() {
    let page = Page::open("").await;
    page.type_into("Context length", "4K").await;
    page.type_into("Context length", "4Kx").await;
    assert_eq!(page.value("Context length"), "4Kx");
    let field = page.field("Context length");
    assert_eq!(field.get_attribute("aria-invalid").as_deref(), Some("true"));
    assert!(
        page.description("Context length").contains("Using 4096"),
        "{}",
        page.description("Context length")
    );
    page.leave("Context length").await;
    assert_eq!(page.value("Context length"), "4Kx");
    page.click("Reset Context length").await;
    assert_eq!(page.value("Context length"), "");
    assert_eq!(field.get_attribute("aria-invalid").as_deref(), Some("false"));
    // Not set: the box shows what holds, and below it why.
    assert_eq!(field.get_attribute("placeholder").as_deref(), Some("40960"));
}

#[wasm_bindgen_test]
async fn typing_is_not_rewritten_until_the_field_is_left() {
    let page = Page::open("").await;
    page.type_into("Context length", "16K").await;
    assert_eq!(page.value("Context length"), "16K");
    page.leave("Context length").await;
    assert_eq!(page.value("Context length"), "16384");
}

#[wasm_bindgen_test]
async fn arrow_keys_step_a_number() {
    let page = Page::open("").await;
    page.press(&page.field("GPUs per node"), "ArrowUp").await;
    assert_eq!(page.value("GPUs per node"), "2");
    page.press(&page.field("GPU memory utilization"), "ArrowDown")
        .await;
    assert_eq!(page.value("GPU memory utilization"), "0.91");
}

#[wasm_bindgen_test]
async fn help_opens_on_click_and_stays() {
    let page = Page::open("").await;
    let button = page.button("About Context length");
    assert_eq!(button.get_attribute("aria-expanded").as_deref(), Some("false"));
    page.click("About Context length").await;
    assert_eq!(button.get_attribute("aria-expanded").as_deref(), Some("true"));
    page.leave("Context length").await;
    assert_eq!(button.get_attribute("aria-expanded").as_deref(), Some("true"));
}

#[wasm_bindgen_test]
async fn a_model_is_picked_by_keyboard() {
    let page = Page::open("").await;
    let model = page.field("Model");
    page.type_into("Model", "qwen3 32b").await;
    assert_eq!(model.get_attribute("aria-expanded").as_deref(), Some("true"));
    assert!(page.having("[role=option]", "Use my own config.json").is_some());
    page.press(&model, "ArrowDown").await;
    let active = model.get_attribute("aria-activedescendant").unwrap();
    assert!(
        page.having(&format!("#{active}[aria-selected=true]"), "Qwen/Qwen3-32B")
            .is_some()
    );
    page.press(&model, "Enter").await;
    assert_eq!(page.value("Model"), "Qwen/Qwen3-32B");
    assert_eq!(model.get_attribute("aria-expanded").as_deref(), Some("false"));
}

#[wasm_bindgen_test]
async fn escape_closes_the_list_and_then_forgets_what_was_typed() {
    let page = Page::open("").await;
    let model = page.field("Model");
    page.type_into("Model", "no such model").await;
    assert!(page.description("Model").contains("Using Qwen/Qwen3-8B"));
    page.press(&model, "Escape").await;
    assert_eq!(
        (
            page.value("Model").as_str(),
            model.get_attribute("aria-expanded").as_deref()
        ),
        ("no such model", Some("false"))
    );
    page.press(&model, "Escape").await;
    assert_eq!(page.value("Model"), "Qwen/Qwen3-8B");
}

#[wasm_bindgen_test]
async fn only_an_unknown_repository_offers_the_look_up() {
    let page = Page::open("").await;
    assert!(
        page.find_button("Fetch config.json from huggingface.co")
            .is_none()
    );
    page.type_into("Model", "me/mine").await;
    assert!(
        page.find_button("Fetch config.json from huggingface.co")
            .is_some()
    );
}

#[wasm_bindgen_test]
async fn sizes_that_vllm_refuses_are_disabled_and_say_why() {
    let page = Page::open("").await;
    page.type_into("GPUs per node", "8").await;
    let refused = page
        .having("#tensor_parallel_size option[disabled]", "3: ")
        .unwrap();
    assert!(refused.text_content().unwrap().contains("heads"));
}

#[wasm_bindgen_test]
async fn a_custom_gpu_asks_for_memory_and_capability() {
    let page = Page::open("").await;
    page.choose("GPU", "custom").await;
    page.type_into("Memory of the custom GPU", "48").await;
    page.leave("Memory of the custom GPU").await;
    assert_eq!(page.value("Memory of the custom GPU"), "48 GiB");
    assert!(page.having("tfoot", "48.0 GiB").is_some());
}

#[wasm_bindgen_test]
async fn tabs_move_by_arrows_home_and_end() {
    let page = Page::open("").await;
    let selected = || page.texts("[role=tab][aria-selected=true]").concat();
    let tabs = page.texts("[role=tab]");
    assert_eq!(tabs.first().map(String::as_str), Some("serve_command.sh"));
    assert!(tabs.len() > 1, "{tabs:?}");
    assert_eq!(selected(), tabs[0]);
    let tab = page.having("[role=tab]", "serve_command.sh").unwrap();
    page.press(&tab, "ArrowRight").await;
    assert_eq!(selected(), tabs[1]);
    page.press(&tab, "End").await;
    assert_eq!(selected(), tabs[tabs.len() - 1]);
    page.press(&tab, "ArrowRight").await;
    assert_eq!(selected(), tabs[0]);
    page.press(&tab, "Home").await;
    assert_eq!(selected(), tabs[0]);
    assert_eq!(page.texts("[role=tab][tabindex='0']").len(), 1);
}

#[wasm_bindgen_test]
async fn a_row_of_the_memory_table_explains_itself() {
    let page = Page::open("").await;
    page.click("Weights").await;
    page.click("Explain Attention").await;
    let explanation = page.texts("#sheet").concat();
    for part in ["Formula", "Result", "bytes", "Checked"] {
        assert!(explanation.contains(part), "{explanation}");
    }
}

#[wasm_bindgen_test]
async fn the_verdict_is_said_once_things_are_quiet() {
    let page = Page::open("").await;
    let said = || page.texts("#announcement").concat();
    page.type_into("Concurrent sequences", "9000").await;
    page.wait(200).await;
    assert_eq!(said(), "");
    page.wait(900).await;
    assert!(said().starts_with("Tight: "), "{}", said());
}
