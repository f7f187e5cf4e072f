//! Chance from a seed: the same seed throws the same dice, on every machine and in every version.

/// Numbers that only look random: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
/// Nothing secret comes out of it.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A chance of its own for this number, such as a notification's, so that what one draws changes nothing for another.
    #[must_use]
    pub fn split(&self, number: u64) -> Self {
        let mut split = Self(self.0 ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03));
        Self(split.draw())
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one; 0 below 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias is one in 2^64 / end, which no test of ours can see.
        let wide = u128::from(self.draw()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Whether what happens so many times in a million happens now.
    pub fn hits(&mut self, in_a_million: u32) -> bool {
        self.below(1_000_000) < u64::from(in_a_million)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_paper_s_own_code() {
        // The reference implementation with seed 1234567: https://prng.di.unimi.it/splitmix64.c
        let mut chance = Chance::new(1_234_567);
        let drawn = [(); 3].map(|()| chance.draw());
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn what_is_likely_happens_about_as_often_and_never_is_never() {
        let mut chance = Chance::new(7);
        let hits = (0..100_000).filter(|_| chance.hits(200_000)).count();
        assert!((19_000..21_000).contains(&hits), "{hits}");
        assert!((0..10_000).all(|_| !chance.hits(0) && chance.hits(1_000_000) && chance.below(3) < 3));
        assert_eq!(chance.below(0), 0);
    }

    #[test]
    fn split_chances_go_their_own_ways_and_the_same_again() {
        let chance = Chance::new(7);
        let first = |number| chance.split(number).draw();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert_ne!(Chance::new(8).split(1).draw(), first(1));
    }
}
