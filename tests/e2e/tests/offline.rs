//! After the first visit the page needs no network; a new build is announced and comes whole or not at all.

use chromiumoxide::cdp::browser_protocol::page::{GetAppManifestParams, GetInstallabilityErrorsParams};
use e2e::{Name, Options, Page, Res, journey, paths};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

const LINK: &str = "#s=1&model=Qwen/Qwen3-8B&gpu=h100-sxm&concurrency=12";
/// The worker that answers, by the build that it keeps.
const KEPT: &str = "caches.keys().then((keys) => keys.join())";
const ACTIVE: &str =
    "navigator.serviceWorker.getRegistration().then((r) => r?.active?.state === 'activated')";

/// Asked for without a look at the whole page: on a busy machine the looks alone keep the page from it.
const ANNOUNCED: &str = "!document.getElementById('update').hidden";

/// A folder in the place of a web server's, with one build after the other in it.
struct Site(TempDir);

impl Site {
    fn with_build(name: &str) -> Res<Self> {
        let site = Self(tempfile::tempdir()?);
        site.deploy(name)?;
        Ok(site)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, ending: &str) -> Res<PathBuf> {
        let mut files = fs::read_dir(self.path())?.flatten().map(|entry| entry.path());
        let found = files.find(|path| path.to_string_lossy().ends_with(ending));
        found.ok_or_else(|| format!("no file that ends in {ending}").into())
    }

    /// Replaces what is there by a build whose page and one style sheet bear this name.
    fn deploy(&self, name: &str) -> Res<()> {
        for old in fs::read_dir(self.path())?.flatten() {
            fs::remove_file(old.path())?;
        }
        let mut page = String::new();
        for file in fs::read_dir(paths::dist()?)?.flatten() {
            let plain = file.file_name().to_string_lossy().into_owned();
            let target = if plain.starts_with("tokens-") {
                format!("tokens-{name}.css")
            } else {
                plain.clone()
            };
            fs::copy(file.path(), self.path().join(&target))?;
            if plain == "index.html" {
                page = fs::read_to_string(file.path())?;
            }
        }
        let named = fs::read_dir(paths::dist()?)?
            .flatten()
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .find(|plain| plain.starts_with("tokens-"))
            .ok_or("no tokens-*.css in the build")?;
        let page = page
            .replace("<html", &format!("<html data-build={name}"))
            .replace(&named, &format!("tokens-{name}.css"));
        fs::write(self.path().join("index.html"), page)?;
        let completed = Command::new(paths::xtask()?)
            .arg("offline")
            .arg(self.path())
            .status()?;
        if completed.success() {
            Ok(())
        } else {
            Err("xtask offline failed".into())
        }
    }
}

/// The page and all that it loaded are of this build.
async fn is_whole(page: &Page, build: &str) -> Res<()> {
    let sheets = "[...document.styleSheets].map((sheet) => sheet.href).filter((href) => href.includes('/tokens-')).join()";
    // A document that has only begun has no sheets yet.
    page.wait(&format!(
        "document.documentElement.dataset.build === '{build}' && {sheets}.endsWith('/tokens-{build}.css')"
    ))
    .await?;
    page.css("#verdict-word").has_text("Fits").await
}

async fn kept(page: &Page) -> Res<String> {
    Ok(page.eval(KEPT).await?.as_str().unwrap_or_default().to_owned())
}

