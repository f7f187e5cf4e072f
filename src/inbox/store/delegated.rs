//! [`delegated`]: methods of an inbox that are another inbox's.

/// Those methods of an `InboxStore` that another has. `to!(self, inbox => call)` is a macro that calls it. Whoever uses this has
/// the types in scope that the methods speak in.
macro_rules! delegated {
    ($to:ident: $($method:ident)+) => {
        $(delegated!(@$method $to);)+
    };
    (@accept $to:ident) => {
        async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
            $to!(self, inbox => inbox.accept(events, now).await)
        }
    };
    (@lease $to:ident) => {
        async fn lease(
            &self,
            token: LeaseToken,
            most: usize,
            lease: Duration,
            now: Timestamp,
        ) -> Result<Vec<Leased>, InboxError> {
            $to!(self, inbox => inbox.lease(token, most, lease, now).await)
        }
    };
    (@lease_but_of $to:ident) => {
        async fn lease_but_of(
            &self,
            receivers: &[String],
            token: LeaseToken,
            most: usize,
            lease: Duration,
            now: Timestamp,
        ) -> Result<Vec<Leased>, InboxError> {
            $to!(self, inbox => inbox.lease_but_of(receivers, token, most, lease, now).await)
        }
    };
    (@extend $to:ident) => {
        async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
            $to!(self, inbox => inbox.extend(held, lease, now).await)
        }
    };
    (@complete $to:ident) => {
        async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
            $to!(self, inbox => inbox.complete(held, now).await)
        }
    };
    (@retry $to:ident) => {
        async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
            $to!(self, inbox => inbox.retry(held, due, reason, now).await)
        }
    };
    (@bury $to:ident) => {
        async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
            $to!(self, inbox => inbox.bury(held, reason, lane, now).await)
        }
    };
    (@park $to:ident) => {
        async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
            $to!(self, inbox => inbox.park(held, reason, now).await)
        }
    };
    (@release $to:ident) => {
        async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
            $to!(self, inbox => inbox.release(held, now).await)
        }
    };
    (@next_due $to:ident) => {
        async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
            $to!(self, inbox => inbox.next_due().await)
        }
    };
    (@woken $to:ident) => {
        async fn woken(&self) {
            $to!(self, inbox => inbox.woken().await);
        }
    };
    (@stats $to:ident) => {
        async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
            $to!(self, inbox => inbox.stats(now).await)
        }
    };
    (@stats_by_receiver $to:ident) => {
        async fn stats_by_receiver(&self, most: usize, now: Timestamp) -> Result<Vec<ReceiverStats>, InboxError> {
            $to!(self, inbox => inbox.stats_by_receiver(most, now).await)
        }
    };
    (@list $to:ident) => {
        async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
            $to!(self, inbox => inbox.list(filter, most).await)
        }
    };
    (@show $to:ident) => {
        async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
            $to!(self, inbox => inbox.show(id).await)
        }
    };
    (@replay $to:ident) => {
        async fn replay(
            &self,
            filter: &Filter,
            most: usize,
            is_dry_run: bool,
            by: &str,
            now: Timestamp,
        ) -> Result<Replayed, InboxError> {
            $to!(self, inbox => inbox.replay(filter, most, is_dry_run, by, now).await)
        }
    };
    (@purge $to:ident) => {
        async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
            $to!(self, inbox => inbox.purge(bodies_before, now).await)
        }
    };
    (@purgeable $to:ident) => {
        async fn purgeable(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
            $to!(self, inbox => inbox.purgeable(bodies_before, now).await)
        }
    };
    (@erase $to:ident) => {
        async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
            $to!(self, inbox => inbox.erase(key, now).await)
        }
    };
    (@erasable $to:ident) => {
        async fn erasable(&self, key: &str) -> Result<u64, InboxError> {
            $to!(self, inbox => inbox.erasable(key).await)
        }
    };
}
pub(crate) use delegated;
