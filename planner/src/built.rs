//! Text that the build made of the catalogues under `data/`. A page is compressed on its way; the binary is not, and carries
//! a small part of it.

/// The text of that name, `'static`.
macro_rules! text {
    ($name:literal) => {{
        #[cfg(target_family = "wasm")]
        let text = include_str!(concat!(env!("OUT_DIR"), "/", $name, ".txt"));
        #[cfg(not(target_family = "wasm"))]
        let text = crate::built::unpack(include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".deflate")));
        text
    }};
}
pub(crate) use text;

// What the build packed is sound: a test unpacks it.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn unpack(bytes: &[u8]) -> &'static str {
    let bytes = miniz_oxide::inflate::decompress_to_vec(bytes).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default().leak()
}

#[cfg(test)]
mod tests {
    macro_rules! unpacked {
        ($name:literal) => {
            text!($name) == include_str!(concat!(env!("OUT_DIR"), "/", $name, ".txt"))
        };
    }

    #[test]
    fn unpacked_it_is_what_the_build_wrote() {
        assert!(unpacked!("models") && unpacked!("flags"));
    }
}
