//! Receivers that are broken on purpose, so that the comparison can be seen to fail.

use std::str::FromStr;

use axum::Router;
use tower_webhook::delivery::Handler;
use tower_webhook::provider::Provider;
use tower_webhook::{MemoryStore, Receiver};

use crate::common::Who;

/// What is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sabotage {
    /// Repeats are handled again.
    Dedupe,
    /// Nobody looks at Aella's signature.
    Verification,
    /// Events are acknowledged and forgotten.
    Handler,
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "dedupe" => Ok(Self::Dedupe),
            "verification" => Ok(Self::Verification),
            "handler" => Ok(Self::Handler),
            _ => Err(format!("{text:?} is none of: dedupe, verification, handler")),
        }
    }
}

impl Sabotage {
    /// In place of `app.route_service(path, receiver.dedupe(store).handle(handler))`.
    pub(crate) fn route<P: Provider>(
        self,
        app: Router,
        who: Who,
        receiver: Receiver<P>,
        store: MemoryStore,
        handler: impl Handler<P::Event>,
    ) -> Router {
        match self {
            Self::Dedupe => app.route_service(who.path(), receiver.dangerous_without_dedupe().handle(handler)),
            Self::Verification if who == Who::Aella => {
                app.route_service(who.path(), receiver.dangerous_skip_verification().dedupe(store).handle(handler))
            }
            Self::Verification | Self::Handler => app.route_service(who.path(), receiver.dedupe(store).handle(handler)),
        }
    }
}
