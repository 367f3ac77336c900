//! Finds elements the way a person or a screen reader does, by role and name, and acts on them once they are there.

use crate::{Name, Page, Res, find::Query};
use chromiumoxide::{
    cdp::{browser_protocol::dom::SetFileInputFilesParams, js_protocol::runtime::RemoteObjectId},
    layout::Point,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fmt, path::Path};

/// How to find an element. It is looked for anew with each action, so it outlives what the page draws again.
#[derive(Clone, Debug)]
pub struct Locator<'a> {
    page: &'a Page,
    path: Vec<Query>,
    nth: Option<usize>,
}

impl<'a> Locator<'a> {
    pub(crate) fn document(page: &'a Page) -> Self {
        Self {
            page,
            path: Vec::new(),
            nth: None,
        }
    }

    /// Within this: an element with an ARIA role and an accessible name. Hidden ones do not count.
    #[must_use]
    pub fn role(&self, role: &str, name: impl Into<Name>) -> Self {
        self.with(Query::Role(role.to_owned(), name.into()))
    }

    /// Within this: whatever one fills in or chooses from, by its label.
    #[must_use]
    pub fn field(&self, label: impl Into<Name>) -> Self {
        self.with(Query::Field(label.into()))
    }

    /// Within this: by CSS selector, for what has neither role nor name.
    #[must_use]
    pub fn css(&self, selector: &str) -> Self {
        self.with(Query::Css(selector.to_owned()))
    }

    /// The match at this place, where several are meant to be there.
    #[must_use]
    pub fn nth(mut self, place: usize) -> Self {
        self.nth = Some(place);
        self
    }

    fn with(&self, query: Query) -> Self {
        let mut path = self.path.clone();
        path.push(query);
        Self {
            page: self.page,
            path,
            nth: None,
        }
    }

    /// How many there are right now.
    pub async fn count(&self) -> Res<usize> {
        Ok(self.matches().await?.len())
    }

    /// Waits until there is none.
    pub async fn gone(&self) -> Res<()> {
        let gone = async || Ok((self.count().await? == 0).then_some(()));
        self.page.poll(gone, || format!("{self} is still there")).await
    }

    /// Waits until it is there.
    pub async fn visible(&self) -> Res<()> {
        self.one().await.map(drop)
    }

    /// Its text as it is displayed.
    pub async fn text(&self) -> Res<String> {
        string(
            &self
                .call("function () { return this.innerText ?? this.textContent }", &[])
                .await?,
        )
    }

    /// The value in a field.
    pub async fn value(&self) -> Res<String> {
        string(&self.call("function () { return this.value }", &[]).await?)
    }

