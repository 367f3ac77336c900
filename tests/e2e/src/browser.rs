//! Starts Chromium with a profile and a download folder of its own.

use crate::{Res, paths};
use chromiumoxide::{
    Browser, BrowserConfig,
    cdp::browser_protocol::browser::{
        PermissionDescriptor, PermissionSetting, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams,
        SetPermissionParams,
    },
};
use futures::StreamExt;
use std::{fs, path::PathBuf, time::Duration};
use tempfile::TempDir;

/// Switches, without leading dashes: no graphics card, no requests of the browser's own, no first-run pages.
const SWITCHES: [&str; 8] = [
    "disable-gpu",
    "disable-dev-shm-usage",
    "disable-quic",
    "disable-component-update",
    "disable-domain-reliability",
    "disable-field-trial-config",
    "no-default-browser-check",
    "no-pings",
];

/// A running browser.
#[derive(Debug)]
pub struct Chromium {
    /// The connection to it.
    pub browser: Browser,
    /// Where its downloads arrive.
    pub downloads: PathBuf,
    /// Removed with this value.
    folder: TempDir,
}

impl Chromium {
    /// Starts one that lets `origin` use the clipboard. As `public`, `origin` counts as a page of the internet, which needs
    /// a permission to reach this machine.
    pub async fn start(origin: &str, public: bool) -> Res<Self> {
        let folder = tempfile::tempdir()?;
        let downloads = folder.path().join("downloads");
        fs::create_dir(&downloads)?;
        let mut config = BrowserConfig::builder()
            .chrome_executable(paths::chrome()?)
            .user_data_dir(folder.path().join("profile"))
            .new_headless_mode()
            .viewport(None)
            .launch_timeout(Duration::from_mins(1))
            .args(SWITCHES);
        if public {
            let address = origin.trim_start_matches("http://");
            config = config.arg(format!("ip-address-space-overrides={address}=public"));
        }
        if is_root() {
            config = config.no_sandbox(); // Chromium refuses to start as root with it
        }
        let (browser, mut events) = Browser::launch(config.build()?).await?;
        tokio::spawn(async move { while events.next().await.is_some() {} });
        let chromium = Self {
            browser,
            downloads,
            folder,
        };
        chromium.accept_downloads().await?;
        chromium.allow_clipboard(origin).await?;
        Ok(chromium)
    }

    /// Writes a file that the test hands to the page.
    pub fn file(&self, name: &str, contents: &[u8]) -> Res<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, contents)?;
        Ok(path)
    }

    /// Ends the browser.
    pub async fn close(mut self) -> Res<()> {
        self.browser.close().await?;
        self.browser.wait().await?;
        Ok(())
    }

    async fn accept_downloads(&self) -> Res<()> {
        let accept = SetDownloadBehaviorParams::builder()
            .behavior(SetDownloadBehaviorBehavior::Allow)
            .download_path(self.downloads.to_string_lossy());
        self.browser.execute(accept.build()?).await?;
        Ok(())
    }

    async fn allow_clipboard(&self, origin: &str) -> Res<()> {
        for name in ["clipboard-read", "clipboard-write"] {
            self.set_permission(origin, name, PermissionSetting::Granted)
                .await?;
        }
        Ok(())
    }

    /// Answers for `origin` what the browser would ask the person.
    pub(crate) async fn set_permission(
        &self,
        origin: &str,
        name: &str,
        setting: PermissionSetting,
    ) -> Res<()> {
        let mut set = SetPermissionParams::new(PermissionDescriptor::new(name), setting);
        set.origin = Some(origin.to_owned());
        self.browser.execute(set).await?;
        Ok(())
    }
}

/// Whether this process runs as root: it owns the folder of its own process.
#[cfg(target_os = "linux")]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(not(target_os = "linux"))]
fn is_root() -> bool {
    false
}
