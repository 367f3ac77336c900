//! The page in its browser: where it is, what is on it, and what a visitor does to it.

use crate::{
    Locator, Name, Options, Res, Scheme, browser::Chromium, complaints::Complaints, keyboard,
    network::Outside, paths, server::Server,
};
use chromiumoxide::{
    cdp::browser_protocol::{
        browser::PermissionSetting,
        emulation::{
            MediaFeature, SetCpuThrottlingRateParams, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
        },
        input::InsertTextParams,
        page::NavigateParams,
        target::SetAutoAttachParams,
    },
    page::ScreenshotParams,
};
use serde_json::Value;
use std::{fs, path::PathBuf, time::Duration};

/// An open page.
#[derive(Debug)]
pub struct Page {
    cdp: chromiumoxide::Page,
    chromium: Chromium,
    server: Server,
    outside: Outside,
    complaints: Complaints,
    patience: Duration,
}

impl Page {
    /// Serves the build, starts a browser and opens the page in it.
    pub async fn open(options: &Options) -> Res<Self> {
        let site = options.site.clone().map_or_else(paths::dist, Ok)?;
        let server = Server::start(&site, &options.base, options.policy_header)?;
        let chromium = Chromium::start(&server.origin, options.public).await?;
        let cdp = chromium.browser.new_page("about:blank").await?;
        // The driver stops what the page starts until it has looked at it, and lets some service workers wait for good.
        let leave_alone = SetAutoAttachParams::builder()
            .auto_attach(false)
            .wait_for_debugger_on_start(false);
        cdp.execute(leave_alone.flatten(true).build()?).await?;
        let outside = Outside::guard(&cdp, &server.origin, options.fakes.clone()).await?;
        let complaints = Complaints::listen(&cdp, &outside).await?;
        let patience = options.patience;
        let page = Self {
            cdp,
            chromium,
            server,
            outside,
            complaints,
            patience,
        };
        page.set_viewport(options.width, options.height).await?;
        page.set_media(options.scheme, "").await?;
        for (key, value) in &options.stored {
            let store = format!(
                "localStorage.setItem({}, {})",
                Value::from(key.as_str()),
                Value::from(value.as_str())
            );
            let guarded = format!(
                "try {{ localStorage.getItem({}) ?? {store} }} catch {{}}",
                Value::from(key.as_str())
            );
            page.cdp.evaluate_on_new_document(guarded).await?;
        }
        if let Some(script) = &options.before_start {
            page.cdp.evaluate_on_new_document(script.clone()).await?;
        }
        page.load(&options.hash).await?;
        if options.wait_for_start {
            page.started().await?;
        }
        Ok(page)
    }

    // -- where it is ---------------------------------------------------------------------------------------------

    /// Loads the page afresh at this hash (`""` or `#…`) and waits until it has started.
    pub async fn open_at(&self, hash: &str) -> Res<()> {
        self.cdp.goto("about:blank").await?;
        self.load(hash).await?;
        self.started().await
    }

    /// Loads the page again, as F5 does, and waits until it has started.
    pub async fn reload(&self) -> Res<()> {
        self.cdp.reload().await?;
        self.started().await
    }

    /// Goes a step back in the history.
    pub async fn back(&self) -> Res<()> {
        self.eval("history.back()").await.map(drop)
    }

    /// Changes the hash of the loaded page, as following a link within it does.
    pub async fn set_hash(&self, hash: &str) -> Res<()> {
        self.eval(&format!("void (location.hash = {})", Value::from(hash)))
            .await
            .map(drop)
    }

    /// The hash as it is: `""` or `#…`.
    pub async fn hash(&self) -> Res<String> {
        Ok(self
            .eval("location.hash")
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// The document's title.
    pub async fn title(&self) -> Res<String> {
        Ok(self
            .eval("document.title")
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// `http://127.0.0.1:<port>`, for a server that must allow this origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.server.origin
    }

    /// Takes the page's own server away, as a lost network does, or brings it back.
    pub fn set_server_away(&self, away: bool) {
        self.server.set_away(away);
    }

    async fn load(&self, hash: &str) -> Res<()> {
        let url = format!("{}{hash}", self.server.page());
        self.cdp.execute(NavigateParams::new(url)).await?;
        self.wait("location.protocol.startsWith('http') && document.readyState === 'complete'")
            .await
    }

    async fn started(&self) -> Res<()> {
        self.wait("document.readyState === 'complete' && !document.getElementById('boot')")
            .await
    }

    // -- what is on it -------------------------------------------------------------------------------------------

    /// An element with an ARIA role and an accessible name.
    #[must_use]
    pub fn role(&self, role: &str, name: impl Into<Name>) -> Locator<'_> {
        Locator::document(self).role(role, name)
    }

    /// Whatever one fills in or chooses from, by its label.
    #[must_use]
    pub fn field(&self, label: impl Into<Name>) -> Locator<'_> {
        Locator::document(self).field(label)
    }

    /// By CSS selector, for what has neither role nor name.
    #[must_use]
    pub fn css(&self, selector: &str) -> Locator<'_> {
        Locator::document(self).css(selector)
    }

    /// Breaches of accessibility rules that axe-core finds: rule, then where.
    pub async fn axe(&self) -> Res<Vec<String>> {
        let script = fs::read_to_string(paths::axe()?)?;
        self.eval(&format!("{script}; void 0")).await?;
        // Colours on their way from one theme to the other are nobody's contrast.
        self.wait("document.getAnimations().every((one) => one.playState === 'finished')")
            .await?;
        let list = "axe.run(document).then((r) => r.violations.map((v) => \
                    v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))";
        Ok(serde_json::from_value(self.eval(list).await?)?)
    }

