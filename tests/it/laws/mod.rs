//! The laws of a dedupe store, beyond what the contract suite tries one by one: in every order of late, repeated and
//! lost messages, in random sequences, and in what real threads or a real server were seen to do.
//!
//! All of it stands on one reference model. A store comes under it by one [`stand::Stand`].

mod broken;
pub(crate) mod exhaustive;
pub(crate) mod explorer;
pub(crate) mod history;
pub(crate) mod linear;
pub(crate) mod machine;
pub(crate) mod model;
pub(crate) mod sequences;
pub(crate) mod stand;
mod storm;
pub(crate) mod worker;
