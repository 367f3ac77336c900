//! A journey: open the page, do things, and end with a page that has nothing to complain of.

use crate::{Fake, Page, Res};
use futures::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// What the system tells pages about colors.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scheme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl Scheme {
    /// As CSS calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How the page is opened.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) scheme: Scheme,
    pub(crate) hash: String,
    pub(crate) base: String,
    pub(crate) policy_header: bool,
    pub(crate) public: bool,
    pub(crate) stored: Vec<(String, String)>,
    pub(crate) fakes: Vec<Fake>,
    pub(crate) before_start: Option<String>,
    pub(crate) wait_for_start: bool,
    pub(crate) site: Option<PathBuf>,
    pub(crate) patience: Duration,
    expected: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            scheme: Scheme::Light,
            hash: String::new(),
            base: "/".to_owned(),
            policy_header: false,
            public: false,
            stored: Vec::new(),
            fakes: Vec::new(),
            before_start: None,
            wait_for_start: true,
            site: None,
            patience: Duration::from_secs(15),
            expected: Vec::new(),
        }
    }
}

impl Options {
    /// The size of the window's inside, in CSS pixels.
    #[must_use]
    pub fn viewport(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// On a system that is set to dark.
    #[must_use]
    pub fn dark(mut self) -> Self {
        self.scheme = Scheme::Dark;
        self
    }

    /// At this hash: `#…`.
    #[must_use]
    pub fn at(mut self, hash: &str) -> Self {
        hash.clone_into(&mut self.hash);
        self
    }

    /// Served under a path such as `/tools/wizard/`.
    #[must_use]
    pub fn under(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    /// Served with the page's own policy as a header too.
    #[must_use]
    pub fn policy_header(mut self) -> Self {
        self.policy_header = true;
        self
    }

    /// From the internet, as far as the browser knows: what is on this machine is another network then.
    #[must_use]
    pub fn from_the_internet(mut self) -> Self {
        self.public = true;
        self
    }

    /// By a visitor whose browser keeps this in localStorage from an earlier visit.
    #[must_use]
    pub fn stored(mut self, key: &str, value: &str) -> Self {
        self.stored.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With an answer for requests to another origin; the first that fits counts.
    #[must_use]
    pub fn fake(mut self, fake: Fake) -> Self {
        self.fakes.push(fake);
        self
    }

    /// With a script that runs before any of the page's own, in every document: for browsers that lack something.
    #[must_use]
    pub fn before_start(mut self, script: &str) -> Self {
        self.before_start = Some(script.to_owned());
        self
    }

    /// Without waiting for the page to start, for a page that is meant not to.
    #[must_use]
    pub fn without_start(mut self) -> Self {
        self.wait_for_start = false;
        self
    }

    /// Opens another folder than the release build of the page.
    #[must_use]
    pub fn site(mut self, folder: &Path) -> Self {
        self.site = Some(folder.to_owned());
        self
    }

    /// How long anything may take before it counts as failed.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A complaint that contains this is meant to happen.
    #[must_use]
    pub fn expects_complaint(mut self, part: &str) -> Self {
        self.expected.push(part.to_owned());
        self
    }
}

/// Opens the page, takes the steps, and fails when a step does, when the page complained, or when it asked an origin for
/// something that no [`Fake`] answers. A failure leaves a screenshot named after the test.
pub async fn journey(options: Options, steps: impl AsyncFnOnce(&Page) -> Res<()>) -> Res<()> {
    let page = Page::open(&options).await?;
    let outcome = AssertUnwindSafe(steps(&page)).catch_unwind().await;
    let outcome = match outcome {
        Ok(Ok(())) => {
            settle(&page).await;
            Ok(verdict(&page, &options))
        }
        Ok(Err(error)) => Ok(Err(error)),
        Err(panic) => Err(panic),
    };
    if !matches!(outcome, Ok(Ok(()))) {
        explain(&page).await;
    }
    page.close().await?;
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Lets what the last step set off happen, and the browser's reports of it arrive.
async fn settle(page: &Page) {
    page.eval("new Promise((done) => setTimeout(done, 100))")
        .await
        .ok();
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn verdict(page: &Page, options: &Options) -> Res<()> {
    let meant = |complaint: &String| {
        options
            .expected
            .iter()
            .any(|part| complaint.contains(part.as_str()))
    };
    let complaints: Vec<String> = page
        .complaints()
        .into_iter()
        .filter(|complaint| !meant(complaint))
        .collect();
    let refused = page.outside().refused();
    if complaints.is_empty() && refused.is_empty() {
        return Ok(());
    }
    Err(format!("the page complained {complaints:?} and asked other origins for {refused:?}").into())
}

/// Says on standard error what helps to understand a failure.
async fn explain(page: &Page) {
    let name = thread::current().name().unwrap_or("journey").replace("::", "-");
    match page.screenshot(&name).await {
        Ok(path) => eprintln!("screenshot: {}", path.display()),
        Err(error) => eprintln!("no screenshot: {error}"),
    }
    eprintln!("complaints: {:?}", page.complaints());
    eprintln!("asked of other origins: {:?}", page.outside().asked());
}