    /// An attribute, or nothing where it is not set.
    pub async fn attribute(&self, name: &str) -> Res<Option<String>> {
        let value = self
            .call(
                "function (name) { return this.getAttribute(name) }",
                &[json!(name)],
            )
            .await?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// Whether a check box, switch or radio button is on.
    pub async fn checked(&self) -> Res<bool> {
        let on = "function () { return this.checked ?? this.getAttribute('aria-checked') === 'true' }";
        Ok(self.call(on, &[]).await? == json!(true))
    }

    /// Waits until its text contains this.
    pub async fn has_text(&self, part: &str) -> Res<()> {
        self.comes_to(
            "text",
            async || self.text().await,
            |text| text.contains(part),
            part,
        )
        .await
    }

    /// Waits until its value is this.
    pub async fn has_value(&self, value: &str) -> Res<()> {
        self.comes_to("value", async || self.value().await, |is| is == value, value)
            .await
    }

    /// Clicks it, once it is enabled and nothing covers it.
    pub async fn click(&self) -> Res<()> {
        let mut blocked = None;
        let ready = async || {
            let target: Target = serde_json::from_value(self.call(CLICK_TARGET, &[]).await?)?;
            blocked = target.blocked;
            Ok(blocked.is_none().then_some(Point::new(target.x, target.y)))
        };
        let found = self
            .page
            .poll(ready, || format!("{self} cannot be clicked"))
            .await;
        let point = found.map_err(|error| match blocked {
            Some(why) => format!("{error}: {why}").into(),
            None => error,
        })?;
        self.page.cdp().click(point).await?;
        Ok(())
    }

    /// Replaces what a field holds, as typing or pasting does; it keeps the focus, so press `Tab` to leave it.
    pub async fn fill(&self, text: &str) -> Res<()> {
        let typed = self.call(SELECT_ALL, &[json!(text)]).await?;
        if typed == json!(true) {
            self.page.insert_text(text).await?;
        }
        Ok(())
    }

    /// Chooses an option of a `<select>` by its label or value.
    pub async fn select(&self, option: &str) -> Res<()> {
        self.call(SELECT_OPTION, &[json!(option)]).await.map(drop)
    }

    /// Gives it the focus and presses a key.
    pub async fn press(&self, chord: &str) -> Res<()> {
        self.call("function () { this.focus() }", &[]).await?;
        self.page.press(chord).await
    }

    /// Chooses files in a file input, which may be hidden.
    pub async fn choose_files(&self, files: &[&Path]) -> Res<()> {
        let files = files.iter().map(|path| path.to_string_lossy());
        let set = SetFileInputFilesParams::builder()
            .files(files)
            .object_id(self.one().await?)
            .build()?;
        self.page.cdp().execute(set).await?;
        Ok(())
    }

    /// Calls a JavaScript function with the element as `this`.
    pub async fn call(&self, function: &str, arguments: &[Value]) -> Res<Value> {
        let object = self.one().await?;
        self.page.call_on(object, function, arguments).await
    }

    async fn comes_to(
        &self,
        what: &str,
        read: impl AsyncFn() -> Res<String>,
        is_it: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Res<()> {
        let mut last = String::new();
        let ready = async || {
            last = read().await?;
            Ok(is_it(&last).then_some(()))
        };
        let done = self
            .page
            .poll(ready, || format!("the {what} of {self} never came to {wanted:?}"))
            .await;
        done.map_err(|error| format!("{error}; it is {last:?}").into())
    }

    /// The one element meant, as soon as it is the only one.
    async fn one(&self) -> Res<RemoteObjectId> {
        let mut count = 0;
        let pick = async || {
            let mut all = self.matches().await?;
            count = all.len();
            let place = self.nth.unwrap_or(0);
            let clear = if self.nth.is_some() {
                place < count
            } else {
                count == 1
            };
            Ok(clear.then(|| all.swap_remove(place)))
        };
        let found = self
            .page
            .poll(pick, || format!("{self} is not there, or not the only one"))
            .await;
        match (found, self.path.last()) {
            (Err(error), Some(query)) => {
                let near = query.near_misses(self.page).await.unwrap_or_default();
                Err(format!("{error}: found {count}{near}").into())
            }
            (found, _) => found,
        }
    }

    async fn matches(&self) -> Res<Vec<RemoteObjectId>> {
        let mut roots = vec![self.page.document().await?];
        for query in &self.path {
            let mut found = Vec::new();
            for root in roots {
                found.extend(query.within(self.page, root).await?);
            }
            roots = found;
        }
        Ok(roots)
    }
}

impl fmt::Display for Locator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<String> = self.path.iter().map(ToString::to_string).collect();
        f.write_str(&path.join(" > "))?;
        self.nth.map_or(Ok(()), |place| write!(f, " [{place}]"))
    }
}

fn string(value: &Value) -> Res<String> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("not a text: {value}").into())
}

#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default)]
    x: f64,
    #[serde(default)]
    y: f64,
    blocked: Option<String>,
}

/// Scrolls to the element and says where to click, or what stands in the way.
const CLICK_TARGET: &str = r#"function () {
  if (this.matches(":disabled, [aria-disabled=true]")) return { blocked: "it is disabled" };
  this.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const box = [...this.getClientRects()].find((box) => box.width && box.height);
  if (!box) return { blocked: "it takes no room" };
  const x = box.x + box.width / 2, y = box.y + box.height / 2;
  const top = document.elementFromPoint(x, y);
  if (!top) return { blocked: "it lies outside the window" };
  if (this.contains(top) || top.closest("label")?.control === this) return { x, y };
  return { blocked: "this covers it: " + top.outerHTML.slice(0, 200) };
}"#;

/// Prepares a field for typing; sets those that nobody types into, and returns whether to type.
const SELECT_ALL: &str = r#"function (text) {
  this.focus();
  if (this.disabled || this.readOnly) throw new Error("the field is disabled or read-only");
  if (!["range", "color", "date", "time"].includes(this.type)) {
    if (this.select) this.select();
    else getSelection().selectAllChildren(this);
    return true;
  }
  this.value = text;
  for (const kind of ["input", "change"]) this.dispatchEvent(new Event(kind, { bubbles: true }));
  return false;
}"#;

const SELECT_OPTION: &str = r#"function (wanted) {
  const option = [...this.options].find((o) => o.label.trim() === wanted || o.value === wanted);
  if (!option) throw new Error("no such option; there are: " + [...this.options].map((o) => o.label).join(", "));
  this.focus();
  this.value = option.value;
  for (const kind of ["input", "change"]) this.dispatchEvent(new Event(kind, { bubbles: true }));
}"#;