    /// Whether something sticks out to the right, so that one would have to scroll sideways.
    pub async fn scrolls_sideways(&self) -> Res<bool> {
        let wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        Ok(self.eval(wider).await? == Value::Bool(true))
    }

    // -- what a visitor does -------------------------------------------------------------------------------------

    /// Presses a key such as `Tab` or `Control+z` where the focus is.
    pub async fn press(&self, chord: &str) -> Res<()> {
        keyboard::press(&self.cdp, chord).await
    }

    /// Types a text where the focus is.
    pub async fn type_in(&self, text: &str) -> Res<()> {
        self.insert_text(text).await
    }

    /// What the clipboard holds.
    pub async fn clipboard(&self) -> Res<String> {
        self.cdp.bring_to_front().await?;
        Ok(self
            .eval("navigator.clipboard.readText()")
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// The bytes of a download, as soon as it is whole. Each name can be waited for again after it is taken.
    pub async fn download(&self, name: &str) -> Res<Vec<u8>> {
        let path = self.chromium.downloads.join(name);
        // Chromium keeps the name with an empty file, and renames NAME.crdownload over it when the last byte is written.
        let whole = async || Ok(fs::read(&path).ok().filter(|bytes| !bytes.is_empty()));
        let there = || {
            fs::read_dir(&self.chromium.downloads).map(|all| all.flatten().map(|e| e.file_name()).collect())
        };
        let missing = || {
            format!(
                "{name} was never downloaded; there is {:?}",
                there().unwrap_or_else(|_| Vec::new())
            )
        };
        let bytes = self.poll(whole, missing).await?;
        fs::remove_file(&path)?;
        Ok(bytes)
    }

    /// Writes a file to hand to the page.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> Res<PathBuf> {
        self.chromium.file(name, contents.as_ref())
    }

    pub(crate) async fn insert_text(&self, text: &str) -> Res<()> {
        if text.is_empty() {
            return self.press("Delete").await;
        }
        self.cdp.execute(InsertTextParams::new(text)).await?;
        Ok(())
    }

    // -- how it is looked at -------------------------------------------------------------------------------------

    /// Sets the size of the window's inside, in CSS pixels.
    pub async fn set_viewport(&self, width: u32, height: u32) -> Res<()> {
        self.cdp
            .execute(SetDeviceMetricsOverrideParams::new(width, height, 1.0, false))
            .await?;
        Ok(())
    }

    /// Looks at a window of this size at a zoom of so many times: everything is larger, and less of it fits.
    pub async fn zoom(&self, width: u32, height: u32, times: u32) -> Res<()> {
        let (width, height) = (width / times, height / times);
        let metrics = SetDeviceMetricsOverrideParams::new(width, height, f64::from(times), false);
        self.cdp.execute(metrics).await?;
        Ok(())
    }

    /// Sets the few colors that a system with forced colors has, in its light or dark kind.
    pub async fn force_colors(&self, scheme: Scheme) -> Res<()> {
        let media = SetEmulatedMediaParams::builder()
            .feature(MediaFeature::new("prefers-color-scheme", scheme.as_str()))
            .feature(MediaFeature::new("forced-colors", "active"))
            .build();
        self.cdp.execute(media).await?;
        Ok(())
    }

    /// Sets the color scheme the system asks for, and the medium: `""` for the screen, `"print"`.
    pub async fn set_media(&self, scheme: Scheme, medium: &str) -> Res<()> {
        let scheme = MediaFeature::new("prefers-color-scheme", scheme.as_str());
        let media = SetEmulatedMediaParams::builder()
            .media(medium)
            .feature(scheme)
            .build();
        self.cdp.execute(media).await?;
        Ok(())
    }

    /// Makes the processor this many times slower.
    pub async fn slow_down(&self, times: f64) -> Res<()> {
        self.cdp.execute(SetCpuThrottlingRateParams::new(times)).await?;
        Ok(())
    }

    /// Writes a picture of the whole page, and says where.
    pub async fn screenshot(&self, name: &str) -> Res<PathBuf> {
        self.picture_of(name, true).await
    }

    /// Writes a picture of what the window shows, and says where.
    pub async fn picture(&self, name: &str) -> Res<PathBuf> {
        self.picture_of(name, false).await
    }

    async fn picture_of(&self, name: &str, whole: bool) -> Res<PathBuf> {
        let wanted = ScreenshotParams::builder().full_page(whole).build();
        let picture = self.cdp.screenshot(wanted).await?;
        let path = paths::screenshots()?.join(format!("{name}.png"));
        fs::write(&path, picture)?;
        Ok(path)
    }

    // -- what it did ---------------------------------------------------------------------------------------------

    /// Exceptions, console errors and what the browser logs as errors so far.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.complaints.all()
    }

    /// Requests to other origins so far.
    #[must_use]
    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Ends the browser.
    pub async fn close(self) -> Res<()> {
        self.chromium.close().await
    }

    /// Grants the page what the browser would ask the person for, by its name in the Permissions API.
    pub async fn grant(&self, permission: &str) -> Res<()> {
        self.chromium
            .set_permission(&self.server.origin, permission, PermissionSetting::Granted)
            .await
    }

    /// Refuses the page what the browser would ask the person for, by its name in the Permissions API.
    pub async fn deny(&self, permission: &str) -> Res<()> {
        self.chromium
            .set_permission(&self.server.origin, permission, PermissionSetting::Denied)
            .await
    }

    /// The DevTools connection, for what this harness has no word for.
    #[must_use]
    pub fn cdp(&self) -> &chromiumoxide::Page {
        &self.cdp
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }
}
