//! The journeys' outline in another engine: Firefox, where there is one (see `cargo xtask test e2e`).

use e2e::{Res, firefox::Firefox, paths};
use std::fs;

const SHORT: &str =
    "#s=1&model=meta-llama/Llama-3.1-8B-Instruct&gpu=rtx-4090&concurrency=1&max_model_len=131072";
const TAB: &str = "\u{e004}";
const DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";
const WORD: &str = "document.getElementById('verdict-word').textContent";

#[test]
fn firefox_starts_the_page_and_takes_the_main_road_by_keyboard() -> Res<()> {
    let Ok(_) = paths::firefox() else {
        eprintln!("not run: no Firefox here");
        return Ok(());
    };
    let mut page = Firefox::start()?;
    page.open("")?;
    page.wait(&format!("{WORD} === 'Fits'"))?;
    let axe = fs::read_to_string(paths::axe()?)?;
    page.eval(&format!("(() => {{ {axe}; return 0 }})()"))?;
    for width in [1280, 320] {
        page.set_viewport(width, 800)?;
        let breaches = "axe.run(document).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target).join()))";
        assert_eq!(page.eval(breaches)?, serde_json::json!([]));
        assert_eq!(
            page.eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth")?,
            true,
            "it scrolls sideways at {width} px"
        );
    }
    page.set_viewport(1280, 800)?;

    // A model from the list, a number, and what they make of link and files.
    page.press("/")?;
    page.wait("document.activeElement.id === 'model'")?;
    page.eval("document.activeElement.select()")?;
    page.press("qwen3 14b awq")?;
    page.press(DOWN)?;
    page.press(ENTER)?;
    page.wait("document.getElementById('model').value === 'Qwen/Qwen3-14B-AWQ'")?;
    page.eval("document.getElementById('concurrency').select()")?;
    page.press(&format!("48{TAB}"))?;
    page.wait("location.hash.includes('Qwen3-14B-AWQ') && location.hash.includes('concurrency=48')")?;
    page.wait("document.getElementById('artifact-code').textContent.includes('Qwen/Qwen3-14B-AWQ')")?;

    // What does not fit, and what helps.
    page.open(SHORT)?;
    page.wait(&format!("{WORD} === 'Does not fit'"))?;
    page.eval("document.querySelector('.advice button').focus()")?;
    page.press(ENTER)?;
    page.wait(&format!("!{WORD}.includes('not')"))?;
    page.eval("history.back()")?;
    page.wait(&format!("{WORD} === 'Does not fit'"))?;
    assert_eq!(page.complaints, Vec::<String>::new());

    // A failure inside shows itself here as well.
    page.eval("Node.prototype.cloneNode = () => { throw new Error('refused') }, 0")?;
    page.eval("(document.getElementById('kv_cache_dtype').value = 'fp8', document.getElementById('kv_cache_dtype').dispatchEvent(new Event('change', { bubbles: true })), 0)")?;
    page.wait("document.getElementById('sorry').open && document.activeElement.id === 'sorry-reload'")?;
    page.press(ENTER)?;
    page.wait("!document.getElementById('boot') && !document.getElementById('sorry').open")?;
    page.wait(&format!("{WORD} === 'Does not fit'"))
}
