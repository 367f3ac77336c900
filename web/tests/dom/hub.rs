//! Whom the look-up of a model asks.
use super::page::Page;
use wasm_bindgen_test::wasm_bindgen_test;

fn kept() -> Option<String> {
    let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
    storage.get_item("vllm-wizard.hub").unwrap()
}

#[wasm_bindgen_test]
async fn the_button_names_the_host_and_a_wrong_address_has_none() {
    let page = Page::open("").await;
    page.type_into("Model", "me/mine").await;
    page.type_into("Hub address", "https://mirror.example:8443/hf")
        .await;
    assert!(
        page.find_button("Fetch config.json from mirror.example:8443")
            .is_some()
    );
    for wrong in [
        "http://mirror.example",
        "mirror.example",
        "https://a:b@mirror.example",
    ] {
        page.type_into("Hub address", wrong).await;
        assert!(page.find_button("Fetch config.json").is_none(), "{wrong}");
        assert!(
            page.description("Hub address").contains("Hub address: "),
            "{wrong}"
        );
        let field = page.field("Hub address");
        assert_eq!(field.get_attribute("aria-invalid").as_deref(), Some("true"));
    }
    page.type_into("Hub address", "").await;
    assert!(
        page.find_button("Fetch config.json from huggingface.co")
            .is_some()
    );
}

#[wasm_bindgen_test]
async fn a_token_belongs_to_one_host_and_only_the_address_is_kept() {
    let page = Page::open("").await;
    page.type_into("Model", "me/mine").await;
    page.type_into("Hub address", "https://mirror.example").await;
    page.change("Hub address").await;
    assert_eq!(kept().as_deref(), Some("https://mirror.example"));
    page.type_into("Token for mirror.example", "hf_pretend").await;
    page.change("Token for mirror.example").await;
    page.type_into("Hub address", "https://mirror.example/hf").await;
    assert_eq!(page.value("Token for mirror.example"), "hf_pretend");
    page.type_into("Hub address", "https://me:secret@mirror.example")
        .await;
    page.change("Hub address").await;
    assert_eq!(page.value("Token"), "");
    assert_eq!(kept().as_deref(), Some("https://mirror.example"));
    drop(page);
    let page = Page::open_again("").await;
    assert_eq!(page.value("Hub address"), "https://mirror.example");
    assert_eq!(page.value("Token for mirror.example"), "");
    page.type_into("Hub address", " ").await;
    page.change("Hub address").await;
    assert_eq!(kept(), None);
}
