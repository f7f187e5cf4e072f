//! The single layers: configuration and one check each, on the shell of [`gate`](crate::gate).
//!
//! They stack by hand in a `ServiceBuilder`, outermost first: [`SourceIpLayer`], [`BasicAuthLayer`], [`VerifyLayer`].
//! Heads are judged before a byte of the body is read. A rejection is an answer, so that no layer changes the error type
//! of the service inside, and none of them asks for a `HandleErrorLayer` in axum.

mod basic_auth;
mod source_ip;
mod verify;

pub use basic_auth::{BasicAuth, BasicAuthLayer, Credentials};
pub use source_ip::{SourceIp, SourceIpLayer};
pub use verify::{Verify, VerifyLayer};
pub(crate) use verify::{check_head, open};
