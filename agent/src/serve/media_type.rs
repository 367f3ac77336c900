//! Media types of the page's files.

/// By the name's ending. Browsers refuse modules and WebAssembly of another type.
pub(super) fn media_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasm_has_the_type_that_browsers_ask_for() {
        assert_eq!(media_type("/a-1f.wasm"), "application/wasm");
        assert_eq!(media_type("/a.JS"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("/manifest.webmanifest"), "application/manifest+json");
        assert_eq!(media_type("/LICENSE"), "application/octet-stream");
    }
}
