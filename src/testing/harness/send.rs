//! What a harness sends.

use std::future::Future;

use super::Harness;
use super::book::Way;
use super::forge::{Made, Wrong};
use super::line::Line;
use super::party::Party;
use super::sent::Sent;
use crate::delivery::all;
use crate::provider::Message;
use crate::scheme::{SealError, Sealing};
use crate::sender::{DeliveryProfile, Webhook};

/// All of these panic where no [`provider`](Self::provider) sends to the path, and where a message cannot be sealed.
#[allow(clippy::missing_panics_doc, reason = "a test that is wrong fails")]
impl Harness {
    /// Sends a message to this path, once.
    #[track_caller]
    pub fn send(&self, path: &str, message: impl Into<Message>) -> impl Future<Output = Sent> + Send {
        let request = self.sealed(path, message.into());
        self.line.deliver(request, Way::Genuine)
    }

    /// Sends the same bytes twice, the second when the first were answered.
    #[track_caller]
    pub fn send_twice(&self, path: &str, message: impl Into<Message>) -> impl Future<Output = [Sent; 2]> + Send {
        let request = self.sealed(path, message.into());
        let deliver = |request| self.line.deliver(request, Way::Genuine);
        async move { [deliver(request.clone()).await, deliver(request).await] }
    }

    /// Sends the same bytes so often at the same time. All but one may be asked to come again.
    #[track_caller]
    pub fn send_together(
        &self,
        path: &str,
        message: impl Into<Message>,
        times: usize,
    ) -> impl Future<Output = Vec<Sent>> + Send {
        let request = self.sealed(path, message.into());
        let deliver = |request| self.line.deliver(request, Way::Genuine);
        all(std::iter::repeat_n(request, times).map(deliver), times.max(1))
    }

    /// Forges this message, and sends it: by [`testing::forge`](crate::testing::forge), by a
    /// [`Forgery`](crate::sender::forge::Forgery), or [`Malformed`](crate::sender::Malformed). It panics where there is nothing to
    /// forge so, such as a time in a scheme that signs none.
    #[track_caller]
    pub fn forge(
        &self,
        path: &str,
        message: impl Into<Message>,
        how: impl Into<Wrong>,
    ) -> impl Future<Output = Sent> + Send {
        let how = how.into();
        let made = self.made(path, message.into(), &how).unwrap_or_else(|why| self.fails(why));
        let Some((last, first)) = made.and_then(|mut made| Some((made.pop()?, made))) else {
            self.fails(format_args!("there is nothing to forge by {} in what is sent to {path}", how.name()))
        };
        async move {
            for (request, way) in first {
                self.line.deliver(request, way).await;
            }
            self.line.deliver(last.0, last.1).await
        }
    }

    /// Sends this message in each way in which it can be forged and malformed, all of which has to be refused, and at last the
    /// message itself, which has to be accepted.
    #[track_caller]
    pub fn forge_all(&self, path: &str, message: impl Into<Message>) -> impl Future<Output = Sent> + Send {
        let message = message.into();
        let all =
            Wrong::all().filter_map(|how| self.made(path, message.clone(), &how).unwrap_or_else(|why| self.fails(why)));
        let all: Vec<_> = all.flatten().collect();
        let genuine = self.sealed(path, message);
        async move {
            for (request, way) in all {
                self.line.deliver(request, way).await;
            }
            self.line.deliver(genuine, Way::Genuine).await
        }
    }

    #[track_caller]
    fn made(&self, path: &str, message: Message, how: &Wrong) -> Result<Made, SealError> {
        how.of(self.party(path), message, &Sealing::new(self.now(), &*self.entropy))
    }

    /// A provider's webhook to this path, which tries again as that provider does: under a paused clock a ladder of days takes
    /// no time. It begins now, by the harness's [`clock`](Self::clock).
    #[must_use]
    #[track_caller]
    pub fn webhook(&self, path: &str) -> Webhook<Party, Line> {
        let profile = self.party(path).profile.clone();
        self.webhook_as(path, profile)
    }

    /// The same, delivered as this profile says.
    #[must_use]
    #[track_caller]
    pub fn webhook_as(&self, path: &str, profile: DeliveryProfile) -> Webhook<Party, Line> {
        let party = self.party(path).clone();
        let webhook = Webhook::new(party.path.clone(), party, profile, self.line.clone());
        webhook.seed(self.seed).starting_at(self.now())
    }
}
