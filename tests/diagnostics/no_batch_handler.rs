//~ `u32` is not a batch handler of `tower_webhook::provider::aella::Event`
//~ a batch handler is `Fn(Vec<Received<tower_webhook::provider::aella::Event>>) -> impl Future` that is `Clone + Send + Sync + 'static`
//~ its future is `Send` and yields `()`, a `Vec<Outcome>`, or a `Result` of one of them
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::{MemoryStore, Received, Receiver};

pub fn service(aella: Aella) {
    let receiver = Receiver::new("aella-ng", aella).dedupe(MemoryStore::new(10));
    let handler = async |_: Vec<Received<aella::Event>>| ();
    #[cfg(not(mended))]
    let handler = (handler, 7_u32).1;
    let _ = receiver.handle_batch(handler);
}
