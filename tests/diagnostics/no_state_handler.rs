//~ `u32` is not a handler of `tower_webhook::provider::aella::Event` with the state `bool`
//~ such a handler is `Fn(bool, Received<tower_webhook::provider::aella::Event>) -> impl Future` that is `Clone + Send + Sync + 'static`
//~ its future is `Send` and yields `()`, an `Outcome`, or a `Result` of one of them
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::{MemoryStore, Received, Receiver};

pub fn service(aella: Aella) {
    let receiver = Receiver::new("aella-ng", aella).dedupe(MemoryStore::new(10));
    let handler = async |_: bool, _: Received<aella::Event>| ();
    #[cfg(not(mended))]
    let handler = (handler, 7_u32).1;
    let _ = receiver.handle_with(true, handler);
}
