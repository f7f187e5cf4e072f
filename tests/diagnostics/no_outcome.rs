//~ `u32` is not an outcome
//~ a handler yields `()`, an `Outcome`, or a `Result` of one of them with any error
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::{MemoryStore, Received, Receiver};

pub fn service(aella: Aella) {
    let receiver = Receiver::new("aella-ng", aella).dedupe(MemoryStore::new(10));
    let _ = receiver.handle(|_: Received<aella::Event>| async {
        #[cfg(not(mended))]
        return 7_u32;
        #[cfg(mended)]
        Ok::<(), std::io::Error>(())
    });
}
