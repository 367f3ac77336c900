//! A look at a state of the page: in both themes, wide and narrow.

use crate::{Page, Res, Scheme};

impl Page {
    /// Fails where axe-core finds a breach or where something sticks out to the right, and keeps pictures. Leaves the page
    /// wide and dark.
    ///
    /// # Panics
    ///
    /// Where there is a breach.
    pub async fn look(&self, what: &str) -> Res<()> {
        for scheme in [Scheme::Light, Scheme::Dark] {
            self.set_media(scheme, "").await?;
            let name = scheme.as_str();
            for (width, height) in [(320, 640), (1280, 900)] {
                self.set_viewport(width, height).await?;
                let breaches = self.axe().await?;
                assert!(breaches.is_empty(), "{what}, {name}, {width} px: {breaches:#?}");
            }
            for (width, height) in [(320, 640), (360, 800), (768, 1024), (1080, 800), (1280, 900)] {
                self.set_viewport(width, height).await?;
                assert!(
                    !self.scrolls_sideways().await?,
                    "{what} scrolls sideways at {width} px"
                );
                if matches!(width, 360 | 1280) {
                    self.screenshot(&format!("{what}-{name}-{width}")).await?;
                }
            }
        }
        Ok(())
    }
}
