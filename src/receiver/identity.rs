//! Who a receiver is to a store that others use too.

use super::Receiver;
use crate::idempotency::ReceiverIdentity;
use crate::layers::BasicAuthLayer;
use crate::provider::Provider;

impl<P: Provider, D> Receiver<P, D> {
    /// What a shared store learns about whose this receiver's name is: tenant, provider, name, and what tells its keys and
    /// its Basic user names from others. With Redis, `RedisStore::enroll` takes it at the start.
    #[must_use]
    pub fn identity(&self) -> ReceiverIdentity {
        ReceiverIdentity::new(&self.settings.tenant, self.provider.profile().name, self.exit.reporter.receiver())
            .keys(self.provider.scheme().key_checks())
            .users(self.head.basic.iter().flat_map(BasicAuthLayer::usernames))
    }
}
