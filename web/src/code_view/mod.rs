//! Code as coloured text nodes.
pub(crate) mod diff;
pub(crate) mod tokenize;
pub(crate) mod view;
