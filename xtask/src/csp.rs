//! Completes the page's Content-Security-Policy, after Trunk has built the page.
//!
//! index.html carries the policy with a placeholder for the hashes of inline scripts. Trunk writes one of those itself,
//! and it names hashed files, so its hash is new with every build. Markup that the policy would silently disable is an
//! error here. While serving for development Trunk adds a script that no hash can fit, so that policy is looser.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// What index.html says in place of the hashes.
const PLACEHOLDER: &str = "__SCRIPT_HASHES__";

/// Rewrites `index.html` in the folder of the build.
pub(crate) fn complete(folder: &Path, release: bool) -> Result<()> {
    let path = folder.join("index.html");
    let html = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let html = if release {
        for_release(&html)
    } else {
        for_development(&html)
    };
    fs::write(&path, html?).with_context(|| format!("writing {}", path.display()))
}

fn for_release(html: &str) -> Result<String> {
    ensure!(
        html.contains(PLACEHOLDER),
        "index.html has no {PLACEHOLDER} in its Content-Security-Policy"
    );
    let hashes: Result<Vec<String>> = scripts(html)
        .filter_map(|script| match script {
            Ok((tag, body)) if !tag.contains(" src=") => Some(Ok(source(body))),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect();
    refuse_what_the_policy_disables(html)?;
    Ok(html.replace(PLACEHOLDER, &hashes?.join(" ")))
}

fn for_development(html: &str) -> Result<String> {
    ensure!(
        html.contains(PLACEHOLDER),
        "index.html has no {PLACEHOLDER} in its Content-Security-Policy"
    );
    let html = html.replace(PLACEHOLDER, "'unsafe-inline'");
    let reload = "connect-src 'self' ws://127.0.0.1:* ws://localhost:*";
    Ok(html.replacen("connect-src 'self'", reload, 1))
}

/// The source expression that allows this script.
fn source(script: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script)))
}

/// Opening tag and body of each script.
fn scripts(html: &str) -> impl Iterator<Item = Result<(&str, &str)>> {
    html.split("<script").skip(1).map(|rest| {
        let (tag, rest) = rest.split_once('>').context("a <script tag is not closed")?;
        let (body, _) = rest
            .split_once("</script>")
            .context("a script has no </script>")?;
        Ok((tag, body))
    })
}

/// `style-src 'self'` and `script-src` without 'unsafe-inline' switch these off without a word to the author.
fn refuse_what_the_policy_disables(html: &str) -> Result<()> {
    for pattern in [
        "<style",
        " style=",
        " onclick=",
        " onload=",
        " onerror=",
        "href=\"javascript:",
    ] {
        if let Some(at) = html.find(pattern) {
            let near: String = html[at..].chars().take(60).collect();
            bail!(
                "the page's own Content-Security-Policy forbids `{near}`: use a file in style/ or a listener"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
    const ABC: &str = "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='";

    #[test]
    fn source_is_the_hash_of_the_exact_text() {
        assert_eq!(source(""), EMPTY);
        assert_eq!(source("abc"), ABC);
    }

    #[test]
    fn release_names_every_inline_script_and_no_file() -> Result<()> {
        let page = "script-src 'self' __SCRIPT_HASHES__;<script>abc</script><script src=a.js></script>\
                    <script type=\"module\"></script>";
        let done = for_release(page)?;
        assert!(
            done.starts_with(&format!("script-src 'self' {ABC} {EMPTY};")),
            "{done}"
        );
        Ok(())
    }

    #[test]
    fn development_allows_the_reload_script_and_its_socket() -> Result<()> {
        let done =
            for_development("script-src 'self' __SCRIPT_HASHES__; connect-src 'self' https://a.example")?;
        assert!(done.contains("script-src 'self' 'unsafe-inline';"), "{done}");
        assert!(
            done.contains("connect-src 'self' ws://127.0.0.1:* ws://localhost:* https://a.example"),
            "{done}"
        );
        Ok(())
    }

    #[test]
    fn markup_that_the_policy_disables_is_an_error() {
        for bad in [
            "<p style=\"color:red\">",
            "<style>p{}</style>",
            "<button onclick=\"x()\">",
            "<script>unclosed",
        ] {
            assert!(for_release(&format!("__SCRIPT_HASHES__ {bad}")).is_err(), "{bad}");
        }
        assert!(for_release("no placeholder").is_err());
    }
}
