//~ `Keys` is not a dedupe store
use tower_webhook::Receiver;
use tower_webhook::provider::aella::Aella;

#[cfg(not(mended))]
pub struct Keys;
#[cfg(mended)]
use tower_webhook::MemoryStore as Keys;

pub fn receiver(aella: Aella, keys: Keys) {
    let _ = Receiver::new("aella-ng", aella).dedupe(keys);
}