/// Asks for a new version now; a browser does so by itself with each visit.
async fn look_for_update(page: &Page) -> Res<()> {
    page.eval("navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => 0, () => 0)")
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_visit_needs_no_network() -> Res<()> {
    let options = Options::default()
        .at(LINK)
        .under("/tools/wizard/")
        .policy_header()
        .expects_complaint("other.txt");
    journey(options, async |page| {
        page.wait(ACTIVE).await?;
        let before = page.role("tabpanel", Name::Any).css("code").text().await?;
        page.set_server_away(true);
        page.reload().await?;
        assert_eq!(page.role("tabpanel", Name::Any).css("code").text().await?, before);
        page.open_at("#s=1&model=Qwen/Qwen3-8B&gpu=l4&concurrency=2")
            .await?;
        page.css(".subject").has_text("1 × L4").await?;
        page.field("GPUs per node").fill("2").await?;
        page.css(".subject").has_text("2 × L4").await?;
        assert_eq!(page.outside().asked(), Vec::<String>::new());
        // What the worker does not keep goes to the network, as without it.
        let other = "fetch('other.txt').then(() => 'answered', () => 'no network')";
        assert_eq!(page.eval(other).await?, "no network");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_build_is_announced_and_comes_whole() -> Res<()> {
    let site = Site::with_build("one")?;
    let options = Options::default()
        .at(LINK)
        .under("/tools/wizard/")
        .site(site.path());
    journey(options, async |page| {
        page.wait(ACTIVE).await?;
        let first = kept(page).await?;
        site.deploy("two")?;
        // The files of the first build are gone from the server; the visit is whole all the same.
        page.reload().await?;
        is_whole(page, "one").await?;
        page.wait(ANNOUNCED).await?;
        page.role("button", "Reload").visible().await?;
        assert_eq!(page.axe().await?, Vec::<String>::new());
        for (width, scheme) in [(1280, e2e::Scheme::Light), (360, e2e::Scheme::Dark)] {
            page.set_viewport(width, 800).await?;
            page.set_media(scheme, "").await?;
            page.eval("scrollTo(0, 0)").await?;
            page.screenshot(&format!("update-{width}")).await?;
            assert!(!page.scrolls_sideways().await?);
        }
        page.role("button", "Later").click().await?;
        page.role("button", "Reload").gone().await?;
        // Also by a visitor who reloads, and by one without a network, until Reload is pressed.
        page.set_server_away(true);
        page.reload().await?;
        is_whole(page, "one").await?;
        page.set_server_away(false);
        page.wait(ANNOUNCED).await?;
        page.role("button", "Reload").press("Enter").await?;
        page.wait("document.documentElement.dataset.build === 'two' && !document.getElementById('boot')")
            .await?;
        is_whole(page, "two").await?;
        assert!(page.hash().await?.contains("concurrency=12"));
        let second = kept(page).await?;
        assert!(
            second != first && !second.contains(','),
            "{first} and then {second}"
        );
        page.role("button", "Reload").gone().await?;
        page.set_server_away(true);
        page.reload().await?;
        is_whole(page, "two").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn build_that_is_half_there_is_not_taken() -> Res<()> {
    let site = Site::with_build("one")?;
    let options = Options::default()
        .at(LINK)
        .site(site.path())
        .expects_complaint("404")
        .expects_complaint("integrity");
    journey(options, async |page| {
        page.wait(ACTIVE).await?;
        page.reload().await?;
        site.deploy("two")?;
        let sheet = site.file("tokens-two.css")?;
        let whole = fs::read(&sheet)?;
        for half in [Some("body { color: red }"), None] {
            match half {
                Some(text) => fs::write(&sheet, text)?,
                None => fs::remove_file(&sheet)?,
            }
            look_for_update(page).await?;
            let settled =
                "navigator.serviceWorker.getRegistration().then((r) => !r.installing && !r.waiting)";
            page.wait(settled).await?;
            page.reload().await?;
            is_whole(page, "one").await?;
            assert_eq!(page.role("button", "Reload").count().await?, 0);
        }
        fs::write(&sheet, whole)?;
        look_for_update(page).await?;
        page.role("button", "Reload").click().await?;
        page.wait("document.documentElement.dataset.build === 'two' && !document.getElementById('boot')")
            .await?;
        is_whole(page, "two").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_can_be_installed() -> Res<()> {
    journey(
        Options::default().under("/tools/wizard/").policy_header(),
        async |page| {
            let manifest = page.cdp().execute(GetAppManifestParams::default()).await?.result;
            assert!(
                manifest.url.ends_with("/tools/wizard/manifest.webmanifest"),
                "{}",
                manifest.url
            );
            assert!(manifest.errors.is_empty(), "{:?}", manifest.errors);
            let refusals = page
                .cdp()
                .execute(GetInstallabilityErrorsParams::default())
                .await?;
            assert!(
                refusals.result.installability_errors.is_empty(),
                "{:?}",
                refusals.result.installability_errors
            );
            Ok(())
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browser_without_service_workers_has_the_page_all_the_same() -> Res<()> {
    for lacking in [
        "delete Navigator.prototype.serviceWorker",
        "Object.defineProperty(navigator, 'serviceWorker', { get() { throw new DOMException('no', 'SecurityError') } })",
        "ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('no', 'SecurityError'))",
        "delete window.requestIdleCallback; delete Navigator.prototype.serviceWorker",
    ] {
        journey(Options::default().at(LINK).before_start(lacking), async |page| {
            page.css("#verdict-word").has_text("Fits").await?;
            assert_eq!(page.role("button", "Reload").count().await?, 0);
            Ok(())
        })
        .await?;
    }
    Ok(())
}
