//! How a webhook becomes active: by the test that a new one has to acknowledge, or by hand.

use std::sync::Arc;

use super::board::Status;
use super::judge::{expected, judge};
use super::notification::Came;
use super::transport::Transport;
use super::webhook::{NotSent, Webhook};
use crate::provider::{Message, Provider};

impl<P: Provider, T: Transport> Webhook<P, T> {
    /// New: nothing is sent before [`activate`](Self::activate). Default: it is active. Nothing is changed once a clone of it is
    /// elsewhere.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.board().status = Status::Inactive;
        }
        self
    }

    /// Sends the profile's test once, and switches the webhook on when its answer counts. `None`: the profile has no test, and the
    /// webhook is on. The test is no notification, and not in the history.
    ///
    /// # Errors
    ///
    /// [`NotSent::Unsealable`].
    pub async fn activate(&self) -> Result<Option<Came>, NotSent> {
        let Some(test) = self.0.profile.activation else {
            self.switch_on();
            return Ok(None);
        };
        let message = Message::new(test);
        let request = self.0.seal(&message).map_err(NotSent::Unsealable)?;
        let expected = expected(&self.0.profile, &self.0.provider, &request, &message);
        let came = judge(&self.0.profile, expected.as_ref(), self.0.exchange(request).await);
        if matches!(came, Came::Delivered(_)) {
            self.switch_on();
        }
        Ok(Some(came))
    }

    /// Switches it on again, without a test, which no document asks for: what was kept is delivered, from the bottom of the ladder.
    pub fn switch_on(&self) {
        let mut board = self.board();
        if board.status == Status::Active {
            return;
        }
        board.status = Status::Active;
        board.left().into_iter().for_each(|id| self.spawn(&mut board, id));
    }
}
