//~ `Bank` is not a provider
//~ providers stand in `tower_webhook::provider`: `Custom` reads any sender that a scheme can prove
use tower_webhook::Receiver;

#[cfg(not(mended))]
pub struct Bank;
#[cfg(mended)]
use tower_webhook::provider::mambu::Mambu as Bank;

pub fn receiver(bank: Bank) {
    let _ = Receiver::new("bank", bank);
}
