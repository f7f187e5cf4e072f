//! What comes beside a delivery, when it is settled: what says otherwise, and what is another event.

use super::route::Theme;
use super::run::{Delivery, Run};
use crate::sender::transport::Transport;

impl<T: Transport> Run<T> {
    /// The same key with another body: refused, or acknowledged with an alarm. Its handler is not called, unless nobody has taken the
    /// first.
    pub(super) async fn contradict(&self, delivery: &Delivery) {
        if !delivery.events.iter().all(|event| self.ledger.was_accepted(*event)) {
            return;
        }
        let themes: Vec<_> = delivery.themes.iter().map(|theme| Theme { is_other: true, ..*theme }).collect();
        if let Ok(request) = delivery.route.seal(&delivery.route.author.write(&themes), self.now()) {
            let _ = self.exchange(delivery, &request).await;
        }
    }

    /// The same body under another key: another event.
    pub(super) async fn twin(&self, delivery: &Delivery) {
        let (Some(theme), Some(event)) = (delivery.themes.first(), delivery.twin) else { return };
        let themes = [Theme { key: self.mark(event), ..*theme }];
        let message = delivery.route.author.write(&themes);
        if let Ok(request) = delivery.route.seal(&message, self.now()) {
            self.settle(delivery, &self.sealed(message, request, &[event], &themes)).await;
        }
    }

    /// The same id at another receiver: another event.
    pub(super) async fn at_the_other(&self, delivery: &Delivery) {
        let (Some(other), Some(event)) = (&delivery.other, delivery.twin) else { return };
        // Two senders of one's own making may put it in different places.
        let message = other.author.write(&delivery.themes);
        if let Ok(request) = other.seal(&message, self.now()) {
            let sealed = self.sealed(message, request, &[event], &delivery.themes);
            self.settle(&Delivery { route: other.clone(), ..delivery.clone() }, &sealed).await;
        }
    }
}
