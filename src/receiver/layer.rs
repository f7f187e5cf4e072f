//! What a receiver becomes: a layer, or a service with a handler inside.

use std::sync::Arc;

use tower_layer::Layer;

use super::checks::ReceiverCheck;
use crate::delivery::Requests;
use crate::gate::{BodyBudget, BodyGate, Exit};
use crate::idempotency::{DedupeStore, Idempotency, IdempotencyLayer};
use crate::provider::Provider;

/// The service of a [`Receiver`](super::Receiver) around a handler.
pub type HandlerService<P, D, I> = BodyGate<ReceiverCheck<P>, Idempotency<P, D, I>>;

/// The service of a [`Receiver`](super::Receiver) around an inner service.
pub type ReceiverService<P, D, S> = HandlerService<P, D, Requests<S>>;

/// A [`Receiver`](super::Receiver) as a layer.
#[derive(Debug)]
pub struct ReceiverLayer<P, D> {
    pub(super) check: Arc<ReceiverCheck<P>>,
    pub(super) exit: Arc<Exit>,
    pub(super) budget: BodyBudget,
    pub(super) dedupe: IdempotencyLayer<P, D>,
}

impl<P, D> Clone for ReceiverLayer<P, D> {
    fn clone(&self) -> Self {
        Self {
            check: Arc::clone(&self.check),
            exit: Arc::clone(&self.exit),
            budget: self.budget.clone(),
            dedupe: self.dedupe.clone(),
        }
    }
}

impl<P: Provider, D: DedupeStore> ReceiverLayer<P, D> {
    pub(super) fn around<I>(&self, inner: I) -> HandlerService<P, D, I> {
        let gate = BodyGate::new(Arc::clone(&self.check), self.dedupe.around(inner));
        gate.budget(&self.budget).exit(&self.exit)
    }
}

impl<P: Provider, D: DedupeStore, S> Layer<S> for ReceiverLayer<P, D> {
    type Service = ReceiverService<P, D, S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.around(Requests(inner))
    }
}
