//! Code as coloured text nodes.
pub(crate) mod tokenize;
pub(crate) mod view;
