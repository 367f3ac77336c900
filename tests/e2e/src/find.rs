//! Finds elements in the accessibility tree, or by selector.

use crate::{
    Page, Res,
    protocol::{QueryTree, TreeNode},
};
use chromiumoxide::cdp::{
    browser_protocol::{accessibility::QueryAxTreeParams, dom::ResolveNodeParams},
    js_protocol::runtime::{GetPropertiesParams, RemoteObjectId},
};
use serde_json::json;
use std::fmt;

/// Roles of what one fills in or chooses from.
const FIELD_ROLES: [&str; 9] = [
    "textbox",
    "searchbox",
    "spinbutton",
    "combobox",
    "listbox",
    "slider",
    "checkbox",
    "switch",
    "radio",
];

/// An accessible name.
#[derive(Clone, Debug)]
pub enum Name {
    /// The whole name.
    Exact(String),
    /// A part of it.
    Containing(String),
    /// Any.
    Any,
}

impl Name {
    /// A name with this part.
    pub fn containing(part: impl Into<String>) -> Self {
        Self::Containing(part.into())
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(whole) => name == whole,
            Self::Containing(part) => name.contains(part.as_str()),
            Self::Any => true,
        }
    }
}

impl From<&str> for Name {
    fn from(whole: &str) -> Self {
        Self::Exact(whole.to_owned())
    }
}

/// One step on the way to an element.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    Role(String, Name),
    Field(Name),
    Css(String),
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role, name) => write!(f, "{role} {name:?}"),
            Self::Field(name) => write!(f, "field {name:?}"),
            Self::Css(selector) => write!(f, "`{selector}`"),
        }
    }
}

impl Query {
    /// The matches within a node.
    pub(crate) async fn within(&self, page: &Page, root: RemoteObjectId) -> Res<Vec<RemoteObjectId>> {
        match self {
            Self::Css(selector) => by_selector(page, root, selector).await,
            Self::Role(_, name) | Self::Field(name) => {
                let mut found = Vec::new();
                for node in self.nodes(page, root, name).await? {
                    if let Some(id) = node.backend_node_id {
                        let resolve = ResolveNodeParams::builder().backend_node_id(id).build();
                        found.extend(page.cdp().execute(resolve).await?.result.object.object_id);
                    }
                }
                Ok(found)
            }
        }
    }

    /// What of this kind is on the page, to mend a test with.
    pub(crate) async fn near_misses(&self, page: &Page) -> Res<String> {
        let kind = match self {
            Self::Role(role, _) => role,
            Self::Field(_) => "field",
            Self::Css(_) => return Ok(String::new()),
        };
        let nodes = self.nodes(page, page.document().await?, &Name::Any).await?;
        let names: Vec<&str> = nodes.iter().map(TreeNode::name).collect();
        Ok(format!("; each {kind} on the page: {names:?}"))
    }

    /// Nodes of the accessibility tree of this query's kind, with such a name. Hidden ones do not count.
    async fn nodes(&self, page: &Page, root: RemoteObjectId, name: &Name) -> Res<Vec<TreeNode>> {
        let mut query = QueryAxTreeParams::builder().object_id(root);
        if let Self::Role(role, _) = self {
            query = query.role(role);
        }
        if let Name::Exact(whole) = name {
            query = query.accessible_name(whole);
        }
        let mut nodes = page.cdp().execute(QueryTree(query.build())).await?.result.nodes;
        let of_kind = |node: &TreeNode| !matches!(self, Self::Field(_)) || FIELD_ROLES.contains(&node.role());
        nodes.retain(|node| !node.ignored && of_kind(node) && name.matches(node.name()));
        Ok(nodes)
    }
}

async fn by_selector(page: &Page, root: RemoteObjectId, selector: &str) -> Res<Vec<RemoteObjectId>> {
    let all = "function (selector) { return [...this.querySelectorAll(selector)] }";
    let list = page.object(root, all, &[json!(selector)]).await?;
    let properties = GetPropertiesParams::builder()
        .object_id(list)
        .own_properties(true)
        .build()?;
    let properties = page.cdp().execute(properties).await?.result.result;
    let items = properties
        .into_iter()
        .filter(|property| property.name.parse::<u32>().is_ok());
    Ok(items.filter_map(|property| property.value?.object_id).collect())
}
