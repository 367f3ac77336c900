//! .env.example: what Compose takes from its surroundings. A copy is filled in, so that writing the files again
//! never touches a secret.
use super::{deployment::Deployment, nodes::Spread, quote::Comments};

/// .env.example
pub(crate) fn env(deployment: &Deployment<'_>, header: &Comments) -> String {
    let mut text = header.as_str().to_owned();
    text.push_str(
        "#\n# cp .env.example .env, and keep .env out of version control. Docker Compose reads it beside docker-compose.yaml.\n\n\
         # Only for gated models: a token from https://huggingface.co/settings/tokens\nHF_TOKEN=\n\n\
         # A key that clients have to send; none where it is empty.\nVLLM_API_KEY=\n\n\
         # Where the weights are kept; ~/.cache/huggingface where it is empty.\nHF_HOME=\n",
    );
    if !deployment.nodes.is_alone() {
        text.push_str("\n# The address of the first node, on every node.\nHEAD_ADDRESS=\n");
        text.push_str(match deployment.nodes.spread {
            Spread::Engines(_) => {
                "# The number of this node's first engine, on every node but the first.\nSTART_RANK=\n"
            }
            _ => "# The number of this node, 1 and up, on every node but the first.\nNODE_RANK=\n",
        });
    }
    text
}
