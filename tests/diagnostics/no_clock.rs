//~ `u64` is not a clock
//~ a clock is `SystemClock`, a `Timestamp` that stands still, or `Fn() -> Option<Timestamp>`
use tower_webhook::clock::SystemClock;
use tower_webhook::layers::VerifyLayer;

pub fn layer(layer: VerifyLayer) -> VerifyLayer {
    let clock = SystemClock;
    #[cfg(not(mended))]
    let clock = (clock, 1_700_000_000_u64).1;
    layer.clock(clock)
}
