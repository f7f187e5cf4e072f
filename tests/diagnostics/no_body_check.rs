//~ `Check` is not a check of bodies
//~ a `BodyGate` asks a `BodyCheck`; `VerifyLayer` is a check, and a layer by itself
use std::sync::Arc;

use tower_webhook::gate::BodyGate;

pub struct Check;

#[cfg(mended)]
impl tower_webhook::gate::BodyCheck for Check {
    fn limits(&self) -> tower_webhook::gate::BodyLimits {
        Default::default()
    }

    fn check(&self, _: &mut http::request::Parts, body: bytes::Bytes) -> Result<tower_webhook::gate::Body, tower_webhook::Rejection> {
        Ok(body.into())
    }
}

pub fn gate() {
    let _ = BodyGate::new(Arc::new(Check), ());
}
