//~ `Check` is not a check of heads
//~ a `HeadGate` asks a `HeadCheck`; `BasicAuthLayer` and `SourceIpLayer` are checks, and layers by themselves
use std::sync::Arc;

use tower_webhook::gate::HeadGate;

pub struct Check;

#[cfg(mended)]
impl tower_webhook::gate::HeadCheck for Check {
    fn check(&self, _: &mut http::request::Parts) -> Result<(), tower_webhook::Rejection> {
        Ok(())
    }
}

pub fn gate() {
    let _ = HeadGate::new(Arc::new(Check), ());
}
