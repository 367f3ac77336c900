//! What the page complains of: exceptions, console errors, and what the browser itself logs as errors, breaches of the
//! page's Content-Security-Policy among them.

use crate::{Res, lock, network::Outside};
use chromiumoxide::{
    Page,
    cdp::{
        browser_protocol::log::{EventEntryAdded, LogEntryLevel, LogEntrySource},
        js_protocol::runtime::{ConsoleApiCalledType, EventConsoleApiCalled, EventExceptionThrown},
    },
};
use futures::StreamExt;
use std::sync::{Arc, Mutex};

/// The complaints so far.
#[derive(Clone, Debug, Default)]
pub struct Complaints(Arc<Mutex<Vec<String>>>);

impl Complaints {
    /// Starts listening. That a request to another origin failed is no complaint: [`Outside`] keeps account of those.
    pub async fn listen(page: &Page, outside: &Outside) -> Res<Self> {
        let complaints = Self::default();
        complaints.exceptions(page).await?;
        complaints.console(page).await?;
        complaints.browser_log(page, outside.clone()).await?;
        Ok(complaints)
    }

    /// All of them, in order.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        lock(&self.0).clone()
    }

    fn push(&self, what: String) {
        lock(&self.0).push(what);
    }

    async fn exceptions(&self, page: &Page) -> Res<()> {
        let mut events = page.event_listener::<EventExceptionThrown>().await?;
        let complaints = self.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let details = &event.exception_details;
                let said = details
                    .exception
                    .as_ref()
                    .and_then(|exception| exception.description.as_deref());
                complaints.push(format!("exception: {}", said.unwrap_or(&details.text)));
            }
        });
        Ok(())
    }

    async fn console(&self, page: &Page) -> Res<()> {
        let mut events = page.event_listener::<EventConsoleApiCalled>().await?;
        let complaints = self.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if matches!(
                    event.r#type,
                    ConsoleApiCalledType::Error | ConsoleApiCalledType::Assert
                ) {
                    let words =
                        event
                            .args
                            .iter()
                            .map(|argument| match (&argument.value, &argument.description) {
                                (Some(value), _) => {
                                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                                }
                                (None, description) => description.clone().unwrap_or_default(),
                            });
                    complaints.push(format!("console: {}", words.collect::<Vec<_>>().join(" ")));
                }
            }
        });
        Ok(())
    }

    async fn browser_log(&self, page: &Page, outside: Outside) -> Res<()> {
        let mut events = page.event_listener::<EventEntryAdded>().await?;
        let complaints = self.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let entry = &event.entry;
                let url = entry.url.as_deref().unwrap_or_default();
                let of_a_request = entry.source == LogEntrySource::Network
                    && outside.asked().iter().any(|asked| asked == url);
                let accounted_for =
                    of_a_request || outside.is_faked(url) || outside.mentions_fake(&entry.text);
                if entry.level == LogEntryLevel::Error && !accounted_for {
                    complaints.push(format!("{:?}: {} {url}", entry.source, entry.text));
                }
            }
        });
        Ok(())
    }
}
