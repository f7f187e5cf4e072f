//~ `NoDedupe` is not a dedupe store
//~ call `.dedupe(store)` on the receiver, or `.dangerous_without_dedupe()` if handlers may run twice
use tower_webhook::Receiver;
use tower_webhook::provider::aella::Aella;

pub fn layer(aella: Aella) {
    let receiver = Receiver::new("aella-ng", aella);
    #[cfg(mended)]
    let receiver = receiver.dangerous_without_dedupe();
    let _ = receiver.layer();
}
