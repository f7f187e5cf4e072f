//~ `u32` holds no outcomes of a batch
//~ a batch handler returns `()`, a `Vec<Outcome>` in the order of its events, or a `Result` of one of them
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::{MemoryStore, Received, Receiver};

pub fn service(aella: Aella) {
    let receiver = Receiver::new("aella-ng", aella).dedupe(MemoryStore::new(10));
    #[cfg(not(mended))]
    let handler = async |_: Vec<Received<aella::Event>>| 7_u32;
    #[cfg(mended)]
    let handler = async |_: Vec<Received<aella::Event>>| ();
    let _ = receiver.handle_batch(handler);
}
