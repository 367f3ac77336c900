//! The one DevTools command whose answer is read here rather than by the generated bindings: those refuse the whole answer
//! when a newer browser adds a property they do not know.

use chromiumoxide::{
    cdp::browser_protocol::{accessibility::QueryAxTreeParams, dom::BackendNodeId},
    types::{Command, Method, MethodId},
};
use serde::{Deserialize, Serialize};

/// `Accessibility.queryAXTree`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct QueryTree(pub(crate) QueryAxTreeParams);

/// Its answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<TreeNode>,
}

/// A node of the accessibility tree.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TreeNode {
    pub(crate) ignored: bool,
    role: Option<TreeValue>,
    name: Option<TreeValue>,
    #[serde(rename = "backendDOMNodeId")]
    pub(crate) backend_node_id: Option<BackendNodeId>,
}

#[derive(Clone, Debug, Deserialize)]
struct TreeValue {
    #[serde(default)]
    value: serde_json::Value,
}

impl TreeNode {
    /// Role, as ARIA calls it.
    pub(crate) fn role(&self) -> &str {
        text(self.role.as_ref())
    }

    /// Accessible name.
    pub(crate) fn name(&self) -> &str {
        text(self.name.as_ref()).trim()
    }
}

fn text(value: Option<&TreeValue>) -> &str {
    value.and_then(|value| value.value.as_str()).unwrap_or_default()
}

impl Method for QueryTree {
    fn identifier(&self) -> MethodId {
        self.0.identifier()
    }
}

impl Command for QueryTree {
    type Response = Tree;
}
