//! What static hosts want beside the page: compressed copies, and headers in the form of Netlify and Cloudflare Pages.
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// What does not shrink.
const PACKED: &[&str] = &["png", "webp", "woff2", "br", "gz", "ico"];

/// Adds them to a folder with a built page.
pub(super) fn complete(folder: &Path) -> Result<()> {
    let files = files(folder)?;
    for path in &files {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !PACKED.contains(&ending.as_str()) {
            compress(path)?;
        }
    }
    let index = folder.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("reading {}", index.display()))?;
    let names: Vec<String> = files
        .iter()
        .filter_map(|path| {
            Some(
                path.strip_prefix(folder)
                    .ok()?
                    .to_string_lossy()
                    .replace('\\', "/"),
            )
        })
        .collect();
    fs::write(folder.join("_headers"), headers(&html, &names)?)?;
    Ok(())
}

/// Copies a built page.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    for path in files(from)? {
        let target = to.join(path.strip_prefix(from)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&path, &target).with_context(|| format!("copying {}", path.display()))?;
    }
    Ok(())
}

/// All files below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// `file.br` and `file.gz`, where they are smaller.
fn compress(path: &Path) -> Result<()> {
    let bytes = fs::read(path)?;
    let mut brotli = Vec::new();
    let best = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &bytes[..], &mut brotli, &best)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)?;
    for (ending, copy) in [("br", brotli), ("gz", gzip.finish()?)] {
        if copy.len() < bytes.len() {
            let name = format!(
                "{}.{ending}",
                path.file_name().unwrap_or_default().to_string_lossy()
            );
            fs::write(path.with_file_name(name), copy)?;
        }
    }
    Ok(())
}

fn headers(html: &str, names: &[String]) -> Result<String> {
    let policy = policy(html).context("index.html has no Content-Security-Policy")?;
    let mut text = format!(
        "/*\n  Content-Security-Policy: {policy}; frame-ancestors 'none'\n  X-Content-Type-Options: nosniff\n  \
         Referrer-Policy: no-referrer\n  Cross-Origin-Opener-Policy: same-origin\n\
         /\n  Cache-Control: no-cache\n/index.html\n  Cache-Control: no-cache\n/sw.js\n  Cache-Control: no-cache\n\
         /manifest.webmanifest\n  Content-Type: application/manifest+json\n"
    );
    for name in names.iter().filter(|name| has_hash(name)) {
        writeln!(
            text,
            "/{name}\n  Cache-Control: public, max-age=31536000, immutable"
        )?;
        if Path::new(name).extension().is_some_and(|ending| ending == "wasm") {
            writeln!(text, "  Content-Type: application/wasm")?;
        }
    }
    Ok(text)
}

/// Trunk's hashes: at least 14 hexadecimal digits in the name.
fn has_hash(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    file.split(['-', '.', '_'])
        .any(|part| part.len() >= 14 && part.chars().all(|c| c.is_ascii_hexdigit()))
}

/// The content of the `<meta>` that holds the policy.
fn policy(html: &str) -> Option<&str> {
    let tag = html
        .split("<meta")
        .map(|rest| rest.split('>').next().unwrap_or_default())
        .find(|tag| tag.contains("Content-Security-Policy"))?;
    let (_, content) = tag.split_once("content=\"")?;
    Some(content.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_the_policy_and_what_never_changes() -> Result<()> {
        let html =
            "<meta charset=utf-8><meta content=\"default-src 'none'\" http-equiv=Content-Security-Policy>";
        let names = ["index.html".to_owned(), "web-8df8200aa745d6a0_bg.wasm".to_owned()];
        let text = headers(html, &names)?;
        assert!(
            text.contains("  Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\n"),
            "{text}"
        );
        assert!(
            text.contains("/web-8df8200aa745d6a0_bg.wasm\n  Cache-Control: public"),
            "{text}"
        );
        assert!(!text.contains("/index.html\n  Cache-Control: public"), "{text}");
        // A browser that kept the worker longer would not see the next version.
        assert!(text.contains("/sw.js\n  Cache-Control: no-cache\n"), "{text}");
        assert!(
            text.contains("/manifest.webmanifest\n  Content-Type: application/manifest+json\n"),
            "{text}"
        );
        assert!(headers("<p>", &names).is_err());
        Ok(())
    }
}
