//! Random bytes that are the same every time.

use std::sync::Mutex;

use tower_webhook::clock::{Entropy, NoEntropy};
use tower_webhook::sender::Chance;

/// The bytes of one file: its name splits the seed, so that a file more changes no other.
pub(crate) struct Seeded(Mutex<Chance>);

impl Seeded {
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        Self(Mutex::new(name.bytes().fold(Chance::new(seed), |chance, byte| chance.split(byte.into()))))
    }
}

impl Entropy for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        let mut chance = self.0.lock().map_err(|_| NoEntropy)?;
        for chunk in out.chunks_mut(8) {
            let drawn = chance.draw().to_le_bytes();
            chunk.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
        }
        Ok(())
    }
}
