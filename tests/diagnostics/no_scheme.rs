//~ `&str` is not a scheme
//~ schemes stand in `tower_webhook::scheme`: `Hmac` for most senders
use tower_webhook::layers::VerifyLayer;
use tower_webhook::scheme::Hmac;

pub fn layer(hmac: Hmac) -> VerifyLayer {
    #[cfg(not(mended))]
    let hmac = (hmac, "secret").1;
    VerifyLayer::new(hmac)
}
