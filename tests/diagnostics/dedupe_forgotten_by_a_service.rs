//~ `NoDedupe` is not a dedupe store
//~ call `.dedupe(store)` on the receiver, or `.dangerous_without_dedupe()` if handlers may run twice
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::{Received, Receiver};

pub fn service(aella: Aella) {
    let receiver = Receiver::new("aella-ng", aella);
    #[cfg(mended)]
    let receiver = receiver.dedupe(tower_webhook::MemoryStore::new(10));
    let _ = receiver.handle(async |_: Received<aella::Event>| ());
}
