//! Chance that a seed and an index repeat: SplitMix64.

/// A stream of numbers.
pub struct Chance(u64);

impl Chance {
    /// The stream of operation `index` of the run `seed`.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index);
        chance.next();
        chance.0 ^= index.rotate_left(32);
        chance.next();
        chance
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, end: u32) -> u32 {
        (((self.next() >> 32) * u64::from(end)) >> 32) as u32
    }

    /// True `percent` times of a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub fn one<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        #[allow(clippy::cast_possible_truncation)]
        let end = choices.len() as u32;
        &choices[self.below(end) as usize]
    }

    /// One of `choices`, each as often as its weight says.
    pub fn weighed<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for &(weight, choice) in choices {
            if at < weight {
                return choice;
            }
            at -= weight;
        }
        choices[0].1
    }

    /// Bytes that can be told apart.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let first = self.next();
        (0..length as u64)
            .map(|at| b'a' + ((first.wrapping_add(at)) % 26) as u8)
            .collect()
    }
}
